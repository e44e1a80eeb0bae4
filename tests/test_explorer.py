"""The explorer without a browser: every transform can be chosen, its fields make it, and the code to copy draws what is shown."""

from __future__ import annotations

import base64
import inspect
import io
import warnings

import numpy as np
import pytest
from PIL import Image

import gpuaug as G
from gpuaug.data import SegmentationFolder
from gpuaug.explorer import drawing, fields, heard, samples, steps, words
from gpuaug.explorer.samples import Folder
from gpuaug.explorer.steps import Pipeline, Step
from gpuaug.pictures import previews
from gpuaug.spellings import rules

NAMES = fields.names()
UNASKED = {  # an array, and spellings of former releases
    "Equalize": {"mask"},
    "ElasticTransform": {"alpha_affine"},
    "OpticalDistortion": {"shift_limit"},
}


def pixels(shown: drawing.Shown) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(shown.url.partition(",")[2]))))


def ran(code: str) -> dict:
    space: dict = {}
    exec(compile(code, "copied", "exec"), space)
    return space


def first_draw(space: dict) -> np.ndarray:
    """What the copied program made, as a screen shows it."""
    leading = "image" if "image" in space["sample"] else "volume"
    normalized = previews._normalized(space["pipeline"])
    return previews.cell_of(space["pipeline"], {leading: space["augmented"]}, normalized).image


def test_what_a_process_was_warned_of_is_no_field(monkeypatch):
    """A warning of a former spelling comes once in a process: what is asked for does not hang on whether it came."""
    monkeypatch.setattr(rules, "_said", set())
    with pytest.warns(DeprecationWarning, match="alpha_affine"):
        G.ElasticTransform(alpha_affine=3)
    assert "alpha_affine" not in {field.name for field in fields.fields.__wrapped__("ElasticTransform")}


