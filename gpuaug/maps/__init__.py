"""Maps: where an output pixel of a geometric transform is read, and so where points and boxes go.

A map is of n samples. `Map.source` says where an output pixel is read: kernels/map.cuh computes the same in float32. `Map.target`
is its inverse: a closed form, or Newton's method until it is within 0.05 pixels, or lost. Points and boxes follow from these two.
Centres of pixels are whole numbers; samples are told by ``which`` ``[N]``, the line of the map that each of N points belongs to.
"""

from .base import KINDS, PLACES, WHOLE, Map, header
from .control import Cells, Moved, Shepard, ThinPlate
from .formulas import Radial, TimeWarp
from .matrices import Affine, Projective, Resize, Window, homography, projected
from .stretched import stretched
from .tables import Field, Grid, Mesh, Tiles, spline

__all__ = [
    "KINDS",
    "PLACES",
    "WHOLE",
    "Affine",
    "Cells",
    "Field",
    "Grid",
    "Map",
    "Mesh",
    "Moved",
    "Projective",
    "Radial",
    "Resize",
    "Shepard",
    "ThinPlate",
    "Tiles",
    "TimeWarp",
    "Window",
    "header",
    "homography",
    "projected",
    "spline",
    "stretched",
]
