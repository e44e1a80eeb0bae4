# ruff: noqa: F403
from gpuaug import *
from gpuaug.former import *
from gpuaug.transforms import *
