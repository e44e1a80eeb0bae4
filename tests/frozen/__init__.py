"""References of parity and of chains, computed where albumentations is and carried to a GPU where it is not.

    PYTHONPATH=.:tests python -m frozen.freeze build/first_run/references.npz
    PYTHONPATH=.:tests python -m frozen.replay build/first_run/references.npz --device cuda

`freeze` writes what the reference made of a few pictures of each case (tests/parity) and of each chain (tests/test_chains.py),
with the pictures, the uniforms, the transform as `gpuaug.to_dict` spells it, and the bound of the test that it comes from.
`replay` needs NumPy, torch and gpuaug; it compares with the bound that the file holds and knows no other.
"""
