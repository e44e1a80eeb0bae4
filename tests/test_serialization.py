"""Pipelines as plain Python, JSON and YAML, and albumentations' own files; == and repr."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import pickle
import warnings

import albumentations as A
import numpy as np
import parity
import pytest

import gpuaug as G
from gpuaug import saving, settings
from gpuaug.settings import restored

FUNCTIONS = ("Lambda", "FDA", "HistogramMatching", "PixelDistributionAdaptation")  # tests give them functions and images
OURS = {"antialias", "alpha_affine", "shift_limit", "var_limit"}  # our own, and those that 2.0 ignores
# what albumentations writes of these means there what it means there, which is not what the argument means here
OTHERWISE = {"XYMasking": "an int is a range from 0 there: docs/parity.md"}


def given(name: str) -> list[dict]:
    """Arguments of a transform: as few as possible, and the variants that other tests know."""
    about = parity.ABOUT[name]
    found = []
    for more in ({}, about.shown, *about.variants):
        arguments = {**about.needs, **more}
        if {"px", "percent"} <= arguments.keys():
            arguments.pop("px")
        if {"max_size", "max_size_hw"} <= arguments.keys():
            arguments.pop("max_size")
        if arguments not in found:
            found.append(arguments)
    return found


def made(name: str):
    for arguments in given(name):
        with contextlib.suppress(ValueError):  # it needs what is shown
            yield arguments, G.REGISTRY[name](**arguments)


def through_json(thing):
    return json.loads(json.dumps(thing, allow_nan=False))


@pytest.mark.parametrize("name", sorted(set(G.REGISTRY) - set(FUNCTIONS)))
def test_every_transform_comes_back(name):
    several = list(made(name))
    assert several
    for _, transform in several:
        assert G.from_dict(through_json(G.to_dict(transform))) == transform
        assert eval(repr(transform), vars(G)) == transform
        assert copy.deepcopy(transform) == transform
        assert pickle.loads(pickle.dumps(transform)) == transform
        other = copy.copy(transform)
        other.p = 0.123
        assert other != transform
        if "ToTensor" not in name:  # they are for all samples
            assert G.from_dict(G.to_dict(other)) == other


@pytest.mark.parametrize("name", sorted(n for n in set(G.REGISTRY) - {*FUNCTIONS, "SelectiveChannelTransform"} if hasattr(A, n)))
def test_what_albumentations_writes(name):
    """The oracle is albumentations: its own file of a transform makes the transform that our arguments make."""
    tried = 0
    for arguments, transform in made(name):
        if arguments.keys() & OURS:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                written = through_json(A.to_dict(getattr(A, name)(**arguments)))
            except ValueError:  # arguments that it refuses
                continue
        tried += 1
        found = G.from_dict(written)
        assert type(found) is type(transform)
        if name not in OTHERWISE:
            assert found == transform
    assert tried or name in ("GridElasticDeform",)


def test_every_argument_counts():
    """Another value of any argument makes another transform, in == and in the file."""
    for name in sorted(set(G.REGISTRY) - set(FUNCTIONS)):
        for arguments, transform in made(name):
            for argument, value in arguments.items():
                if argument in transform.kept_as or not isinstance(value, (int, float)) or isinstance(value, bool):
                    continue
                try:
                    other = G.REGISTRY[name](**{**arguments, argument: value + 1})
                except ValueError:
                    continue
                if other != transform:
                    assert G.to_dict(other) != G.to_dict(transform), (name, argument)
                else:
                    assert G.to_dict(other) == G.to_dict(transform), (name, argument)


# as albumentations 0.4.6 and 1.1.0 wrote them into its own tests/files
WRITTEN = [
    ("augmentations.transforms.Blur", {"blur_limit": [3, 7]}, G.Blur((3, 7))),
    ("augmentations.transforms.ChannelDropout", {"channel_drop_range": [1, 1], "fill_value": 0}, G.ChannelDropout()),
    (
        "augmentations.transforms.CoarseDropout",
        {"max_holes": 8, "max_height": 8, "max_width": 8, "min_holes": 8, "min_height": 8, "min_width": 8},
        G.CoarseDropout((8, 8), (8, 8), (8, 8)),
    ),
    (
        "augmentations.transforms.ElasticTransform",
        {
            **{"alpha": 1, "sigma": 50, "alpha_affine": 50, "interpolation": 1, "border_mode": 4, "value": None},
            **{"mask_value": None, "approximate": False},
        },
        G.ElasticTransform(1, 50, border_mode=4, alpha_affine=50),
    ),
    ("augmentations.transforms.GaussNoise", {"var_limit": [10.0, 50.0]}, G.GaussNoise(var_limit=(10, 50))),
    (
        "augmentations.transforms.ImageCompression",
        {"quality_lower": 99, "quality_upper": 100, "compression_type": 0},
        G.ImageCompression("jpeg", (99, 100)),
    ),
    (
        "augmentations.transforms.RandomSnow",
        {"snow_point_lower": 0.1, "snow_point_upper": 0.3, "brightness_coeff": 2.5},
        G.RandomSnow(2.5, (0.1, 0.3)),
    ),
    ("augmentations.transforms.Solarize", {"threshold": [128, 128]}, G.Solarize((128 / 255, 128 / 255))),
    ("imgaug.transforms.IAAEmboss", {"alpha": [0.2, 0.5], "strength": [0.2, 0.7]}, G.Emboss()),
    ("imgaug.transforms.IAAFliplr", {}, G.HorizontalFlip()),
    ("core.transforms_interface.NoOp", {}, G.NoOp()),
]


def test_files_of_other_releases():
    nodes = [{"__class_fullname__": f"albumentations.{n}", "always_apply": False, "p": 0.5, **a} for n, a, _ in WRITTEN]
    nodes.append({"__class_fullname__": "albumentations.pytorch.transforms.ToTensorV2", "always_apply": True, "p": 1.0})
    whole = {"__class_fullname__": "albumentations.core.composition.Compose", "p": 1.0, "transforms": nodes}
    whole |= {"bbox_params": None, "keypoint_params": None, "additional_targets": {}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.warns(UserWarning, match=r"albumentations 0\.4\.6; old spellings are read"):
            found = G.from_dict({"__version__": "0.4.6", "transform": whole})
    assert found == G.Compose([*(ours for *_, ours in WRITTEN), G.ToTensorV2()])
    del whole["transforms"][:-2]
    whole["transforms"][0]["__class_fullname__"] = "albumentations.imgaug.transforms.IAAEmbos"
    with pytest.warns(UserWarning, match="0.4.6"), pytest.raises(ValueError, match="there is no IAAEmbos"):
        G.from_dict({"__version__": "0.4.6", "transform": whole})


def pipeline(**more):
    arguments = {
        "seed": 2**64 - 1,
        "bbox_params": G.BboxParams("coco", ["kinds"], min_area=4),
        "keypoint_params": {
            "format": "xy",
            "label_fields": ["names"],
            "label_mapping": {"HorizontalFlip": {"names": {1: 2, 2: 1}}},
        },
        "additional_targets": {"depth": "mask", "parts": G.BboxParams("yolo", ["sorts"])},
        "lazy": True,
        "label_geometry": "albumentations",
        **more,
    }
    return G.Compose(
        [
            G.OneOf([G.HorizontalFlip(), G.Sequential([G.Blur(5), G.Compose([G.Transpose()])], p=0.3)], p=0.9),
            G.SomeOf([G.GaussNoise(), G.Transpose()], n=(1, 2), replace=True),
            G.RandomOrder([G.Blur(), G.NoOp()], n=2),
            G.OneOrOther(G.MedianBlur(), G.HorizontalFlip(), p=0.2),
            G.Compose([]),
        ],
        **arguments,
    )


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_pipelines(kind, tmp_path):
    aug = pipeline()
    path = tmp_path / f"pipeline.{kind}"
    G.save(aug, path)
    back = G.load(path)
    assert back == aug
    assert back.seed == 2**64 - 1
    assert back.keypoint_params.label_mapping == aug.keypoint_params.label_mapping
    file = io.StringIO()
    G.save(aug, file, data_format=kind)
    assert G.load(io.StringIO(file.getvalue()), data_format=kind) == aug
    assert eval(repr(aug), vars(G)) == aug == copy.deepcopy(aug) == pickle.loads(pickle.dumps(aug))
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    boxes = {"bboxes": [(0, 0, 3, 3)], "kinds": ["a"]}
    assert (back(image=image, ids=[5], epoch=2, **boxes)["image"] == aug(image=image, ids=[5], epoch=2, **boxes)["image"]).all()


@pytest.mark.parametrize(
    "more",
    [{"seed": 1}, {"seed": 0}, {"p": 0.5},
     {"bbox_params": None}, {"keypoint_params": {"format": "yx"}}, {"additional_targets": {}},
     {"lazy": False}, {"label_geometry": "pixels"}, {"strict": True}, {"mask_interpolation": 6}],
)  # fmt: skip
def test_every_argument_of_a_pipeline_counts(more):
    aug = pipeline(**more)
    assert aug != pipeline()
    assert G.from_dict(through_json(aug.to_dict())) == aug == eval(repr(aug), vars(G))


def test_groups_of_albumentations():
    def build(m):
        return m.Compose(
            [
                m.OneOf([m.HorizontalFlip(p=1), m.Blur(blur_limit=(3, 5), p=0.4)], p=0.3),
                m.OneOrOther(m.RandomRotate90(), m.Sequential([m.Rotate(limit=(-3, 4)), m.ToGray()], p=0.7)),
                m.SomeOf([m.HueSaturationValue(), m.D4()], n=2, replace=False),
                m.RandomOrder([m.RGBShift(), m.VerticalFlip()], n=1),
                m.Compose([m.Normalize(), m.ToTensorV2()]),
            ],
            bbox_params=m.BboxParams("yolo", label_fields=["labels"], min_visibility=0.1, clip=True),
            keypoint_params=m.KeypointParams("xya", remove_invisible=False),
            additional_targets={"image2": "image"},
            p=0.8,
        )

    for kind in ("json", "yaml"):
        file = io.StringIO()
        A.save(build(A), file, data_format=kind)
        assert G.load(io.StringIO(file.getvalue()), data_format=kind) == build(G)


# ---- equality ----------------------------------------------------------------------------------------------------


def test_equal_and_hash():
    assert G.Blur(7) == G.Blur((3, 7)) == G.Blur([3, 7])
    assert G.Blur(7) != G.Blur(5)
    assert G.HorizontalFlip() != G.VerticalFlip()
    assert G.HorizontalFlip() != "HorizontalFlip"
    assert G.BboxParams("coco") == G.BboxParams("coco") != G.BboxParams("yolo")
    one, two = G.Compose([G.HorizontalFlip()]), G.Compose([G.HorizontalFlip()])
    assert one == two
    assert len({one, two}) == 2
    import torch

    both = torch.nn.ModuleList([one, two])  # equal modules are two modules
    assert len(list(both.children())) == 2
    assert len(both.state_dict()) == 2


def test_normalized_after_use_is_equal():
    used, fresh = G.Normalize(), G.Normalize()
    G.Compose([used])(np.zeros((2, 2, 3), np.uint8))
    assert used == fresh


# ---- what cannot be written --------------------------------------------------------------------------------------


def test_functions_and_images_are_refused_all_at_once():
    aug = G.Compose(
        [
            G.Lambda(image=lambda image, **_: image),
            G.HistogramMatching([np.zeros((4, 4, 3), np.uint8)], read_fn=lambda x: x),
            G.HorizontalFlip(),
        ]
    )
    with pytest.raises(ValueError, match="cannot be written down") as caught:
        G.to_dict(aug)
    words = str(caught.value)
    assert "Compose.transforms[0] holds functions" in words
    assert "name=" in words
    assert "transforms[1].reference_images[0] is an array (4, 4, 3)" in words
    assert "transforms[1].read_fn is function" in words


def test_by_name():
    invert = G.Lambda(image=lambda image, **_: 255 - image, name="invert")
    aug = G.Compose([invert, G.HorizontalFlip()])
    written = through_json(aug.to_dict())
    assert written["transform"]["transforms"][0] == {"__class_fullname__": "Lambda", "__name__": "invert"}
    assert G.from_dict(written, nonserializable={"invert": invert}) == aug
    with pytest.raises(
        ValueError, match=r"transform\.transforms\[0\] is a Lambda by the name 'invert'.*nonserializable.*'inwert'"
    ):
        G.from_dict(written, nonserializable={"inwert": invert})
    theirs = A.Compose([A.Lambda(image=lambda image, **_: image, name="invert", p=1)])
    assert G.from_dict(A.to_dict(theirs), nonserializable={"invert": invert})[0] is invert


def test_references_by_the_call_are_written():
    aug = G.HistogramMatching(metadata_key="others", blend_ratio=(0.1, 0.2))
    assert G.from_dict(through_json(aug.to_dict())) == aug


class Kept(G.Transform, register=False):
    def __init__(self, least=0.4, colours=None, p=0.5):
        super().__init__(p)
        self.least, self.colours = least, colours


class Lost(G.Transform, register=False):
    def __init__(self, least=0.4, p=0.5):
        super().__init__(p)
        self._hidden = least


@pytest.fixture
def registered(monkeypatch):
    for cls in (Kept, Lost):
        monkeypatch.setitem(G.REGISTRY, cls.__name__, cls)


def test_transforms_of_your_own(registered):
    mine = Kept(float("inf"), {(1, 2): float("nan"), 3: np.float32(0.5), "x": [True, None, 2**70]})
    written = mine.to_dict()
    assert written["transform"]["__class_fullname__"] == f"{__name__}.Kept"
    assert G.from_dict(through_json(written)) == mine
    with pytest.raises(ValueError, match=r"Lost would be another one after loading: it keeps no attribute least"):
        Lost(0.3).to_dict()
    assert Lost(0.3) != Lost(0.4)
    assert Lost(0.3) == Lost(0.3)
    written["transform"]["__class_fullname__"] = "elsewhere.Kept"
    with pytest.raises(ValueError, match=r"the class elsewhere\.Kept is not there: import its module before; the Kept that"):
        G.from_dict(written)


def test_an_attribute_that_was_changed():
    crop = G.RandomCrop(4, 4)
    crop.height = -1
    with pytest.raises(
        ValueError, match=r"Compose\.transforms\[0\], a RandomCrop, cannot be made from its own attributes: height"
    ):
        G.to_dict(G.Compose([crop]))


def test_nothing_is_written_when_something_is_wrong(tmp_path):
    path = tmp_path / "old.json"
    path.write_text("precious")
    with pytest.raises(ValueError, match="holds functions"):
        G.save(G.Lambda(), path)
    assert path.read_text() == "precious"


# ---- what cannot be read -----------------------------------------------------------------------------------------


def test_all_faults_in_one_message():
    written = {
        "__version__": "2.0.8",
        "transform": {
            "__class_fullname__": "Compose",
            "transforms": [
                {"__class_fullname__": "HorizontalFlop", "p": 1},
                {"__class_fullname__": "Blur", "blur_limits": 3, "pp": 1},
                {"__class_fullname__": "OneOf", "transforms": [{"__class_fullname__": "Blur", "p": 2.0}]},
                {"__class_fullname__": "a.b.Mine"},
                7,
            ],
            "sead": 1,
        },
    }
    with pytest.raises(ValueError, match="cannot be made") as caught:
        G.from_dict(written)
    lines = str(caught.value).split("\n- ")
    assert lines[0] == "this, written by albumentations 2.0.8, cannot be made:"
    wanted = [
        r"transforms[0]: there is no HorizontalFlop; did you mean 'HorizontalFlip'?",
        "transforms[1]: Blur has no argument 'blur_limits'; did you mean 'blur_limit'?",
        "transforms[1]: Blur has no argument 'pp'; did you mean 'p'?",
        "transforms[2].transforms[0]: Blur: p must lie in [0, 1], got 2.0",
        "transforms[3]: the class a.b.Mine is not there: import its module before",
        "transforms[4] must be a dict with '__class_fullname__', got 7",
        "transform: Compose has no argument 'sead'; did you mean 'seed'?",
    ]
    assert len(lines) == 1 + len(wanted)
    assert all(want in line for want, line in zip(wanted, lines[1:])), lines


def test_another_version():
    written = G.HorizontalFlip().to_dict() | {"__format__": "gpuaug 2", "__version__": "3.1"}
    with pytest.raises(ValueError, match=r"format 'gpuaug 2', written by gpuaug 3\.1; this version reads 'gpuaug 1'"):
        G.from_dict(written)
    with pytest.warns(UserWarning, match=r"albumentations 1\.3\.1"):
        old = G.from_dict({"__version__": "1.3.1", "transform": {"__class_fullname__": "HorizontalFlip", "p": 0.5}})
    assert old == G.HorizontalFlip()
    with pytest.raises(ValueError, match="the key 'transform'"):
        G.from_dict({"__class_fullname__": "HorizontalFlip"})


def test_files_that_are_none(tmp_path):
    (tmp_path / "bad.json").write_text("transform: 1")
    with pytest.raises(ValueError, match=r"bad\.json is no JSON.*data_format='yaml'"):
        G.load(tmp_path / "bad.json")
    evil = tmp_path / "evil.yaml"
    evil.write_text("transform: !!python/object/apply:os.system ['touch /tmp/never']")
    with pytest.raises(ValueError, match=r"evil\.yaml holds a tag that would make an object.*python/object/apply"):
        G.load(evil)
    with pytest.raises(ValueError, match="is no YAML"):
        G.load(io.StringIO("a: [1"), data_format="yaml")
    with pytest.raises(ValueError, match="data_format must be 'json' or 'yaml', got 'toml'"):
        G.load(evil, data_format="toml")


def test_yaml_is_not_needed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    with pytest.raises(ImportError, match=r"pip install 'gpuaug\[yaml\]'"):
        G.save(G.HorizontalFlip(), io.StringIO(), data_format="yaml")


def test_names_in_files_are_gpuaugs_own(monkeypatch):
    """A class of the program that bears the name of one of ours is not taken for it."""
    blur = type("Blur", (G.HorizontalFlip,), {"__module__": "elsewhere"}, register=False)
    monkeypatch.setitem(G.REGISTRY, "Blur", blur)
    assert type(G.from_dict(G.Blur().to_dict())) is G.Blur
    assert saving.classes()["Blur"] is G.Blur


def test_keys_that_are_no_words_and_numbers_that_json_lacks():
    faults: list[str] = []
    value = {1: float("-inf"), (2, 3): {"__items__": 1}, None: {"a": (1, 2)}}
    written = settings.plain(value, "x", faults)
    assert not faults
    assert settings.same(restored(through_json(written)), value)
