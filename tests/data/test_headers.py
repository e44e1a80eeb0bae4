import contextlib
import io

import numpy as np
import pytest
from conftest import jpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuaug.data.headers import check_pixels, read_header

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM"]


def encoded(form, size, mode="RGB", **how):
    file = io.BytesIO()
    Image.new(mode, size, 1).save(file, form, **how)
    return file.getvalue()


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300))
def test_sizes_are_pillows(form, width, height):
    header = read_header(encoded(form, (width, height)))
    assert (header.format, header.width, header.height) == (form, width, height)


@pytest.mark.parametrize(
    ("form", "how"),
    [
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0" + bytes(5000)}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"x"}),
    ],
)
def test_variants(form, how):
    header = read_header(encoded(form, (123, 45), **how))
    assert (header.width, header.height) == (123, 45)
    rgba = read_header(encoded("WEBP", (12, 45), "RGBA"))
    assert (rgba.width, rgba.height) == (12, 45)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_break_it(data):
    """Damaged headers give a Header or ValueError, and nothing else."""
    good = np.frombuffer(data.draw(st.sampled_from([encoded(f, (20, 10)) for f in FORMATS] + [jpeg(0)])), np.uint8)[:300].copy()
    for _ in range(data.draw(st.integers(0, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    good = good[: data.draw(st.integers(0, len(good)))]
    with contextlib.suppress(ValueError):
        check_pixels(read_header(good), 1000)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\xff\xd8\xff\xd9" + bytes(20), "without a frame"),
        (b"\x89PNG\r\n\x1a\n", "truncated in its header"),
        (b"  <!doctype html>", "HTML"),
        (b"PK\x03\x04....", "zip"),
        (b"%PDF-1.7", "PDF"),
        (b"II*\0" + bytes(9), "TIFF"),
        (b"hello", "starts with b'hello'"),
    ],
)
def test_what_is_wrong_is_said(data, what):
    with pytest.raises(ValueError, match=what):
        read_header(data)


def test_limits():
    header = read_header(jpeg(0))
    check_pixels(header, 1200)
    check_pixels(header, None)
    with pytest.raises(ValueError, match="40x30 = 1200 pixels, more than max_pixels=1199"):
        check_pixels(header, 1199)
    with pytest.raises(ValueError, match="claims 0x3"):
        check_pixels(type(header)("PNG", 0, 3), None)
