"""At which scale of a JPEG's DCT a row may read its image, against NumPy's singular values of what the map does."""

import numpy as np
import pytest

from gpuaug import maps, reduced
from gpuaug.plan import SAMPLES
from gpuaug.reach import _corners

WIDE, HIGH = 60, 40  # of the output


def row(matrix, kind, sample="linear", layers=0):
    """One row of a gather, as far as `finest` reads it."""
    fields = [("m", np.float32, 9), ("map", np.int32), ("sample", np.int32), ("n_layers", np.int32), ("frame", np.float32, 6)]
    found = np.zeros(1, [*fields, ("dw", np.int32), ("dh", np.int32)])
    found["m"], found["map"], found["sample"] = np.ravel(matrix), maps.KINDS[kind], SAMPLES[sample]
    found["n_layers"], found["dw"], found["dh"] = layers, WIDE, HIGH
    found["frame"] = 1, 0, 0, 0, 1, 0
    return found


def finest(rows):
    down, right = np.array([[1, 0]]), np.array([[0, 1]])
    return int(reduced.finest("fused", rows, _corners, down, right, np.zeros(1, bool))[0])


def largest(step):
    return max(scale for scale in (1, 2, 4, 8) if scale == 1 or scale <= step)


def turned(angle, across, along):
    """Whose singular values are `across` and `along`."""
    a, b = np.cos(angle), np.sin(angle)
    turn = np.array([[a, -b], [b, a]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn @ np.diag([across, along]) @ turn.T @ turn, (300, 200)
    return matrix


@pytest.mark.parametrize("step", [0.5, 1.0, 1.85, 1.99, 2.0, 2.01, 3.7, 3.99, 4.0, 7.9, 8.0, 8.1, 30.0])
@pytest.mark.parametrize("ratio", [1.0, 1.6, 20.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 2, 2.8])
def test_matrices(step, ratio, angle):
    for matrix in (turned(angle, step, step * ratio), turned(angle, step * ratio, step) @ np.diag([1, -1, 1])):
        assert np.linalg.svd(matrix[:2, :2], compute_uv=False)[-1] == pytest.approx(step)
        assert finest(row(matrix, "affine")) == largest(step)


@pytest.mark.parametrize("seed", range(200))
def test_perspectives(seed):
    """No pixel of the output is nearer to its neighbours, in the image, than the scale says."""
    rng = np.random.default_rng(seed)
    matrix = turned(rng.uniform(0, 7), *rng.uniform(1.5, 12, 2)).astype(np.float32)
    matrix[2, :2] = rng.normal(0, 0.004 if seed % 2 else 0.04, 2)
    x, y = np.meshgrid(np.linspace(0, WIDE - 1, 30), np.linspace(0, HIGH - 1, 30))

    def image(x, y):
        u, v, w = np.tensordot(matrix.astype(np.float64), np.stack([x, y, np.ones_like(x)]), 1)
        return np.stack([u / w, v / w]), w

    h = 1e-4
    slopes = [(image(x + h * a, y + h * b)[0] - image(x - h * a, y - h * b)[0]) / (2 * h) for a, b in ((1, 0), (0, 1))]
    least = np.linalg.svd(np.moveaxis(np.stack(slopes), (0, 1), (-2, -1)), compute_uv=False)[..., -1].min()
    depth = image(x, y)[1]
    found = finest(row(matrix, "projective"))
    if not (depth > 1e-6).all() and not (depth < -1e-6).all():
        assert found == 1  # the horizon is in the picture
    else:
        assert found == 1 or found <= least * 1.001
        assert found >= largest(least * 0.999)


def test_what_does_not_blend_pixels_reads_them_all():
    matrix = turned(0.3, 9, 9)
    assert finest(row(matrix, "affine")) == 8
    for other in ({"sample": "nearest"}, {"layers": 1}, {"kind": "view"}):
        assert finest(row(matrix, **{"kind": "affine", **other})) == 1
    skewed = reduced.finest("fused", row(matrix, "affine"), _corners, np.array([[2, 0]]), np.array([[0, 1]]), np.zeros(1, bool))
    assert skewed == 1  # a view of every second line


@pytest.mark.parametrize(("size", "target", "scale"), [((80, 90), (10, 10), 8), ((80, 79), (10, 10), 4), ((30, 90), (16, 10), 1)])
def test_resampling_by_means(size, target, scale):
    rows = np.zeros(1, [(name, np.int32) for name in ("sh", "sw", "dh", "dw")])
    rows["sh"], rows["sw"] = size
    rows["dh"], rows["dw"] = target
    for mean, wanted in ((True, scale), (False, 1)):
        assert reduced.finest("resample", rows, None, None, None, np.array([mean])) == wanted
