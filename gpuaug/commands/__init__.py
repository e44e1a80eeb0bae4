"""What the command `gpuaug` does, one module for each group of its words; `gpuaug.cli` reads the arguments."""
