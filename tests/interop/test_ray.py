"""`Augment` by itself, and once on a local Ray with two actors."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import ray_elastic
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

import gpuaug as G
from gpuaug.data import ImageFolder
from gpuaug.interop.ray import Augment

N = 12
PHOTOS = [
    np.asarray(Image.fromarray(load_sample_images().images[i % 2]).resize((64, 48)).rotate(30 * i).crop((i, 0, 56, 40)))
    for i in range(N)
]


def compose():
    return G.Compose([G.HorizontalFlip(), G.RandomBrightnessContrast(p=0.8), G.CenterCrop(32, 32)], seed=3)


def augment(**arguments):
    return Augment(compose(), **{"device": "cpu", **arguments})


def png(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def objects(values):
    column = np.empty(len(values), object)
    column[:] = values
    return column


def expected(ids, epoch=0):
    return compose().run({"image": PHOTOS}, ids=np.asarray(ids), epoch=epoch)["image"].numpy()


@pytest.mark.parametrize(
    ("name", "shape"), [("mask", (48, 64)), ("depth", (48, 64)), ("heat", (12, 16, 5)), ("other", (48, 64, 3))]
)
def test_a_column_that_would_be_left_behind_is_an_error(name, shape):
    batch = {"image": np.stack([np.zeros((48, 64, 3), np.uint8)] * 2), name: np.zeros((2, *shape), np.float32)}
    with pytest.raises(ValueError, match=f"{name}.*(untouched=|mask='mask')"):
        augment()(batch)
    assert augment(untouched=[name])(batch)[name] is batch[name]
    only_pixels = Augment(G.Compose([G.RandomBrightnessContrast(p=1)], seed=0), device="cpu")
    assert only_pixels(batch)[name] is batch[name]


@pytest.mark.parametrize("encoded", [False, True])
def test_rows_get_what_their_ids_say(encoded):
    column = objects([png(photo) if encoded else photo for photo in PHOTOS])
    batch = {"image": column, "number": np.arange(N), "note": objects(["n"] * N)}
    out = augment(ids="number")(batch)
    np.testing.assert_array_equal(out["image"], expected(range(N)))
    assert list(out) == ["image", "number", "note"]
    assert batch["image"] is column
    later = augment(ids="number", epoch=4)(batch)
    np.testing.assert_array_equal(later["image"], expected(range(N), epoch=4))
    assert not np.array_equal(out["image"], later["image"])


@pytest.mark.parametrize("ids", [None, "path"])
def test_blocks_do_not_matter(ids):
    batch = {"image": objects(PHOTOS), "path": objects([f"/data/{i}.png" for i in range(N)])}
    whole = augment(ids=ids)(batch)["image"]
    turned = augment(ids=ids)({name: column[::-1] for name, column in batch.items()})["image"]
    np.testing.assert_array_equal(turned[::-1], whole)
    halves = [augment(ids=ids)({n: c[part] for n, c in batch.items()})["image"] for part in (slice(5), slice(5, N))]
    np.testing.assert_array_equal(np.concatenate(halves), whole)


def test_masks_and_dtype():
    masks = objects([photo[..., 0] // 64 for photo in PHOTOS])
    flip = G.Compose([G.HorizontalFlip(), G.CenterCrop(32, 32)], seed=3)
    batch = {"image": objects(PHOTOS), "mask": masks}
    out = Augment(flip, mask="mask", device="cpu", dtype=torch.float32)(batch)
    assert out["image"].dtype == np.float32
    np.testing.assert_array_equal(out["mask"], (out["image"][:, 0] // 64).astype(np.uint8))
    encoded = {"image": batch["image"], "mask": objects([png(mask) for mask in masks])}
    np.testing.assert_array_equal(Augment(flip, mask="mask", device="cpu")(encoded)["mask"], out["mask"])


def test_equal_sizes_come_as_one_array():
    stacked = np.stack([photo[:40, :44] for photo in PHOTOS])
    out = augment()({"image": stacked})
    np.testing.assert_array_equal(out["image"], augment()({"image": objects(list(stacked))})["image"])
    assert augment()({"image": stacked[:0]})["image"].shape == (0, 40, 44, 3)


@pytest.mark.parametrize("broken", [b"", b"<html>", png(PHOTOS[0])[:600]])
def test_bad_rows_are_named_and_the_actor_goes_on(broken):
    call = augment(ids="path")
    paths = objects([f"/data/{i}.png" for i in range(N)])
    files = [png(photo) for photo in PHOTOS]
    with pytest.raises(ValueError, match=r"row /data/7\.png: "):
        call({"image": objects([*files[:7], broken, *files[8:]]), "path": paths})
    assert call({"image": objects(files), "path": paths})["image"].shape == (N, 3, 32, 32)


def test_errors():
    with pytest.raises(TypeError, match=r"compose must be a gpuaug.Compose, got function"):
        Augment(lambda x: x)
    with pytest.raises(ValueError, match="compose has no seed"):
        Augment(G.Compose([]))
    with pytest.raises(ValueError, match=r"dtype must not be torch\.bfloat16"):
        augment(dtype=torch.bfloat16)
    with pytest.raises(KeyError, match="the rows have no column 'path'; they have image"):
        augment(ids="path")({"image": objects(PHOTOS)})
    with pytest.raises(ValueError, match="claims"):
        augment(max_pixels=100)({"image": objects([png(PHOTOS[0])])})


ON_RAY = """
import sys
sys.path[:0] = [{here!r}]
from test_ray import *
import ray
import ray.data