def test_everything_can_be_chosen():
    assert set(G.REGISTRY) <= set(NAMES)
    assert {"OneOf", "SomeOf", "Sequential"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_fields_of_a_transform(name):
    """Its fields make it; both ends of every slider, and a step beside its first value, are taken by the constructor."""
    asked = fields.fields(name)
    left = {parameter for parameter in inspect.signature(fields.class_of(name).__init__).parameters if parameter != "self"}
    shown = {field.name for field in asked}
    missing = left - shown - fields.FIXED
    parameters = inspect.signature(fields.class_of(name).__init__).parameters
    functions = {each for each in missing if "Callable" in str(parameters[each].annotation)}
    assert missing - functions == UNASKED.get(name, set())
    base = {field.name: field.value for field in asked if field.default is inspect.Parameter.empty} | fields.begun(name)
    fields.made(name, base)
    for field in asked:
        assert field.takes(field.value), field
        assert field.said or name in fields.GROUPS, f"{name}'s docstring says nothing of {field.name}"
        if field.kind == "choice":
            assert any(G.settings.same(field.value, each) for each in field.choices), field
        value = field.when if field.value is None else field.value
        if field.kind not in ("number", "range", "numbers") or value is None:
            continue
        assert field.low < field.high
        assert field.step > 0
        values = list(value) if isinstance(value, tuple) else [value]
        assert field.low <= min(values), field
        assert field.kind == "numbers" or max(values) <= field.high, field
        for place, number in ((0, field.low), (-1, field.high)):
            put = [number if i == place % len(values) else each for i, each in enumerate(values)]
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                fields.made(name, {**base, field.name: put[0] if field.kind == "number" else tuple(put)})


@pytest.mark.parametrize("name", NAMES)
def test_the_code_draws_what_is_shown(name, tmp_path, monkeypatch):
    """Copied, it makes the first draw to the bit; its file loads as the same pipeline, and opens as the same steps."""
    monkeypatch.chdir(tmp_path)
    pipeline = Pipeline([Step.new(name)], seed=3)
    sample = samples.suited(pipeline.names())
    compose, told = pipeline.made(sample.params)
    assert not told
    shown = drawing.draws(compose, sample, 1, 2, labels=False)
    space = ran(drawing.python(pipeline, sample, 1, 2))
    np.testing.assert_array_equal(first_draw(space), pixels(shown[1]))
    assert space["pipeline"] == compose
    assert (tmp_path / "draws.png").exists()
    if name == "Lambda":
        with pytest.raises(ValueError, match="holds functions, which a file cannot"):
            steps.yaml(compose)
        return
    (tmp_path / "pipeline.yaml").write_text(steps.yaml(compose))
    assert G.load(tmp_path / "pipeline.yaml") == compose
    again, left = steps.read(steps.yaml(compose), "pipeline.yaml")
    assert again.made(sample.params)[0] == compose
    assert again.seed == 3
    assert ("bbox_params" in left) is ("bbox_params" in sample.params)


def test_a_tree_of_groups_as_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inner = Step("OneOf", {"p": 0.7}, [Step.new("MotionBlur"), Step("Sequential", {"p": 1}, [Step.new("Solarize")])])
    pipeline = Pipeline([Step.new("Affine"), inner, Step("ToGray", {"p": 0.5})], 5, {"lazy": True})
    sample = samples.suited(pipeline.names())
    compose, _ = pipeline.made(sample.params)
    space = ran(drawing.python(pipeline, sample, 2, 0))
    assert space["pipeline"] == compose
    assert compose.lazy
    np.testing.assert_array_equal(first_draw(space), pixels(drawing.draws(compose, sample, 2, 0, labels=False)[1]))
    again, _ = steps.read(steps.yaml(compose), "a.yaml")
    assert [step.name for step in again.all()] == [step.name for step in pipeline.all()]
    assert again.steps[1].steps[0].told() == {"blur_limit": (9, 21), "p": 1}
    assert again.made(sample.params)[0] == compose


def test_labels_are_drawn_over_pictures():
    pipeline = Pipeline([Step.new("HorizontalFlip")])
    sample = samples.suited(pipeline.names())
    compose, _ = pipeline.made(sample.params)
    plain, over = (drawing.draws(compose, sample, 1, 0, labels)[1] for labels in (False, True))
    assert (pixels(plain) == compose(**sample.targets, ids=[0], epoch=0)["image"]).all()
    a, b = pixels(plain).astype(int), pixels(over)[..., :3].astype(int)
    assert a.shape == b.shape
    changed = (abs(a - b) > 20).any(-1)
    assert 0.03 < changed.mean() < 0.5  # mask, boxes and points cover a part
    assert not changed[200:, 200:].any()  # nothing is labelled there


def test_numbers_out_of_range_are_the_constructors_to_refuse():
    pipeline = Pipeline([Step.new("Affine"), Step("Posterize", {"num_bits": (2, 9), "p": 1})])
    with pytest.raises(ValueError, match=r"num_bits must lie in \[0, 8\], got 9") as found:
        pipeline.made({})
    assert found.value.step is pipeline.steps[1]


def test_rules_are_heard_and_profilers_put_back():
    import sys

    def mine(*_):
        return None

    sys.setprofile(mine)
    try:
        found, refused = heard.rules(lambda: G.ISONoise(color_shift=(0, 2)))
        assert sys.getprofile() is mine
    finally:
        sys.setprofile(None)
    assert [(rule.kind, rule.low, rule.high) for rule in found["color_shift"]] == [("increasing", 0, 1)]
    assert "color_shift" in refused


def test_sides_of_windows_are_odd_and_angles_turn():
    by = {field.name: field for field in fields.fields("Blur")}
    assert (by["blur_limit"].kind, by["blur_limit"].step, by["blur_limit"].whole) == ("range", 2, True)
    assert by["blur_limit"].low % 2 == 1
    by = {field.name: field for field in fields.fields("Rotate")}
    assert (by["limit"].low, by["limit"].high, by["limit"].unit) == (-180, 180, "degrees")
    assert list(by["rotate_method"].choices) == ["largest_box", "ellipse"]
    assert by["border_mode"].choices[4] == "4 reflect_101"
    assert (by["border_mode"].rare, by["limit"].rare) == (True, False)
    affine = {field.name: field for field in fields.fields("Affine")}
    assert (affine["translate_px"].optional, affine["translate_px"].whole) == (True, True)
    assert words.about(G.CenterCrop)["border_mode"] == words.about(G.RandomCrop)["border_mode"]  # "see" is followed


@pytest.mark.parametrize(
    ("name", "argument", "ends"),
    [  # by hand, of the docstrings: all that is allowed, where that is near; else some times what it begins with
        ("ImageCompression", "quality_range", (0, 100)),
        ("PixelDropout", "dropout_prob", (0, 1)),
        ("ISONoise", "color_shift", (0, 1)),
        ("Solarize", "threshold_range", (0, 1)),
        ("Posterize", "num_bits", (0, 8)),
        ("ColorJitter", "hue", (-0.5, 0.5)),
        ("GridDistortion", "distort_limit", (-1, 1)),
        ("RandomBrightnessContrast", "brightness_limit", (-1, 1)),
        ("Affine", "shear", (-89, 89)),
        ("Affine", "translate_percent", (-1, 1)),
        ("Affine", "scale", (0.1, 5)),
        ("ShiftScaleRotate", "shift_limit_x", (-1, 1)),
        ("Blur", "blur_limit", (3, 29)),
        ("GaussNoise", "noise_scale_factor", (0.01, 1)),  # 0 itself is refused
    ],
)
def test_the_ends_of_sliders(name, argument, ends):
    field = next(each for each in fields.fields(name) if each.name == argument)
    assert (field.low, field.high) == ends


# ---- what it is tried on -------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a.png", "deep/b.jpg"):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (60, 90, 3), np.uint8)).save(path)
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.arange(60 * 90, dtype=np.uint8).reshape(60, 90) % 3).save(tmp_path / "masks" / "a.png")
    return tmp_path


