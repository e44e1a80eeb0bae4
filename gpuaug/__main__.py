"""``python -m gpuaug``: the command `gpuaug`."""

from .cli import main

main()
