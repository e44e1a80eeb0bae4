"""The examples run, and learn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

import gpuaug as G

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_eeg_spectrograms(tmp_path, capsys):
    eeg = load("eeg_spectrograms")
    losses = eeg.main(["--folder", str(tmp_path), "--samples", "12", "--epochs", "2", "--batch-size", "6", "--device", "cpu"])
    assert losses[1] < losses[0]
    text = capsys.readouterr().out
    assert len([line for line in text.splitlines() if line[:2] in ("1.", "2.")]) == 1, "one launch"
    files = sorted(tmp_path.rglob("*.npy"))
    assert len(files) == 16
    assert np.load(files[0]).shape == (4, 100, 256)


def test_the_recordings_are_what_they_say():
    eeg = load("eeg_spectrograms")
    f = np.fft.rfftfreq(eeg.RATE * eeg.SECONDS, 1 / eeg.RATE)

    def power(x, low, high):
        return (np.abs(np.fft.rfft(x)) ** 2)[..., (f >= low) & (f < high)].mean(-1)

    channel = {name: i for i, name in enumerate(eeg.ELECTRODES)}
    rest, fit = (eeg.recording(np.random.default_rng(3), kind) for kind in ("background", "seizure"))
    assert rest.shape == (20, 10000)
    assert 5 < rest[:19].std() < 100, "microvolts"
    assert power(rest[channel["O1"]], 8, 12) > power(rest[channel["O1"]], 13, 20) * 2, "alpha at the back"
    assert power(rest[channel["Cz"]], 1, 2) > power(rest[channel["Cz"]], 16, 20) * 4, "1/f"
    assert power(fit[channel["C3"]], 2, 4.5) > 10 * power(rest[channel["C3"]], 2, 4.5)
    discharges = eeg.recording(np.random.default_rng(5), "periodic discharges")
    left, right = (np.abs(discharges[[channel[n] for n in names]]).max() for names in (("T3", "T5"), ("T4", "T6")))
    assert max(left, right) > 1.3 * min(left, right), "over one hemisphere"


def test_speech_specaugment():
    pytest.importorskip("torchaudio")
    losses = load("speech_specaugment").main(["--samples", "48", "--epochs", "2", "--device", "cpu"])
    assert losses[1] < losses[0]


@pytest.mark.parametrize("more", [[], ["--in-dataset"]])
def test_fashion(more):
    losses = load("fashion").main(["--samples", "96", "--epochs", "3", "--device", "cpu", *more])
    assert losses[2] < 0.95 * losses[0]


def test_fashion_from_a_table(tmp_path):
    fashion = load("fashion")
    table = tmp_path / "table.csv"
    losses = fashion.main(["--samples", "96", "--epochs", "3", "--device", "cpu", "--csv", str(table)])
    assert losses[2] < 0.95 * losses[0]
    data = fashion.ImageCsv(table, labels=["colour_labels", "shape_labels", "size_labels"])
    assert data.classes["colour_labels"] == ["blue", "green", "red"]
    drawn = fashion.Pictures(96)
    for i in (0, 17, 95):
        words = {name: data.classes[name][number] for name, number in data[i]["labels"].items()}
        colour, shape, size = drawn[i]["labels"].values()
        assert tuple(words.values()) == (fashion.COLOURS[colour], fashion.SHAPES[shape], fashion.SIZES[size])
        assert np.array_equal(data[i]["img"], np.asarray(drawn[i]["img"]))


def test_segmentation(tmp_path):
    segmentation = load("segmentation")
    losses = segmentation.main(["--folder", str(tmp_path), "--size", "92", "--epochs", "4", "--channels", "8", "--device", "cpu"])
    assert losses[3] < 0.98 * losses[0]
    assert segmentation.UNet(4, 1)(torch.zeros(1, 1, 572, 572)).shape == (1, 1, 388, 388)
    assert segmentation.UNet(2, 1)(torch.zeros(1, 1, 140, 140)).shape == (1, 1, 100, 100)


def test_segmentation_moves_masks_with_images(tmp_path):
    segmentation = load("segmentation")
    segmentation.write(tmp_path)
    for path in (tmp_path / "masks").iterdir():  # each image shows its mask
        shown = np.asarray(PIL.Image.open(path)) * 200
        PIL.Image.fromarray(shown).save(tmp_path / "images" / path.name)
    data = segmentation.SegmentationFolder(tmp_path / "images", tmp_path / "masks")
    moving = segmentation.augmentation(140)
    for tone in (t for t in moving.transforms if isinstance(t, G.RandomBrightnessContrast)):
        moving = moving - type(tone)
    for batch in G.DataLoader(data, 12, transform=moving, device="cpu", seed=3):
        images, masks = batch["image"][:, 0] * 0.25 + 0.5, batch["mask"]
        assert images.shape == masks.shape == (12, 140, 140)
        assert set(masks.unique().tolist()) == {0, 1}
        wrong = (images > 100 / 255) != (masks > 0)
        inside = segmentation.mask_contour(masks, 3) == 0  # interpolation only blurs what lies at a contour
        assert inside.float().mean() > 0.8
        assert wrong[inside].sum() < 20, "a few spots, which two interpolations make"
        assert wrong.float().mean() < 0.015, "0.009; a shift by a pixel makes 0.03"


def test_segmentation_weighs_contours():
    segmentation = load("segmentation")
    masks = torch.zeros(1, 16, 16, dtype=torch.uint8)
    masks[:, 4:12, 4:12] = 1
    right = (masks[:, None, 2:14, 2:14].float() - 0.5) * 8
    at_edge, inside = right.clone(), right.clone()
    at_edge[..., 2, 2:10] *= -1  # the first line of the square
    inside[..., 5, 2:10] *= -1
    edge, deep = (segmentation.weighted_loss(logits, masks).item() for logits in (at_edge, inside))
    assert edge > 1.5 * deep > 0


def test_detection():
    detection = load("detection")
    losses = detection.main(["--samples", "16", "--epochs", "6", "--batch-size", "4", "--device", "cpu"])
    assert losses[5] < 0.95 * losses[0]


def test_detection_boxes_lie_around_what_they_mark():
    detection = load("detection")
    moving, marked = detection.augmentation(colour=False), 0
    for images, targets in G.DataLoader(detection.Scenes(32), 8, transform=moving, device="cpu", seed=1):
        assert images.shape == (8, 3, detection.SIZE, detection.SIZE)
        for image, boxes, labels in zip(images, targets["boxes"], targets["labels"]):
            assert boxes.shape == (len(labels), 4)
            for kind, ink in enumerate(detection.INK, 1):
                off = (image - torch.tensor(ink).reshape(3, 1, 1) / 255).abs().amax(0)
                for x0, y0, x1, y1 in boxes[labels == kind].round().int().tolist():
                    marked += 1
                    part = off[y0:y1, x0:x1] < 0.1
                    assert part.float().mean() > 0.55, "a disc fills 0.78 of its box, less when it was turned"
                    for side in (part[:4], part[-4:], part[:, :4], part[:, -4:]):
                        assert side.any(), "the box is not larger than what it marks"
                    off[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1] = 1
                assert (off < 0.05).sum() < 40, "nothing of the colour lies outside of the boxes, but rests below min_visibility"
    assert marked > 30


def test_keypoints():
    keypoints = load("keypoints")
    losses = keypoints.main(["--samples", "48", "--epochs", "3", "--device", "cpu"])
    assert losses[2] < 0.5 * losses[0]


def test_keypoints_stay_on_what_they_mark():
    keypoints = load("keypoints")
    moving = keypoints.augmentation(colour=False)
    for batch in G.DataLoader(keypoints.Faces(32), 16, transform=moving, device="cpu", seed=1):
        points = torch.stack(batch["keypoints"])
        assert points.shape == (16, 5, 2)
        assert all(names == list(keypoints.NAMES) for names in batch["names"]), "row 0 is the left eye in every picture"
        assert (points[:, [0, 3], 0] < points[:, [1, 4], 0]).all(), "turned by 30 degrees at most"
        blue = batch["image"][:, 2] - batch["image"][:, 0]
        for image, mine, tint in zip(batch["image"], points, blue):
            for x, y in mine[:2].round().int().tolist():
                if 1 <= x < keypoints.SIZE - 1 and 1 <= y < keypoints.SIZE - 1:  # a pupil: dark, and bluer than red
                    assert image[:2, y, x].max() < -0.5
                    assert tint[y, x] > 0.1
    maps = keypoints.heat(torch.tensor([[[41.5, 21.5]] * 5]), 24)
    assert torch.equal(keypoints.found(maps), torch.tensor([[[41.5, 21.5]] * 5]))
    wanted = keypoints.heat(points, 24)
    inside = ((points >= -0.5) & (points < keypoints.SIZE - 0.5)).all(-1)
    assert ((keypoints.found(wanted) - points).abs()[inside] <= keypoints.STRIDE / 2 + 1e-4).all()


def test_blur_detector(tmp_path):
    blur = load("blur_detector")
    arguments = ["--pictures", "66", "--samples", "32", "--epochs", "3", "1", "--batch-size", "8", "--device", "cpu"]
    losses = blur.main(["--folder", str(tmp_path), *arguments])
    assert losses[2] < losses[0]
    data = blur.ImageFolder(tmp_path)
    assert (np.bincount(data.targets) == [6, 60]).all()
    options = type("Options", (), {"batch_size": 8, "samples": 64, "device": "cpu"})
    for loader, size in zip(blur.loaders(data, options), (256, 328)):
        batches = list(loader)
        assert {tuple(images.shape) for images, _ in batches} == {(8, 3, size, size)}
        assert 20 <= sum(int((labels == 0).sum()) for _, labels in batches) <= 44, "as many of either class"


def test_moths():
    moths = load("moths")
    losses = moths.main(["--samples", "128", "--epochs", "3", "--device", "cpu"])
    assert losses[2] < losses[0]


def test_moths_in_a_batch():
    moths = load("moths")
    data = moths.Moths(60)
    walls, (train, test) = moths.clusters(data), moths.stratified_split(data, 0.25)
    made = moths.samplers(data, walls, train, 8)
    for sampler in made.values():
        assert not set(np.concatenate([np.asarray(batch) for batch in sampler])) & set(test.tolist())
    assert all(len(set(batch)) == 1 for batch in made["repeat"])
    assert all(len(set(walls[batch])) == 1 for batch in made["group"])
    assert sorted(i for batch in made["group"] for i in batch) == train.tolist()
    assert all(batch[0] == batch[1] and walls[batch[2]] == walls[batch[3]] for batch in made["mixed"])
    loader = G.DataLoader(data, batch_sampler=made["repeat"], transform=moths.augmentation(), device="cpu", seed=0)
    images, labels = next(iter(loader))
    assert len(labels.unique()) == 1
    assert len({image.numpy().tobytes() for image in images}) == 8, "one moth, eight ways"


def test_video():
    losses = load("video").main(["--clips", "64", "--epochs", "4", "--device", "cpu"])
    assert losses[3] < losses[0]


def test_video_moves_a_clip_as_one():
    video = load("video")

    class Still(video.Clips):
        def __getitem__(self, i):
            clip, kind = super().__getitem__(i)
            return clip[:1].repeat(len(clip), 0), kind

    for data, still in ((Still(8), True), (video.Clips(8), False)):
        loader = G.DataLoader(data, 8, transform=video.augmentation(), targets={"images": 0}, device="cpu", seed=0)
        clips, labels = next(iter(loader))
        assert clips.shape == (8, video.FRAMES, 3, video.SIZE, video.SIZE)
        assert labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
        assert bool((clips == clips[:, :1]).all()) == still, "all frames of a still clip come out alike"
    turned, labels = video.backwards(clips, labels, share=1.1)
    assert torch.equal(turned, clips.flip(1))
    assert labels.tolist() == [1, 0, 3, 2, 1, 0, 3, 2]


def test_huggingface(tmp_path):
    pytest.importorskip("accelerate")
    pytest.importorskip("datasets")
    huggingface = load("huggingface")
    how = ["--samples", "48", "--batch-size", "16", "--cpu"]
    losses = huggingface.main([*how, "--epochs", "3"])
    assert losses[2] < losses[0]
    halves = huggingface.main([*how, "--epochs", "2", "--save", str(tmp_path / "state")])
    halves += huggingface.main([*how, "--epochs", "3", "--save", str(tmp_path / "state")])
    assert halves == pytest.approx(losses, rel=1e-3), "it goes on where it was saved"


def small_photographs(folder):
    from gpuaug.photographs import photo_folder

    return photo_folder(folder, count=48, size=(120, 160))


def test_timm_transforms_written(tmp_path):
    losses = load("timm_transforms").main(
        ["--folder", str(small_photographs(tmp_path)), "--size", "64", "--epochs", "3", "--batch-size", "16", "--device", "cpu"]
    )
    assert losses[2] < losses[0]


def test_timm_transforms_converted(tmp_path):
    data = pytest.importorskip("timm.data")
    program = load("timm_transforms")
    how = {"scale": (0.3, 1.0), "re_prob": 0.25, "re_mode": "pixel"}
    for kind, child in zip(program.converted(data.create_transform(64, is_training=True, **how)), program.written(64, **how)):
        assert type(kind) is type(child)
    assert program.converted(data.create_transform(64, is_training=True, interpolation="random"))
    # what is not left to chance is timm's, pixel by pixel
    theirs = data.create_transform(64, is_training=True, scale=(1, 1), ratio=(4 / 3, 4 / 3), hflip=1.0, color_jitter=None)
    image = PIL.Image.open(next(small_photographs(tmp_path).rglob("*.jpg"))).resize((160, 120))
    torch.testing.assert_close(program.converted(theirs)(image), theirs(image), rtol=0, atol=0.02)
    erased = program.converted(data.create_transform(64, is_training=True, re_prob=1.0, color_jitter=None))(image)
    assert 0.02 * 64**2 * 0.8 < (erased == 0).all(0).sum() < 64**2 * 0.36
    losses = program.main(
        ["--folder", str(small_photographs(tmp_path)), "--size", "64", "--epochs", "1", "--batch-size", "16", "--device", "cpu",
         "--converted", "--auto-augment", "rand-m9-mstd0.5-inc1"]
    )  # fmt: skip
    assert len(losses) == 1


def test_ultralytics_hook():
    losses = load("ultralytics_hook").main(["--samples", "48", "--epochs", "3"])
    assert losses[2] < 0.9 * losses[0]


def test_ultralytics_hook_gives_what_albumentations_gives():
    A = pytest.importorskip("albumentations")
    program = load("ultralytics_hook")
    steps = [("HorizontalFlip", {"p": 1}), ("Crop", {"x_min": 10, "y_min": 20, "x_max": 90, "y_max": 90, "p": 1})]
    data = program.Plates(16, program.Albumentations(transforms=[getattr(G, name)(**how) for name, how in steps]))
    boxes = A.BboxParams(format="yolo", label_fields=["class_labels"])
    theirs = A.Compose([getattr(A, name)(**how) for name, how in steps], bbox_params=boxes)
    for i in range(16):
        mine, labels = data.hook(data.labels(i)), data.labels(i)
        instances = labels["instances"]
        instances.convert_bbox("xywh")
        instances.normalize(program.SIZE, program.SIZE)
        new = theirs(image=labels["img"], bboxes=instances.bboxes, class_labels=labels["cls"])
        assert mine["cls"].shape == (1, 1)
        assert mine["cls"] == labels["cls"]
        if len(new["class_labels"]):
            assert np.array_equal(mine["img"], new["image"])
            assert mine["instances"].bboxes == pytest.approx(np.array(new["bboxes"]), abs=1e-5)
        else:  # a draw that leaves no box is not taken
            assert np.array_equal(mine["img"], labels["img"])
    bare = data.labels(0)
    bare["cls"], bare["instances"] = np.zeros((0, 1), np.float32), program.Instances(np.zeros((0, 4)))
    out = data.hook(bare)
    assert out["img"].shape == (70, 80, 3)
    assert out["cls"].shape == (0, 1)
    assert out["instances"].bboxes.shape == (0, 4)