def test_a_folders_pictures_with_masks_boxes_and_points(folder, monkeypatch):
    monkeypatch.chdir(folder)
    found = Folder(folder / "pictures", folder / "masks")
    assert [str(path) for path in found.files] == ["a.png", "deep/b.jpg"]
    own = found.own(0)
    own.longest, own.boxes, own.points = 45, [(5, 5, 20, 25, "cat")], [(10, 12)]
    pipeline = Pipeline([Step.new("HorizontalFlip"), Step.new("FDA")], 1)
    sample = own.sample(pipeline.names())
    assert sample.targets["image"].shape == (30, 45, 3)
    assert sample.targets["mask"].shape == (30, 45)
    assert set(np.unique(sample.targets["mask"])) == {0, 1, 2}
    assert "fda_metadata" in sample.targets
    compose, _ = pipeline.made(sample.params)
    space = ran(drawing.python(pipeline, sample, 1, 0))
    np.testing.assert_array_equal(first_draw(space), pixels(drawing.draws(compose, sample, 1, 0, labels=False)[1]))
    for name in ("mask", "bboxes", "what", "keypoints"):
        np.testing.assert_array_equal(space["sample"][name], sample.targets[name])
    assert found.own(1).mask is None


def test_photographs_and_uploads_as_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((20, 30, 3), 70, np.uint8)).save("mine's.png")
    for own in (samples.photograph("cat"), samples.uploaded("mine's.png", (tmp_path / "mine's.png").read_bytes())):
        pipeline = Pipeline([Step.new("ISONoise")])
        sample = own.sample(pipeline.names())
        compose, _ = pipeline.made(sample.params)
        space = ran(drawing.python(pipeline, sample, 1, 0))
        np.testing.assert_array_equal(space["augmented"], pixels(drawing.draws(compose, sample, 1, 0, labels=True)[1]))


