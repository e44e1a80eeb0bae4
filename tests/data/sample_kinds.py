"""Kinds of samples that datasets return, and what `DataLoader(transform=)` does with them: the table in docs/loading.md."""

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors

import gpuaug as A

H, W = 24, 40
rng = np.random.default_rng(0)
PICTURE = rng.integers(0, 256, (H, W, 3), np.uint8)
OTHER = rng.integers(0, 256, (H, W, 3), np.uint8)
GRAY = PICTURE[..., 0].copy()
LABELS = (np.arange(H * W).reshape(H, W) % 7).astype(np.int64)
DEPTH = rng.random((H, W), np.float32)
VOLUME = rng.integers(0, 256, (5, H, W), np.uint8)
ORGANS = (VOLUME % 3).astype(np.int64)
TENSOR = torch.from_numpy(PICTURE.transpose(2, 0, 1).copy())
LABEL_TENSOR = torch.from_numpy(LABELS)
ONE_HOT = (torch.arange(7)[:, None, None] == LABEL_TENSOR).float()
BOXES = np.array([[2, 3, 6, 8], [10, 4, 30, 20]], np.float32)  # x0, y0, x1, y1
FLIPPED_BOXES = np.array([[34, 3, 38, 8], [10, 4, 30, 20]], np.float32)  # x0' = 40 - x1
POINTS = [[2.0, 3.0], [10.0, 4.0]]
FLIPPED_POINTS = [[37.0, 3.0], [29.0, 4.0]]  # x' = 39 - x
PASCAL = A.BboxParams("pascal_voc", label_fields=["labels"])
PASCAL_ONLY = A.BboxParams("pascal_voc")
XY = A.KeypointParams("xy")


@dataclasses.dataclass
class Kind:
    """One kind of sample.

    make: (folder with picture.png, mask.png, photo.jpg) -> sample. moved, same: paths of entries that are flipped, or come as
    torch collates them. values: {path: right value}, worked out by hand. error: the path that the error names, as it shows it.
    """

    title: str
    make: Callable
    moved: tuple = ()
    same: tuple = ()
    values: dict = dataclasses.field(default_factory=dict)
    error: str | None = None
    compose: dict = dataclasses.field(default_factory=dict)
    targets: dict | None = None


def moved(title, make, *paths, **more):
    return Kind(title, make, paths, **more)


def error(title, make, entry, **more):
    return Kind(title, make, error=entry, **more)


def coco(**more):
    boxes = ([2, 3, 4, 5], [10, 4, 20, 16])
    return [{"bbox": box, "category_id": k, **{n: v[k] for n, v in more.items()}} for k, box in enumerate(boxes)]


FLIPPED_COCO = [[34, 3, 4, 5], [10, 4, 20, 16]]


def tv_boxes(boxes, format):
    return tv_tensors.BoundingBoxes(torch.tensor(boxes), format=format, canvas_size=(H, W))


