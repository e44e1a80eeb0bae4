"""The explorer in the browser (`gpuaug explore`): transforms and pipelines are tried on pictures.

It takes NiceGUI: ``pip install 'gpuaug[explore]'``; ``fields``, ``steps``, ``samples`` and ``drawing`` do without.
"""