def test_pictures_are_read_as_the_loader_reads_them(tmp_path, monkeypatch):
    """Turned as EXIF says, 16 bits scaled, masks of one bit and palettes by number: those of the datasets, and of the code."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "masks").mkdir()
    turned = Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8))
    turned.getexif()[274] = 6
    turned.save("pictures/a.png", exif=turned.getexif())
    Image.fromarray(rng.integers(0, 65536, (30, 50)).astype(np.uint16)).save("pictures/b.png")
    Image.fromarray(rng.integers(0, 2, (60, 40), np.uint8) > 0).save("masks/a.png")
    palette = Image.fromarray(rng.integers(0, 5, (30, 50), np.uint8))
    palette.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0, 9, 9, 9, 8, 8, 8])
    palette.save("masks/b.png")
    data, found = SegmentationFolder("pictures", "masks"), Folder(tmp_path / "pictures", tmp_path / "masks")
    for i in range(2):
        sample = found.own(i).sample([])
        for name in ("image", "mask"):
            np.testing.assert_array_equal(sample.targets[name], data[i][name])
            np.testing.assert_array_equal(ran("\n".join([*sample.imports, sample.code]))["sample"][name], data[i][name])
    own = samples.uploaded("a.png", (tmp_path / "pictures" / "a.png").read_bytes())
    samples.with_mask(own, "a.png", (tmp_path / "masks" / "a.png").read_bytes())
    np.testing.assert_array_equal(own.sample([]).targets["image"], data[0]["image"])
    np.testing.assert_array_equal(own.sample([]).targets["mask"], data[0]["mask"])


def test_masks_that_do_not_fit(folder):
    found, own = Folder(folder / "pictures", folder / "masks"), samples.photograph("cat")
    small = (folder / "masks" / "a.png").read_bytes()
    with pytest.raises(
        ValueError, match=r"m\.png has 90 x 60 pixels, and the picture \d+ x \d+; a mask needs its picture's size"
    ):
        samples.with_mask(own, "m.png", small)
    with pytest.raises(ValueError, match=r"a\.png has 3 channels; a mask has one, with a number for each class"):
        samples.with_mask(found.own(0), "a.png", (folder / "pictures" / "a.png").read_bytes())
    (folder / "masks" / "a.txt").write_text("beside it, and no picture")
    (folder / "masks" / "a.b.png").write_bytes(small)  # of another one
    assert found.own(0).mask is not None
    (folder / "masks" / "a.bmp").write_bytes(small)
    with pytest.raises(ValueError, match=r"a\.png has two masks, .*: remove one"):
        found.own(0)


def test_nothing_beside_the_folder_is_read(folder):
    (folder / "pictures" / "out.png").symlink_to(folder / "masks" / "a.png")
    (folder / "pictures" / "elsewhere").symlink_to(folder / "masks")
    assert [str(path) for path in Folder(folder / "pictures").files] == ["a.png", "deep/b.jpg"]


def test_pictures_that_are_none_or_too_large(monkeypatch):
    with pytest.raises(ValueError, match=r"x\.png cannot be read as a picture"):
        samples.uploaded("x.png", b"no picture")
    out = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(out, "png")
    with pytest.raises(ValueError, match=r"large\.png has 10000 x 6000 pixels; the explorer takes pictures of up to 50 million"):
        samples.uploaded("large.png", out.getvalue())
    pipeline = Pipeline([Step("Resize", {"height": 100_000, "width": 100_000, "p": 1})])
    sample = samples.suited(pipeline.names())
    with pytest.raises(ValueError, match="this makes pictures of 100000 x 100000 pixels; the page shows up to 8192"):
        drawing.draws(pipeline.made(sample.params)[0], sample, 1, 0, labels=False)


@pytest.mark.parametrize("text", ["[[1, 2, 3]]", "__import__('os')", "[", "{}[0]", "[['a', 1, 2, 3]]", "5"])
def test_boxes_that_are_none(text):
    with pytest.raises(ValueError, match="boxes must"):
        samples.rows(text, 4, "boxes")


# ---- files of pipelines --------------------------------------------------------------------------

HEAD = "__format__: gpuaug 1\ntransform:\n  __class_fullname__: Compose\n  transforms:\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{__class_fullname__: HorizontalFlp}", "did you mean 'HorizontalFlip'"),
        ("{__class_fullname__: Rotate, limits: 3}", "did you mean 'limit'"),
        ("{__class_fullname__: FDA, reference_images: [/etc/hostname]}", "reads no files but those of its folder"),
        ("{__class_fullname__: TextImage, font_path: /etc/hostname}", "reads no files but those of its folder"),
        ("{__class_fullname__: Mosaic, metadata_key: mine}", "leave metadata_key out"),
        ("{__class_fullname__: Compose, transforms: []}", "has a Compose inside of another"),
        ("{__class_fullname__: vision.Resize, size: 3}", "which the explorer does not show"),
        ("!!python/object/apply:os.getcwd []", "holds a tag that would make an object"),
    ],
)
def test_files_that_cannot_be_opened_say_why(line, says):
    with pytest.raises(ValueError, match=says) as found:
        steps.read(f"{HEAD}  - {line}\n", "a.yaml")
    assert str(found.value).startswith("a.yaml")


def test_time_and_launches_in_words():
    pipeline = Pipeline([Step.new("Rotate")])
    sample = samples.suited(pipeline.names())
    compose, _ = pipeline.made(sample.params)
    assert "ms per image: batches of 16 images of 320 × 240 pixels" in drawing.measured(compose, sample)
    assert "fused on all samples: Rotate" in drawing.launches(compose, sample)
    needing = Pipeline([Step.new("CropNonEmptyMaskIfExists")])
    sample = samples.suited(needing.names())
    assert "one of 320 × 240 at a time, with its labels" in drawing.measured(needing.made(sample.params)[0], sample)