# actors take one CPU each; two more are for the tasks that read
ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
ray.data.DataContext.get_current().enable_progress_bars = False
rows = ray.data.read_binary_files({files!r}, include_paths=True, override_num_blocks=4).map_batches(
    Augment,
    fn_constructor_kwargs=dict(compose=compose(), image="bytes", ids="path", device="cpu"),
    batch_size=5,
    compute=ray.data.ActorPoolStrategy(size=2),
)
rows = rows.take_all()
np.savez({out!r}, paths=[row["path"] for row in rows], images=[row["bytes"] for row in rows])
ray.shutdown()
"""


@pytest.mark.slow
def test_two_actors_of_a_local_ray(tmp_path):
    pytest.importorskip("ray.data")
    folder = tmp_path / "files"
    folder.mkdir()
    paths = [f"{folder}/{i:02}.png" for i in range(N)]
    for path, photo in zip(paths, PHOTOS, strict=True):
        with open(path, "wb") as file:
            file.write(png(photo))
    script = ON_RAY.format(here=os.path.dirname(__file__), files=str(folder), out=f"{tmp_path}/out.npz")
    (tmp_path / "on_ray.py").write_text(script)
    # Ray's processes end with this one, also when it hangs
    command = [sys.executable, str(tmp_path / "on_ray.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    out = np.load(tmp_path / "out.npz")
    found = dict(zip(out["paths"].tolist(), out["images"], strict=True))
    alone = augment(image="bytes", ids="path")({"bytes": objects([png(p) for p in PHOTOS]), "path": objects(paths)})
    assert sorted(found) == paths
    for path, image in zip(paths, alone["bytes"], strict=True):
        np.testing.assert_array_equal(found[path], image)


@pytest.mark.slow
def test_ray_train_goes_on_without_a_node_that_dies(tmp_path):
    """examples/ray_train.py: what was delivered until the checkpoint, and after it by the worker that is left, is the epoch."""
    (tmp_path / "images").mkdir()
    for i, photo in enumerate(PHOTOS * 2):
        place = tmp_path / "images" / ("temple", "dahlia")[i % 2]
        place.mkdir(exist_ok=True)
        Image.fromarray(photo[i % 5 :]).save(place / f"{i:02}.png")
    script = os.path.join(os.path.dirname(__file__), "ray_elastic.py")
    told = {**os.environ, "PYTHONPATH": str(ray_elastic.ROOT)}
    command = [sys.executable, script, str(tmp_path / "images"), str(tmp_path)]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert [place[2:] for place in said["loaded"]] == [[2, 1]], "two ranks, then one"
    kept = said["loaded"][0][1]
    seen = [digest for _, legs, step, digest in said["lines"] if legs or step <= kept]
    size = ray_elastic.SETTINGS["size"]
    augment = G.Compose(
        [G.RandomResizedCrop((size, size)), G.HorizontalFlip(), G.Normalize(), G.ToTensorV2()], seed=ray_elastic.SETTINGS["seed"]
    )
    alone = G.DataLoader(ImageFolder(tmp_path / "images"), 1, transform=augment, device="cpu")
    assert sorted(seen) == sorted(ray_elastic.digest(pictures[0]) for pictures, _ in alone)
    assert said["metrics"]["images"] == len(seen) == 2 * N