RECOGNIZED = [
    moved("`image`", lambda f: PICTURE, ()),
    moved("`(image, label)`", lambda f: (PICTURE, 3), (0,), same=((1,),)),
    moved("`(image, mask)`: mask of one value a pixel", lambda f: (PICTURE, LABELS), (0,), (1,)),
    moved("`(image, mask)`: tensors", lambda f: (TENSOR, LABEL_TENSOR), (0,), (1,)),
    moved("`(image, mask)`: gray image, gray mask", lambda f: (GRAY, LABELS.astype(np.uint8)), (0,), (1,)),
    moved("`(image, mask)`: PIL", lambda f: (Image.fromarray(PICTURE), Image.fromarray(LABELS.astype(np.uint8))), (0,), (1,)),
    moved("`(image, one-hot mask)`: tensors `[3, H, W]`, `[7, H, W]`", lambda f: (TENSOR, ONE_HOT), (0,), (1,)),
    moved('`("picture.png", "mask.png")`', lambda f: (str(f / "picture.png"), str(f / "mask.png")), (0,), (1,)),
    moved('`("picture.png", mask)`: an array or tensor', lambda f: (str(f / "picture.png"), LABELS), (0,), (1,)),
    moved('`(image, "mask.png")`', lambda f: (PICTURE, str(f / "mask.png")), (0,), (1,)),
    moved(
        '`("folder/car.jpg", "car.jpg")`: the second is its name',
        lambda f: (str(f / "picture.png"), "picture.png"),
        (0,),
        same=((1,),),
    ),
    moved('`{"image", "mask"}`', lambda f: {"image": PICTURE, "mask": LABELS}, ("image",), ("mask",)),
    moved(
        '`{"image", "masks"}`: a list, or `[N, H, W]`',
        lambda f: {"image": PICTURE, "masks": [LABELS, LABELS[::-1].copy()]},
        ("image",),
        ("masks",),
    ),
    moved('`{"volume"}`: `[D, H, W]` or `[D, H, W, C]`, and no image', lambda f: {"volume": VOLUME}, ("volume",)),
    moved(
        '`{"volume", "mask3d"}`',
        lambda f: {"volume": VOLUME, "mask3d": ORGANS, "label": 3},
        ("volume",),
        ("mask3d",),
        same=(("label",),),
    ),
    moved(
        '`{"volumes", "masks3d"}`: `[N, D, H, W]`',
        lambda f: {"volumes": np.stack([VOLUME, VOLUME[::-1]]), "masks3d": np.stack([ORGANS, ORGANS[::-1]])},
        ("volumes",),
        ("masks3d",),
    ),
    moved('`{"image", "mask3d"}`', lambda f: {"image": PICTURE, "mask3d": ORGANS}, ("image",), ("mask3d",)),
    moved(
        'names in `additional_targets={"ct": "volume", "organs": "mask3d"}`',
        lambda f: {"ct": VOLUME, "organs": ORGANS},
        ("ct",),
        ("organs",),
        compose={"additional_targets": {"ct": "volume", "organs": "mask3d"}},
    ),
    moved(
        'a volume in a tuple that `targets={"volume": 0, "mask3d": 1}` names',
        lambda f: (VOLUME, ORGANS, 3),
        (0,),
        (1,),
        same=((2,),),
        targets={"volume": 0, "mask3d": 1},
    ),
    moved(
        'MONAI `{"image", "label"}`: a map',
        lambda f: {"image": TENSOR.float(), "label": LABEL_TENSOR[None].float()},
        ("image",),
        ("label",),
    ),
    moved(
        'Hugging Face `{"pixel_values", "labels"}`: a map',
        lambda f: {"pixel_values": TENSOR, "labels": LABEL_TENSOR},
        ("pixel_values",),
        ("labels",),
    ),
    moved(
        'a name in `additional_targets={"mask2": "mask"}`',
        lambda f: {"image": PICTURE, "mask2": LABELS},
        ("image",),
        ("mask2",),
        compose={"additional_targets": {"mask2": "mask"}},
    ),
    moved(
        'a name in `additional_targets={"image2": "image"}`',
        lambda f: {"image": PICTURE, "image2": OTHER},
        ("image",),
        ("image2",),
        compose={"additional_targets": {"image2": "image"}},
    ),
    moved(
        'torchvision\'s detection `(image, {"boxes", "labels", "masks", "area", ..})`',
        lambda f: (
            TENSOR,
            {
                "boxes": torch.tensor(BOXES),
                "labels": torch.tensor([1, 2]),
                "area": torch.tensor([20.0, 320.0]),
                "masks": torch.stack([LABEL_TENSOR, LABEL_TENSOR + 1]),
                "image_id": 7,
            },
        ),
        (0,),
        (1, "masks"),
        values={(1, "boxes"): FLIPPED_BOXES, (1, "labels"): [1, 2], (1, "area"): [20, 320]},
        compose={"bbox_params": PASCAL_ONLY},
    ),
    moved(
        '`{"image", "bboxes", "labels"}` with `bbox_params`',
        lambda f: {"image": PICTURE, "bboxes": BOXES, "labels": [1, 2]},
        ("image",),
        values={("bboxes",): FLIPPED_BOXES, ("labels",): [1, 2]},
        compose={"bbox_params": PASCAL},
    ),
    moved(
        "`(image, boxes, labels)` with `bbox_params` and one label field",
        lambda f: (PICTURE, BOXES, [1, 2]),
        (0,),
        values={(1,): FLIPPED_BOXES, (2,): [1, 2]},
        compose={"bbox_params": PASCAL},
    ),
    moved(
        "`(image, boxes, label)` with `bbox_params`",
        lambda f: (PICTURE, BOXES, 5),
        (0,),
        same=((2,),),
        values={(1,): FLIPPED_BOXES},
        compose={"bbox_params": PASCAL_ONLY},
    ),
    moved(
        "`(image, keypoints)` with `keypoint_params`",
        lambda f: (PICTURE, POINTS),
        (0,),
        values={(1,): FLIPPED_POINTS},
        compose={"keypoint_params": XY},
    ),
    moved(
        'COCO `(image, [{"bbox", "category_id", ..}, ..])` with `bbox_params`',
        lambda f: (PICTURE, coco()),
        (0,),
        values={(1, 0, "bbox"): FLIPPED_COCO[0], (1, 1, "bbox"): FLIPPED_COCO[1], (1, 1, "category_id"): 1},
        compose={"bbox_params": A.BboxParams("coco")},
    ),
    moved("`tv_tensors`: `Image`, `Mask`", lambda f: (tv_tensors.Image(TENSOR), tv_tensors.Mask(LABEL_TENSOR)), (0,), (1,)),
    moved(
        "`tv_tensors.BoundingBoxes` in its own format, with `bbox_params`",
        lambda f: {"image": tv_tensors.Image(TENSOR), "b": tv_boxes([[4.0, 5.5, 4, 5], [20, 12, 20, 16]], "CXCYWH")},
        ("image",),
        values={("b",): [[36, 5.5, 4, 5], [20, 12, 20, 16]]},
        compose={"bbox_params": A.BboxParams("yolo")},
    ),
    moved(
        'Hugging Face `{"image", "objects": {"bbox", "category", "id", ..}}` with `bbox_params`',
        lambda f: {"image": PICTURE, "objects": {"bbox": [[2, 3, 4, 5], [10, 4, 20, 16]], "category": [1, 2], "id": [7, 8]}},
        ("image",),
        values={("objects", "bbox"): FLIPPED_COCO, ("objects", "category"): [1, 2], ("objects", "id"): [7, 8]},
        compose={"bbox_params": A.BboxParams("coco")},
    ),
    moved(
        "`(image, keypoints, visibility)` with one label field",
        lambda f: (PICTURE, POINTS, [1, 0]),
        (0,),
        values={(1,): FLIPPED_POINTS, (2,): [1, 0]},
        compose={"keypoint_params": A.KeypointParams("xy", label_fields=["v"])},
    ),
    moved("`targets=` names it", lambda f: {"image": PICTURE, "gt": LABELS}, ("image",), ("gt",), targets={"mask": "gt"}),
    moved(
        '`targets={"untouched": [..]}` names it',
        lambda f: {"image": PICTURE, "gt": LABELS},
        ("image",),
        same=(("gt",),),
        targets={"untouched": ["gt"]},
    ),
]

