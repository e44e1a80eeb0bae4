"""One picture, one value: `dataset[i]`, the loader and the decoders agree on every format, and what they cannot agree on is an
error."""

import io
import itertools
import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest
import torch
from conftest import jpeg
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset, Subset

from gpuaug import Compose, DataLoader, HorizontalFlip
from gpuaug.data import BadSampleError, ImageFolder, SegmentationFolder, decode
from gpuaug.data.headers import read_header

RGB = Image.open(io.BytesIO(jpeg(3, (45, 31), quality=95))).convert("RGB")
GRAY = RGB.convert("L")
TURNED = Image.Exif()
TURNED[0x0112] = 6  # to be shown turned by 90 degrees clockwise
RANDOM_16 = np.random.default_rng(0).integers(0, 65536, (31, 45, 3), dtype=np.uint16)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_16(pixels):
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pnm(pixels, largest):
    kind = b"P6" if pixels.ndim == 3 else b"P5"
    return kind + b"\n%d %d\n%d\n" % (*pixels.shape[1::-1], largest) + pixels.astype(">u2" if largest > 255 else "u1").tobytes()


def saved(image, form, **how):
    file = io.BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def with_alpha(image, mode):
    image = image.convert(mode)
    image.putalpha(GRAY)
    return image


FILES = {
    "jpeg": saved(RGB, "JPEG"),
    "jpeg-progressive": saved(RGB, "JPEG", progressive=True),
    "jpeg-422": saved(RGB, "JPEG", subsampling=1),
    "jpeg-gray": saved(GRAY, "JPEG"),
    "jpeg-cmyk": saved(RGB.convert("CMYK"), "JPEG"),
    "jpeg-turned": saved(RGB, "JPEG", exif=TURNED),
    "png": saved(RGB, "PNG"),
    "png-gray": saved(GRAY, "PNG"),
    "png-alpha": saved(with_alpha(RGB, "RGBA"), "PNG"),
    "png-gray-alpha": saved(with_alpha(RGB, "LA"), "PNG"),
    "png-palette": saved(RGB.quantize(40), "PNG"),
    "png-palette-4-bits": saved(RGB.quantize(9), "PNG"),
    "png-palette-transparent": saved(RGB.quantize(9), "PNG", transparency=b"\0\x80"),
    "png-1-bit": saved(RGB.convert("1"), "PNG"),
    "png-16-gray": saved(Image.fromarray(RANDOM_16[..., 0]), "PNG"),
    "png-16-rgb": png_16(RANDOM_16),
    "png-turned": saved(RGB, "PNG", exif=TURNED),
    "webp": saved(RGB, "WEBP"),
    "webp-lossless": saved(RGB, "WEBP", lossless=True),
    "webp-alpha": saved(with_alpha(RGB, "RGBA"), "WEBP"),
    "webp-turned": saved(RGB, "WEBP", exif=TURNED),
    "bmp": saved(RGB, "BMP"),
    "bmp-palette": saved(RGB.quantize(9), "BMP"),
    "bmp-1-bit": saved(RGB.convert("1"), "BMP"),
    "gif": saved(RGB.quantize(40), "GIF"),
    "gif-animated": saved(RGB.quantize(40), "GIF", save_all=True, append_images=[RGB.rotate(90).quantize(40)]),
    "tiff": saved(RGB, "TIFF"),
    "tiff-lzw": saved(RGB, "TIFF", compression="tiff_lzw"),
    "tiff-jpeg": saved(RGB, "TIFF", compression="jpeg"),
    "tiff-palette": saved(RGB.quantize(40), "TIFF"),
    "tiff-1-bit": saved(RGB.convert("1"), "TIFF"),
    "tiff-cmyk": saved(RGB.convert("CMYK"), "TIFF"),
    "tiff-ycbcr": saved(RGB.convert("YCbCr"), "TIFF"),
    "tiff-16": saved(Image.fromarray(RANDOM_16[..., 0]), "TIFF"),
    "tiff-turned": saved(RGB, "TIFF", exif=TURNED),
    "tiff-pages": saved(RGB, "TIFF", save_all=True, append_images=[RGB.rotate(90)]),
    "jpeg2000": saved(RGB, "JPEG2000"),
    "ppm": saved(RGB, "PPM"),
    "pgm": saved(GRAY, "PPM"),
    "pbm": saved(RGB.convert("1"), "PPM"),
    "pgm-of-100": pnm(np.asarray(GRAY) // 3, 100),
    "ppm-of-100": pnm(np.asarray(RGB) // 3, 100),
    "pgm-of-1000": pnm(RANDOM_16[..., 0] % 1001, 1000),
    "pgm-16": pnm(RANDOM_16[..., 0], 65535),
    "avif": saved(RGB, "AVIF", speed=10),
}


@pytest.fixture
def single(tmp_path):
    def single(data):
        (tmp_path / "class").mkdir(exist_ok=True)
        (tmp_path / "class" / "a.png").write_bytes(data)
        return ImageFolder(tmp_path)

    return single


@pytest.mark.parametrize("kind", FILES)
def test_the_loader_delivers_what_the_dataset_has(single, kind):
    data = single(FILES[kind])
    delivered = next(iter(DataLoader(data, device="cpu")))[0][0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(delivered, data[0][0])
    assert data[0][0].shape == ((45, 31, 3) if kind.endswith("turned") else (31, 45, 3))


@pytest.mark.parametrize("kind", FILES)
def test_without_dali_the_pixels_are_the_same(single, kind):
    data = single(FILES[kind])
    decoder = decode.PillowDecoder(["image"], 1, 1)
    decoder.feed({"image": [decode.load_image(FILES[kind], None)]})
    np.testing.assert_array_equal(decoder.take()["image"][0], data[0][0])


@pytest.mark.parametrize("kind", ["jpeg-turned", "png-turned", "webp-turned", "tiff-turned"])
def test_orientation(single, kind):
    upright = kind.replace("-turned", "")
    np.testing.assert_array_equal(single(FILES[kind])[0][0], np.rot90(single(FILES[upright])[0][0], -1))


@pytest.mark.parametrize(
    ("kind", "pixels", "largest"),
    [
        ("png-16-gray", RANDOM_16[..., 0], 65535),
        ("tiff-16", RANDOM_16[..., 0], 65535),
        ("pgm-16", RANDOM_16[..., 0], 65535),
        ("pgm-of-100", np.asarray(GRAY) // 3, 100),
        ("pgm-of-1000", RANDOM_16[..., 0] % 1001, 1000),
    ],
)
def test_other_ranges_are_scaled_to_8_bits(single, kind, pixels, largest):
    got = single(FILES[kind])[0][0][..., 0].astype(int)
    exact = np.array([[float(Fraction(int(v) * 255, largest)) for v in row] for row in pixels])
    # rounded once to 8 bits; Pillow takes a PGM that ends at 1000 to 16 bits first: half a level and 1/514 of one
    assert np.abs(got - exact).max() <= 0.5 + 1 / 514 + 1e-6


@pytest.mark.parametrize(
    ("image", "what"),
    [
        (Image.fromarray(np.asarray(GRAY).astype(np.float32) / 255), "floating-point numbers"),
        (GRAY.convert("I"), "numbers of 32 bits"),
    ],
)
def test_an_image_of_unknown_range_is_an_error_on_all_roads(single, image, what):
    data = single(saved(image, "TIFF"))
    with pytest.raises(ValueError, match=rf"sample 0: .*a.png cannot be decoded: it holds {what}.*8 or 16 bits.*float32 arrays"):
        data[0]
    with pytest.raises(BadSampleError, match=rf"a.png\): it holds {what}.*: save it with 8 or 16 bits, or return float32 arrays"):
        next(iter(DataLoader(data, device="cpu")))


# ---- masks ------------------------------------------------------------------------------------------------------------------

LABELS = np.random.default_rng(1).integers(0, 7, (31, 45), dtype=np.uint8)
MASKS = {
    "gray": (saved(Image.fromarray(LABELS), "PNG"), LABELS),
    "palette": (saved(RGB.quantize(9), "PNG"), np.asarray(RGB.quantize(9))),
    "1-bit": (saved(Image.fromarray(LABELS > 3), "PNG"), (LABELS > 3).astype(np.uint8)),
    "1-bit-tiff": (saved(Image.fromarray(LABELS > 3), "TIFF"), (LABELS > 3).astype(np.uint8)),
    "16-bit": (saved(Image.fromarray(RANDOM_16[..., 0]), "PNG"), RANDOM_16[..., 0].astype(np.int32)),
    "16-bit-tiff": (saved(Image.fromarray(RANDOM_16[..., 0]), "TIFF"), RANDOM_16[..., 0].astype(np.int32)),
    "32-bit-tiff": (
        saved(Image.fromarray(RANDOM_16[..., 0].astype(np.int32) * 30000 + 1), "TIFF"),
        RANDOM_16[..., 0].astype(np.int32) * 30000 + 1,
    ),
    "float-tiff": (saved(Image.fromarray(LABELS / np.float32(2)), "TIFF"), LABELS / np.float32(2)),
}


@pytest.fixture
def folder(tmp_path):
    made = itertools.count()

    def folder(*masks):
        root = tmp_path / str(next(made))
        for k, mask in enumerate(masks):
            for name, data in (("images", FILES["png"]), ("masks", mask)):
                (root / name).mkdir(parents=True, exist_ok=True)
                (root / name / f"{k}.png").write_bytes(data)
        return SegmentationFolder(root / "images", root / "masks")

    return folder


@pytest.mark.parametrize("transform", [None, Compose([HorizontalFlip(p=1)])])
@pytest.mark.parametrize("kind", MASKS)
def test_masks_keep_their_values_on_all_roads(folder, kind, transform):
    encoded, values = MASKS[kind]
    data = folder(encoded)
    assert data[0]["mask"].dtype == values.dtype == data.mask_type
    np.testing.assert_array_equal(data[0]["mask"], values)
    assert set(np.unique(data[0]["mask"].view(np.uint8))) <= {0, 1} or not kind.startswith("1-bit")
    batch = next(iter(DataLoader(data, transform=transform, device="cpu")))
    delivered = batch["mask"][0].numpy() if transform is None else batch["mask"][0].numpy()[:, ::-1]
    np.testing.assert_array_equal(delivered, values)
    assert delivered.dtype == values.dtype


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["gray", "palette", "1-bit"], np.uint8),
        (["gray", "16-bit"], np.int32),
        (["16-bit", "gray", "32-bit-tiff"], np.int32),
        (["float-tiff", "gray"], np.float32),
        (["16-bit", "float-tiff"], np.float32),
    ],
)
def test_the_masks_of_a_folder_have_one_type(folder, kinds, expected):
    data = folder(*(MASKS[kind][0] for kind in kinds))
    assert data.mask_type == expected
    for whole in (data, Subset(data, range(len(kinds))), ConcatDataset([data, folder(MASKS["gray"][0])])):
        for batch in DataLoader(whole, 1, targets={"image": "image", "mask": "mask"}, device="cpu"):
            assert batch["mask"].numpy().dtype == expected
    for k, kind in enumerate(kinds):
        assert data[k]["mask"].dtype == expected
        np.testing.assert_array_equal(data[k]["mask"], MASKS[kind][1])
    both = next(iter(DataLoader(data, len(kinds), device="cpu")))["mask"]
    np.testing.assert_array_equal(both.numpy(), np.stack([MASKS[kind][1] for kind in kinds]))


def test_masks_that_no_type_holds_are_an_error_that_names_them(folder):
    with pytest.raises(ValueError, match=r"the mask .*1.png has 3 channels; a mask has one"):
        folder(MASKS["gray"][0], FILES["png"], MASKS["gray"][0])
    with pytest.raises(ValueError, match=r"the mask .*1.png has 3 channels"):
        folder(MASKS["gray"][0], FILES["jpeg"])
    with pytest.raises(ValueError, match=r"the mask .*1.png has 2 channels"):
        folder(MASKS["gray"][0], FILES["png-gray-alpha"])
    with pytest.raises(ValueError, match=r"the mask .*0.png holds whole numbers of 32 bits and .*1.png floating-point"):
        folder(MASKS["32-bit-tiff"][0], MASKS["float-tiff"][0])


def test_a_mask_that_has_grown_since_is_a_bad_sample(folder):
    data = folder(MASKS["gray"][0], MASKS["gray"][0])
    with open(data.pairs[1][1], "wb") as file:
        file.write(MASKS["16-bit"][0])
    with pytest.raises(BadSampleError, match=r"sample 1 .*1.png\): the mask holds int32 .* type was uint8"):
        list(DataLoader(data, device="cpu"))


def test_a_damaged_mask_is_a_bad_sample_and_does_not_decide(folder):
    data = folder(MASKS["gray"][0], b"nothing", MASKS["16-bit"][0][:40])
    assert data.mask_type == np.int32
    loader = DataLoader(data, on_error="skip", device="cpu")
    assert len(list(loader)) == 1
    assert [bad.index for bad in loader.errors] == [1, 2]


# ---- damage ---------------------------------------------------------------------------------------------------------------

PNG = FILES["png"]


def at(kind):
    return PNG.index(kind)


DAMAGED = {
    "whole": (PNG, True),
    "cut in the pixels": (PNG[: at(b"IDAT") + 40], False),
    "cut before the end": (PNG[:-12], False),
    "cut in the last chunk": (PNG[:-1], False),
    "cut in the header": (PNG[:30], False),
    "no pixels": (PNG[: at(b"IDAT") - 4] + chunk(b"IEND", b""), False),
    "a wrong checksum of the header": (PNG[:29] + b"\0" + PNG[30:], False),
    "a length beyond the file": (PNG[: at(b"IDAT") - 4] + b"\x7f\xff\xff\xff" + PNG[at(b"IDAT") :], False),
    "two headers": (PNG[:33] + PNG[8:], False),
    "something behind": (PNG + b"more", True),
    "a chunk of its own": (PNG[:33] + chunk(b"prVt", b"x" * 9) + PNG[33:], True),
    "EXIF entries outside": (PNG[:33] + chunk(b"eXIf", b"II*\0\x08\0\0\0\xef\xef" + bytes(30)) + PNG[33:], False),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_only_a_whole_png_is_given_to_dali(kind):
    data, whole = DAMAGED[kind]
    assert read_header(data).plain is whole


def test_a_jpeg_is_walked_to_its_scan():
    data = FILES["jpeg-turned"]
    assert read_header(data).plain
    scan = data.index(b"\xff\xda")
    for end in range(data.index(b"\xff\xc0") + 9, scan + 14):
        assert not read_header(data[:end]).plain, end
    assert read_header(data[: scan + 14]).plain
    exif = data.index(b"Exif")
    entries = exif + 6 + 8
    assert not read_header(data[:entries] + b"\xef\xef" + data[entries + 2 :]).plain
    for offset in (0, 4):  # the order of bytes; where the entries begin
        broken = data[: exif + 6 + offset] + b"\xff\xff\xff\xff" + data[exif + 10 + offset :]
        assert not read_header(broken).plain


def test_the_chunks_of_a_webp_fill_it():
    data = FILES["webp-turned"]
    assert read_header(data).plain
    size = int.from_bytes(data[4:8], "little")
    for wrong in (size - 34, size - 2, size - 1, size + 1, size + 2, 0, 2**32 - 9):
        assert not read_header(data[:4] + wrong.to_bytes(4, "little") + data[8:]).plain, wrong
    exif = data.index(b"EXIF") + 8
    entries = exif + 6 * (data[exif : exif + 4] == b"Exif") + 8
    assert not read_header(data[:entries] + b"\xef\xef" + data[entries + 2 :]).plain


@pytest.mark.parametrize(
    ("at", "value"),
    [(10, 10**6), (14, 12), (14, 124), (18, 10**6), (22, 10**6), (26, 2), (28, 16), (28, 32), (30, 1), (46, 10**6)],
)
def test_a_bmp_of_another_kind_or_without_all_its_pixels_is_left_to_pillow(at, value):
    data = FILES["bmp"]
    assert read_header(data).plain
    assert not read_header(data[:-1]).plain
    width = 2 if at in (26, 28) else 4
    assert not read_header(data[:at] + value.to_bytes(width, "little") + data[at + width :]).plain
    assert read_header(saved(RGB.transpose(Image.FLIP_TOP_BOTTOM), "BMP")).plain


class Files(Dataset):
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.files[index], index


@pytest.mark.parametrize("form", ["PNG", "BMP", "WEBP", "JPEG2000", "TIFF", "JPEG"])
def test_cut_files_in_a_batch_are_bad_samples(form):
    """In DALI 2.4 such a batch ends the process now and then: in 23 of 40 trials with two cut PNGs of 250x180 among 32."""
    good = saved(RGB.resize((250, 180)), form)
    files = [good] * 64
    cut = {5: 0.3, 17: 0.5, 30: 0.1, 40: 0.7}
    for k, fraction in cut.items():
        files[k] = good[: int(len(good) * fraction)]
    for _ in range(3):
        loader = DataLoader(Files(files), 32, num_workers=2, on_error="skip", device="cpu", targets={"image": 0})
        got = [k for _, which in loader for k in which.tolist()]
        assert got == [k for k in range(64) if k not in cut]
        assert {bad.index for bad in loader.errors} == set(cut)
        assert all(bad.reason for bad in loader.errors)


def test_what_only_misses_its_end_is_read():
    loader = DataLoader(Files([PNG, PNG[:-12]]), 2, device="cpu", targets={"image": 0})
    images, _ = next(iter(loader))
    assert torch.equal(images[0], images[1])


def test_what_the_parser_refuses_is_not_fed_and_fails_in_its_turn(monkeypatch):
    decoder = decode.Decoder(["image"], 4, 1)
    fed, feed = [], decoder._pipe.feed_input
    monkeypatch.setattr(decoder._pipe, "feed_input", lambda name, files: (fed.append(len(files)), feed(name, files)))
    good, bad = np.frombuffer(FILES["bmp"], np.uint8), np.frombuffer(FILES["bmp"][:20], np.uint8)
    for batch in ([good, good], [good, bad], [good]):
        decoder.feed({"image": batch})
    assert decoder.in_flight == 3
    assert fed == [2, 1]
    assert len(decoder.take()["image"]) == 2
    with pytest.raises(RuntimeError):
        decoder.take()
    assert decode.find_faults([good, bad, good]).keys() == {1}
