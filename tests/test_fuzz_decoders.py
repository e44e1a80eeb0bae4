"""Damaged files end neither the process nor the road: a fixed sample of what `python -m tests.fuzz_decoders` feeds."""

import pytest
from fuzz_decoders import DAMAGED, VARIANTS, damaged, fuzz

from gpuaug.data.decode import decoder_name

EACH = 200  # files of each format
EVERY = "+".join(VARIANTS)
JPEG_OF_BROKEN_EXIF = (1, 2336)  # seed, first file: an EXIF block that claims 61,423 entries, above a damaged scan


@pytest.mark.slow
@pytest.mark.parametrize("road", ["loader", "windows"])
def test_damaged_files_do_not_end_the_loaders_process(road, tmp_path):
    found = fuzz(road, EVERY, EACH * len(VARIANTS), seed=3, scratch=tmp_path)
    assert found["killers"] == []
    assert EACH < found["decoded"] < EACH * len(VARIANTS) / 2  # some stay readable, most do not


@pytest.mark.slow
@pytest.mark.parametrize("road", ["mask", "host"])
def test_nor_that_of_the_host(road, tmp_path):
    assert fuzz(road, EVERY, EACH * len(VARIANTS), seed=3, scratch=tmp_path)["killers"] == []


def test_a_file_that_was_deadly(tmp_path):
    seed, start = JPEG_OF_BROKEN_EXIF
    assert fuzz("loader", "jpeg", start + DAMAGED, seed, scratch=tmp_path, start=start)["killers"] == []


@pytest.mark.skipif(not decoder_name().startswith("DALI 2.4."), reason="which files are deadly is known of DALI 2.4 only")
def test_the_harness_notices_a_death(tmp_path):
    seed, start = JPEG_OF_BROKEN_EXIF
    (killer,) = fuzz("dali", "jpeg", start + DAMAGED, seed, scratch=tmp_path, start=start)["killers"]
    assert killer[:2] == ("jpeg", start)
    assert killer[2] in ("SIGSEGV", "SIGABRT")


def test_a_number_names_a_file():
    assert damaged("jpeg", 0, 5) == damaged("jpeg", 0, 5)
    assert damaged("jpeg", 0, 5) != damaged("jpeg", 0, 6)