REFUSED = [
    *(
        error(f'`{{"image", "{name}"}}`: a map', lambda f, name=name: {"image": PICTURE, name: DEPTH}, repr(name))
        for name in ("target", "gt", "heatmap", "depth", "weight")
    ),
    error("a name that `additional_targets` lacks", lambda f: {"image": PICTURE, "mask2": LABELS}, "'mask2'"),
    error("`(image 572x572, mask 388x388)`", lambda f: (np.zeros((572, 572, 3), np.uint8), np.zeros((388, 388), np.uint8)), "1"),
    error("the same, tensors", lambda f: (torch.zeros(3, 572, 572), torch.zeros(388, 388).long()), "1"),
    error("`(image, mask, weight map)`", lambda f: (PICTURE, LABELS, DEPTH), "1"),
    error("a one-hot array `[7, H, W]` beside an image `[H, W, 3]`", lambda f: (PICTURE, ONE_HOT.numpy()), "1"),
    error("`(image, image)`: a mask of three values, or another image?", lambda f: (PICTURE, OTHER), "1"),
    error("`(image A, image B, mask)`", lambda f: (PICTURE, OTHER, LABELS), "1"),
    error("`(image, flow [2, H, W])`", lambda f: (TENSOR, torch.randn(2, H, W)), "1"),
    error("two `tv_tensors.Image`", lambda f: (tv_tensors.Image(TENSOR), tv_tensors.Image(TENSOR)), "1"),
    error(
        "`tv_tensors.BoundingBoxes` without `bbox_params`",
        lambda f: (tv_tensors.Image(TENSOR), tv_boxes([[1, 2, 3, 4]], "XYXY")),
        "1",
    ),
    error('`{"image", "bboxes"}` without `bbox_params`', lambda f: {"image": PICTURE, "bboxes": BOXES}, "'bboxes'"),
    error('`{"image", "keypoints"}` without `keypoint_params`', lambda f: {"image": PICTURE, "keypoints": POINTS}, "'keypoints'"),
    error(
        '`{"image", "landmarks"}` without `keypoint_params`', lambda f: {"image": PICTURE, "landmarks": POINTS * 3}, "'landmarks'"
    ),
    error("COCO's annotations without `bbox_params`", lambda f: (PICTURE, coco()), "1"),
    error(
        "COCO's annotations with `segmentation`",
        lambda f: (PICTURE, coco(segmentation=[[[1, 2, 3, 4, 5, 6]], []])),
        "'segmentation'",
        compose={"bbox_params": A.BboxParams("coco")},
    ),
    error("two sets of boxes", lambda f: (PICTURE, BOXES, BOXES), "1", compose={"bbox_params": PASCAL_ONLY}),
    error(
        "`(image, boxes, labels)` without label fields",
        lambda f: (PICTURE, BOXES, [1, 2]),
        "2",
        compose={"bbox_params": PASCAL_ONLY},
    ),
    error(
        'VOC\'s `(image, {"annotation": {"object": [{"bndbox": {"xmin", ..}}]}})`',
        lambda f: (PICTURE, {"annotation": {"object": [{"bndbox": dict.fromkeys("xmin ymin xmax ymax".split(), "9")}]}}),
        "(1, 'annotation', 'object', 0, 'bndbox')",
    ),
    error('`{"image", "x1", "y1", "x2", "y2"}`', lambda f: {"image": PICTURE, "x1": 1, "y1": 2, "x2": 3, "y2": 4}, "()"),
    error('`("picture.png", "photo.jpg")`: two photographs', lambda f: (str(f / "picture.png"), str(f / "photo.jpg")), "1"),
    error("a PIL image beside a named one", lambda f: {"image": PICTURE, "other": Image.fromarray(OTHER)}, "'other'"),
    error("encoded bytes beside a named image", lambda f: {"image": PICTURE, "raw": (f / "mask.png").read_bytes()}, "'raw'"),
    error('`{"volume", "gt"}`: a map', lambda f: {"volume": VOLUME, "gt": ORGANS}, "'gt'"),
    error('`{"volume", "mask"}` of three axes', lambda f: {"volume": VOLUME, "mask": ORGANS}, "'mask'"),
    error("frames in a list", lambda f: {"image": PICTURE, "frames": [OTHER, OTHER]}, "('frames', 0)"),
    error("two gray images of fractions: `(DEPTH, DEPTH)`", lambda f: (DEPTH, DEPTH), "1"),
    error("`(image, boxes)` without `bbox_params`", lambda f: (PICTURE, BOXES), "1"),
    error("`(image, [[class, x, y, w, h], ..])` without `bbox_params`", lambda f: (PICTURE, torch.full((2, 5), 0.5)), "1"),
    error('`{"image", "target"}`: rows of boxes', lambda f: {"image": PICTURE, "target": BOXES}, "'target'"),
    error(
        '`{"image", "labels": [[class, x, y, w, h], ..]}` with `bbox_params`',
        lambda f: {"image": PICTURE, "labels": np.full((2, 5), 0.5)},
        "'labels'",
        compose={"bbox_params": A.BboxParams("yolo")},
    ),
    error("`(image, landmarks [68, 2])` without `keypoint_params`", lambda f: (PICTURE, np.full((68, 2), 7.5)), "1"),
    error(
        'torchvision\'s `(image, {"boxes", "labels", "keypoints": [N, 17, 3]})`',
        lambda f: (TENSOR, {"boxes": torch.tensor(BOXES), "labels": torch.tensor([1, 2]), "keypoints": torch.ones(2, 17, 3)}),
        "(1, 'keypoints')",
        compose={"bbox_params": PASCAL_ONLY, "keypoint_params": XY},
    ),
    error(
        "COCO's flat `keypoints`",
        lambda f: {"image": PICTURE, "keypoints": [7.5] * 51},
        "'keypoints'",
        compose={"keypoint_params": XY},
    ),
    error(
        "points under other names: `joints_2d`, `pts`, `gtPoints`, `lanes`",
        lambda f: {"image": PICTURE, "joints_2d": np.full((21, 2), 7.5)},
        "'joints_2d'",
    ),
    error("polygons in lists", lambda f: {"image": PICTURE, "polygons": [[[1, 2], [3, 4], [5, 6]]]}, "('polygons', 0)"),
    error("quadrangles `[N, 4, 2]`", lambda f: (PICTURE, np.full((3, 4, 2), 7.5)), "1"),
    error(
        '`(image, boxes, ["cat", "dog"])` without label fields',
        lambda f: (PICTURE, BOXES, ["cat", "dog"]),
        "2",
        compose={"bbox_params": PASCAL_ONLY},
    ),
    error(
        "`(image, keypoints, visibility)` without label fields",
        lambda f: (PICTURE, POINTS, [1, 0]),
        "2",
        compose={"keypoint_params": XY},
    ),
    error(
        '`{"image", "keypoints", "visibility"}` without label fields',
        lambda f: {"image": PICTURE, "keypoints": POINTS, "visibility": [1, 0]},
        "'visibility'",
        compose={"keypoint_params": XY},
    ),
    error(
        'VOC\'s `(image, {"annotation": {"filename", "segmentation": [[x, y, ..]]}})`',
        lambda f: (Image.fromarray(PICTURE), {"annotation": {"filename": "car.jpg", "segmentation": [[1, 2, 3, 4, 5, 6]]}}),
        "(1, 'annotation', 'segmentation')",
    ),
    error("a map of a quarter of the size", lambda f: {"image": PICTURE, "grid": np.zeros((6, 10, 5), np.float32)}, "'grid'"),
]

ORDINARY = [
    moved(title, make, where)
    for title, make, where in (
        ("a number", lambda f: (PICTURE, 3), (0,)),
        ("a float", lambda f: (PICTURE, 0.5), (0,)),
        ("a string", lambda f: (PICTURE, "cat"), (0,)),
        ("a NumPy scalar", lambda f: (PICTURE, np.int64(3)), (0,)),
        ("a 0-d tensor", lambda f: (PICTURE, torch.tensor(3)), (0,)),
        ("a one-hot vector", lambda f: (PICTURE, np.eye(10, dtype=np.float32)[3]), (0,)),
        ("a vector of 24 numbers", lambda f: (PICTURE, torch.zeros(24)), (0,)),
        ("an embedding", lambda f: (PICTURE, torch.zeros(768)), (0,)),
        ("an embedding with an axis of one", lambda f: (PICTURE, torch.zeros(1, 768)), (0,)),
        (
            "token ids",
            lambda f: {"pixel_values": TENSOR, "input_ids": torch.arange(77), "attention_mask": torch.ones(77)},
            ("pixel_values",),
        ),
        ("five captions of tokens", lambda f: {"image": PICTURE, "tokens": torch.zeros(5, 77).long()}, ("image",)),
        ("camera intrinsics", lambda f: {"image": PICTURE, "K": np.eye(3, dtype=np.float32)}, ("image",)),
        ("a projection", lambda f: {"image": PICTURE, "P": np.eye(4, dtype=np.float32)[:3]}, ("image",)),
        ("a pose", lambda f: {"image": PICTURE, "pose": np.eye(4, dtype=np.float32)}, ("image",)),
        ("poses of six cameras", lambda f: {"image": PICTURE, "poses": np.zeros((6, 4, 4), np.float32)}, ("image",)),
        ("a square image and intrinsics", lambda f: (np.zeros((64, 64, 3), np.uint8), np.eye(3, dtype=np.float32)), (0,)),
        ("a 6x6 covariance", lambda f: {"image": np.zeros((64, 64, 3), np.uint8), "cov": np.eye(6)}, ("image",)),
        ("a file's name", lambda f: {"image": PICTURE, "filename": "car.jpg", "label": 1}, ("image",)),
        ("a path", lambda f: {"image": PICTURE, "path": "train/car.jpg", "label": 1}, ("image",)),
        ("(image, label, path)", lambda f: (PICTURE, 1, "train/car.jpg"), (0,)),
        ("(path, label, name)", lambda f: (str(f / "picture.png"), 1, "picture.png"), (0,)),
        ("metadata", lambda f: {"image": PICTURE, "meta": {"id": "a7.jpg", "size": (24, 40), "date": "2026-11-28"}}, ("image",)),
        ("several labels", lambda f: {"image": PICTURE, "labels": {"color": 1, "kind": 2}}, ("image",)),
        ("a label vector", lambda f: {"image": PICTURE, "labels": torch.zeros(14)}, ("image",)),
        ("original size", lambda f: {"image": PICTURE, "orig_size": torch.tensor([24, 40])}, ("image",)),
        ("a list of words", lambda f: {"image": PICTURE, "words": ["a", "red", "car"]}, ("image",)),
        ("a time series of 3 channels", lambda f: {"image": PICTURE, "imu": np.zeros((3, 200), np.float32)}, ("image",)),
        ("bytes that are no image", lambda f: {"image": PICTURE, "blob": b"\x00\x01\x02"}, ("image",)),
        ("nothing", lambda f: {"image": PICTURE, "label": 1, "extra": []}, ("image",)),
        ("a dict in a tuple", lambda f: (PICTURE, {"label": 1, "weight": 0.5}), (0,)),
        ("a date and a flag", lambda f: (PICTURE, True, "2026-11-28"), (0,)),
        ("intrinsics beside boxes", lambda f: {"image": PICTURE, "K": np.eye(3), "P": np.eye(4)[:3], "id": 3}, ("image",)),
        (
            "VOC's annotation without objects",
            lambda f: (Image.fromarray(PICTURE), {"annotation": {"filename": "car.jpg", "object": [], "size": {}}}),
            (0,),
        ),
        ("one-hot rows", lambda f: (PICTURE, np.eye(5, dtype=np.float32)[[1, 3]]), (0,)),
        ("a number of points", lambda f: {"image": PICTURE, "num_points": 3, "point_labels": [1, 2, 0, 1]}, ("image",)),
        ("words under `line`", lambda f: {"image": PICTURE, "line": ["a", "b", "c"], "text": "abc"}, ("image",)),
        ("ragged token ids", lambda f: (PICTURE, [[101, 7, 102, 5, 4], [101, 5, 102]]), (0,)),
        ("logits of 10 classes at 5 scales", lambda f: {"image": PICTURE, "soft": np.zeros((5, 10), np.float32)}, ("image",)),
    )
]


def table():
    """The kinds as docs/loading.md shows them."""
    lines = ["| sample | what happens |", "|---|---|"]
    for kind in RECOGNIZED:
        entries = [_shown(path) for path in (*kind.moved, *kind.values)]
        kept = "".join(f"; {_shown(path)} comes as it is" for path in kind.same)
        some = f"{', '.join(entries[:-1])} and {entries[-1]} move" if len(entries) > 1 else f"{entries[0]} moves"
        lines.append(f"| {kind.title} | {some}{kept} |")
    lines += [f"| {kind.title} | an error that names `{kind.error}` |" for kind in REFUSED]
    lines.append(f"| beside an image: {', '.join(kind.title for kind in ORDINARY)} | comes as torch collates it |")
    return "\n".join(lines)


def _shown(path):
    return "the sample" if not path else f"`{path[0]!r}`" if len(path) == 1 else f"`{path!r}`"


if __name__ == "__main__":
    print(table())
