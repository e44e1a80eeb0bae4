"""Building caches: killed and resumed, sources that change, damage, folders that cannot be written."""

import errno
import json
import os
import shutil
import subprocess
import sys
import zlib

import numpy as np
import pytest
from conftest import eventually
from PIL import Image
from processes import PATIENCE, ending
from typer.testing import CliRunner

import gpuaug as A
from gpuaug import cli
from gpuaug.data import BadSampleError, Cached, CacheError, DataLoader, ImageFolder, cached
from gpuaug.data.stored import build, files

pytestmark = pytest.mark.usefixtures("small_parts")


@pytest.fixture
def folder(tmp_path):
    """30 images of noise: four parts."""
    where = tmp_path / "files" / "a"
    where.mkdir(parents=True)
    for number in range(30):
        pixels = np.random.default_rng(number).integers(0, 256, (30 + number, 40, 3), np.uint8)
        Image.fromarray(pixels).save(where / f"{number:03}.png")
    return tmp_path / "files"


def build_it(folder, out, **given):
    return cached(ImageFolder(folder), out, **{"size": 24, "progress": False, **given})


def contents(out):
    return {file.name: file.read_bytes() for file in sorted(out.iterdir()) if file.name != "lock"}


def indexed(out):
    """The content of a cache without what names its folder."""
    found = contents(out)
    index = files.read_json(out / "cache.json")
    return {**found, "cache.json": {key: value for key, value in index.items() if key not in ("mend", "verify")}}


def times(out):
    return {name: os.stat(out / name).st_mtime_ns for name in os.listdir(out) if name.endswith(".arrow")}


def equal(there, folder):
    """Whether a cache holds what a folder has now."""
    source, small = ImageFolder(folder), A.Compose([A.SmallestMaxSize(24, interpolation=3, p=1)])
    wanted = [small(image=source[i][0])["image"] for i in range(len(source))]
    return len(there) == len(source) and all((there[i][0] == image).all() for i, image in enumerate(wanted))


# ---- killed, and resumed -------------------------------------------------------------------------------------------------

KILLED = """
import sys, time
from gpuaug.data import ImageFolder, cached
from gpuaug.data.stored import build, parts
build.PART_SAMPLES, build.GROUP = 8, 3
make = parts.Packer.__call__
def until_killed(self, group):
    if group.first >= 24:  # the last part; the third one is closed when something of it comes
        time.sleep(3600)
    return make(self, group)
parts.Packer.__call__ = until_killed
cached(ImageFolder(sys.argv[1]), sys.argv[2], size=24, progress=False, workers=1)
"""


def test_a_build_that_is_killed_goes_on(folder, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "whole"
    build_it(folder, whole)
    with ending() as started:
        started.append(subprocess.Popen([sys.executable, "-c", KILLED, str(folder), str(out)]))
        eventually(lambda: started[0].poll() is not None or len(list(out.glob("*.arrow"))) == 2, seconds=PATIENCE)
        assert started[0].poll() is None
    finished = times(out)
    assert len(finished) == 2
    with pytest.raises(CacheError, match="build was interrupted; run the same command again"):
        Cached(out)
    there = build_it(folder, out)
    assert {name: time for name, time in times(out).items() if name in finished} == finished
    assert indexed(out) == indexed(whole)
    assert equal(there, folder)
    assert [name for name in os.listdir(out) if "tmp" in name or name == "building.json"] == []


def test_two_builds_at_once(folder, tmp_path):
    made = build.Build(ImageFolder(folder), tmp_path / "out")
    with made._prepared(), pytest.raises(CacheError, match="is being built by another process"):
        build_it(folder, tmp_path / "out", size=None)
    assert len(build_it(folder, tmp_path / "out", size=None)) == 30


def test_any_number_of_workers_writes_the_same_bytes(folder, tmp_path):
    for workers in (1, 2, 5):
        build_it(folder, tmp_path / f"out{workers}", workers=workers)
    assert indexed(tmp_path / "out1") == indexed(tmp_path / "out2") == indexed(tmp_path / "out5")


# ---- sources that change -------------------------------------------------------------------------------------------------


def test_nothing_changed_nothing_done(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    before = times(out), os.stat(out / "cache.json").st_mtime_ns
    assert equal(build_it(folder, out), folder)
    assert (times(out), os.stat(out / "cache.json").st_mtime_ns) == before


def change(folder, number):
    Image.fromarray(np.full((40, 50, 3), 200, np.uint8)).save(folder / "a" / f"{number:03}.png")


def test_a_changed_file_is_made_anew(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    before = times(out)
    change(folder, 12)
    with pytest.raises(
        CacheError, match=r"012.png has changed since .*out was made of it; run gpuaug.data.cached\(dataset, '.*', size=24"
    ):
        Cached(out)
    with pytest.raises(CacheError, match=r"was made of other samples than 8 to 15 are now; run gpuaug.data.cached\("):
        build_it(folder, out, build=False)
    assert len(Cached(out, check=False)) == 30
    there = build_it(folder, out)
    assert equal(there, folder)
    assert (there[12][0] == 200).all()
    assert len(before.items() & times(out).items()) == 3
    assert len(times(out)) == 4
    assert equal(Cached(out), folder)


def test_a_file_of_the_same_size_and_another_time(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    os.utime(folder / "a" / "029.png", ns=(1, 1))
    with pytest.raises(CacheError, match=r"029.png has changed"):
        Cached(out)
    before = times(out)
    build_it(folder, out)
    assert len(before.items() & times(out).items()) == 3


def test_a_removed_file(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    os.unlink(folder / "a" / "017.png")
    with pytest.raises(CacheError, match=r"017.png, of which .*out was made, is gone; run .* or open the cache with check=False"):
        Cached(out)
    there = build_it(folder, out)
    assert len(there) == 29
    assert equal(there, folder)


def test_an_added_file_and_a_class(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    shutil.copy(folder / "a" / "003.png", folder / "a" / "030.png")
    before = times(out)
    assert equal(build_it(folder, out), folder)
    assert len(before.items() & times(out).items()) == 3
    (folder / "0").mkdir()
    shutil.copy(folder / "a" / "003.png", folder / "0" / "x.png")
    there = build_it(folder, out)
    assert there.targets == [0] + [1] * 31
    assert there.classes == ["0", "a"]
    assert equal(there, folder)


def test_fewer_files(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    for number in range(16, 30):
        os.unlink(folder / "a" / f"{number:03}.png")
    there = build_it(folder, out)
    assert len(there) == 16
    assert len(times(out)) == 2
    assert equal(there, folder)


def test_a_bad_file_that_was_repaired(folder, tmp_path):
    good = (folder / "a" / "005.png").read_bytes()
    (folder / "a" / "005.png").write_bytes(good[:100])
    there = build_it(folder, tmp_path / "out")
    assert [bad.index for bad in there.bad] == [5]
    (folder / "a" / "005.png").write_bytes(good)
    there = build_it(folder, tmp_path / "out")
    assert there.bad == []
    assert equal(there, folder)


def test_a_cache_that_is_open_while_it_is_built_anew(folder, tmp_path):
    out = tmp_path / "out"
    old = build_it(folder, out)
    image = old[3][0]
    change(folder, 3)
    change(folder, 29)
    build_it(folder, out)
    assert (old[3][0] == image).all()
    with pytest.raises(CacheError, match="is gone: the cache was built anew since it was opened"):
        old[29]


def test_a_dataset_that_says_what_it_is(folder, tmp_path):
    class Said(ImageFolder):
        thread_safe = True
        fingerprint = "one"

    cached(Said(folder), tmp_path / "out", progress=False)
    change(folder, 2)
    cached(Said(folder), tmp_path / "out", build=False)
    Said.fingerprint = "two"
    with pytest.raises(CacheError, match="made of other samples"):
        cached(Said(folder), tmp_path / "out", build=False)


def test_a_dataset_with_other_samples(folder, tmp_path):
    class More(ImageFolder):
        thread_safe = True

        def encoded(self, i):
            return self.samples[i][0], float(self.samples[i][1])

        def __getitem__(self, i):
            image, label = super().__getitem__(i)
            return image, float(label)

    build_it(folder, tmp_path / "out")
    there = cached(More(folder), tmp_path / "out", size=24, progress=False)
    assert there[4][1] == 0.0
    assert isinstance(there[4][1], float)


# ---- damage --------------------------------------------------------------------------------------------------------------


def part(out, number):
    return sorted(out.glob("part-*.arrow"))[number]


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def steps():
    return A.Compose([A.RandomResizedCrop((16, 16)), A.Normalize(), A.ToTensorV2()], seed=3)


def test_a_flipped_byte_of_a_picture_is_one_bad_sample(folder, tmp_path):
    out = tmp_path / "out"
    there = build_it(folder, out)
    number, row = there.locate(13)
    flip(part(out, number), int(there._parts.table(number).start["image"][row]) + 100)
    there = Cached(out)
    with pytest.raises(
        ValueError, match=r"its bytes in .*part-00001.* have not the checksum .* run gpuaug.data.cached\(.*, verify=True\)"
    ):
        there[13]
    assert (there[12][0] == build_it(folder, tmp_path / "other")[12][0]).all()
    with pytest.raises(BadSampleError, match=r"sample 13 \(.*013.png\): its bytes in .*part-00001"):
        list(DataLoader(there, 8, transform=steps(), device="cpu"))
    loader = DataLoader(there, 8, transform=steps(), device="cpu", on_error="skip")
    assert sum(len(images) for images, _ in loader) == 29
    assert [bad.index for bad in loader.errors] == [13]
    assert equal(build_it(folder, out, verify=True), folder)
    assert indexed(out) == indexed(tmp_path / "other")


def test_a_flipped_byte_anywhere_else_is_an_error(folder, tmp_path):
    out = tmp_path / "out"
    there = build_it(folder, out)
    path, size = part(out, 2), os.path.getsize(part(out, 2))
    pixels = there._index["parts"][2]["pixels"]
    places = [at for at in range(0, size, 97) if not any(start <= at < end for start, end in pixels)]
    assert len(places) > 10
    for at in places:
        flip(path, at)
        with pytest.raises(CacheError, match=r"part-00002.*has not the checksum that it was written with; run .*verify=True"):
            Cached(out, check=False)[17]
        flip(path, at)
    flip(path, places[0])
    with pytest.raises(CacheError, match="part-00002"):
        list(DataLoader(Cached(out, check=False), 8, transform=steps(), device="cpu", on_error="skip"))
    assert equal(build_it(folder, out, verify=True), folder)


def test_every_byte_is_under_a_checksum(folder, tmp_path):
    out = tmp_path / "out"
    there = build_it(folder, out)
    for number, said in enumerate(there._index["parts"]):
        table, covered = there._parts.table(number), 0
        for row in range(len(table)):
            covered += int(table.length["image"][row])
        assert covered == sum(end - start for start, end in said["pixels"])


def test_a_truncated_file(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    os.truncate(part(out, 1), 2000)
    with pytest.raises(CacheError, match=r"part-00001.*has 2000 bytes of \d+: it was cut off; run gpuaug.data.cached"):
        Cached(out, check=False)[9]
    assert equal(build_it(folder, out), folder)


def test_a_missing_file(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    os.unlink(part(out, 1))
    with pytest.raises(CacheError, match=r"part-00001.*is gone"):
        Cached(out, check=False)[9]
    assert equal(build_it(folder, out), folder)


def test_a_file_that_is_cut_off_while_it_is_read(folder, tmp_path):
    there = build_it(folder, tmp_path / "out")
    there[0]
    os.truncate(part(tmp_path / "out", 0), 3000)
    with pytest.raises(ValueError, match="is cut off"):
        there[7]


def test_another_version(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    index = files.read_json(out / "cache.json")
    files.write_json(str(out / "cache.json"), {**index, "version": 2})
    with pytest.raises(
        CacheError, match=r"cache.json is of version 2 of the cache format, and this gpuaug reads 1; .*gpuaug.data.cached\("
    ):
        Cached(out)
    with pytest.raises(CacheError, match="is of version 2"):
        build_it(folder, out)


def test_a_damaged_index(folder, tmp_path):
    out = tmp_path / "out"
    build_it(folder, out)
    text = (out / "cache.json").read_text()
    (out / "cache.json").write_text(text.replace('"length": 30', '"length": 31'))
    with pytest.raises(CacheError, match=r"cache.json is damaged \(its checksum is wrong\); build the cache again"):
        Cached(out)
    (out / "cache.json").write_text(text[:100])
    with pytest.raises(CacheError, match=r"cache.json is damaged"):
        Cached(out)
    assert equal(build_it(folder, out), folder)


def test_checksums_are_zlibs(folder, tmp_path):
    there = build_it(folder, tmp_path / "out")
    assert there._parts.table(0).crc[5] == zlib.crc32(there[5][0].tobytes())
    found = json.loads((tmp_path / "out" / "cache.json").read_text())
    assert found["crc32"] == zlib.crc32(json.dumps(found["content"], sort_keys=True).encode())


# ---- folders -------------------------------------------------------------------------------------------------------------


def test_no_cache(tmp_path):
    with pytest.raises(CacheError, match=r"is no cache, it has no cache.json; build one: gpuaug cache build"):
        Cached(tmp_path)
    with pytest.raises(CacheError, match="is no cache"):
        Cached(tmp_path / "nowhere")


def test_a_folder_of_something_else_is_not_written_to(folder, tmp_path):
    with pytest.raises(CacheError, match="files holds 'a', which is no part of a cache"):
        build_it(folder, folder)
    assert os.listdir(folder) == ["a"]


def test_a_path_that_is_a_file(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="file cannot be written"):
        build_it(folder, tmp_path / "file")


def test_other_settings(folder, tmp_path):
    build_it(folder, tmp_path / "out")
    with pytest.raises(CacheError, match="holds a cache with size=24, and 20 was asked for; name another folder, or remove it"):
        build_it(folder, tmp_path / "out", size=20)


def test_a_folder_that_may_not_be_written(folder, tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(
        CacheError, match=r"out cannot be written: Permission denied; name a folder that can, in gpuaug.data.cached"
    ):
        build_it(folder, tmp_path / "out")


def test_a_read_only_file_system(folder, tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CacheError, match=r"lock cannot be written: Read-only file system"):
        build_it(folder, tmp_path / "out")


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_a_folder_without_the_right_to_write(folder, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(CacheError, match="cannot be written: Permission denied"):
        build_it(folder, tmp_path / "out")


LIMITED = """
import resource, sys
from gpuaug.data import ImageFolder, cached, CacheError
from gpuaug.data.stored import build
build.PART_SAMPLES, build.GROUP = 8, 3
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    cached(ImageFolder(sys.argv[1]), sys.argv[2], size=24, progress=False)
except CacheError as error:
    print(error)
"""


def test_a_file_that_may_not_be_so_large(folder, tmp_path):
    """The system refuses amid a part: of 8 images those of the last are the largest."""
    out = tmp_path / "out"
    build_it(folder, tmp_path / "whole")
    sizes = [file.stat().st_size for file in sorted((tmp_path / "whole").glob("*.arrow"))]
    limit = sizes[0] + (max(sizes) - sizes[0]) // 2
    assert sizes[0] < limit < max(sizes)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), str(out), str(limit)],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert "cannot be written: File too large; what is finished is kept: make room, and run gpuaug.data.cached(" in done.stdout
    assert 1 <= len(times(out)) < 4
    assert [name for name in os.listdir(out) if name.endswith(".tmp")] == []
    kept = times(out)
    build_it(folder, out)
    assert kept.items() <= times(out).items()
    assert indexed(out) == indexed(tmp_path / "whole")


def test_a_full_disk(folder, tmp_path, monkeypatch):
    out, count = tmp_path / "out", [0]
    sync = os.fsync

    def full(file):
        count[0] += 1
        if count[0] > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        CacheError, match="out cannot be written: No space left on device; what is finished is kept: make room, and run"
    ):
        build_it(folder, out)
    monkeypatch.setattr(os, "fsync", sync)
    assert equal(build_it(folder, out), folder)


# ---- arguments -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"size": 0}, "size must be None or a whole number"),
        ({"size": 2.5}, "size must be None or a whole number"),
        ({"store": "png"}, "store must be one of"),
        ({"quality": 101}, "quality must be a whole number from 1 to 100"),
        ({"workers": -2}, r"workers must be a whole number >= 0 \(0: all cores\), got -2"),
    ],
)
def test_arguments(folder, tmp_path, given, text):
    with pytest.raises(ValueError, match=text):
        build_it(folder, tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_datasets_that_no_cache_can_hold(folder, tmp_path):
    with pytest.raises(TypeError, match=r"dataset must be a dataset, such as gpuaug.data.ImageFolder"):
        cached(folder, tmp_path / "out")
    with pytest.raises(ValueError, match="has a transform of its own, whose draws a cache would repeat for ever"):
        cached(ImageFolder(folder, transform=A.HorizontalFlip()), tmp_path / "out")
    with pytest.raises(TypeError, match="needs a dataset with a length and an index, got generator"):
        cached((i for i in range(3)), tmp_path / "out")
    with pytest.raises(ValueError, match="the dataset is empty"):
        cached([], tmp_path / "out")


# ---- the command ---------------------------------------------------------------------------------------------------------


def command(*words):
    """In this process: to import torch takes seconds."""
    return CliRunner().invoke(cli.build(), ["cache", *map(str, words)])


def test_the_command(folder, tmp_path):
    out = tmp_path / "a cache"
    done = command("build", folder, "--size", 24, "--as", "raw", "--out", out)
    assert done.exit_code == 0, done.stderr
    assert f"{out}: 30 samples, 30 of them made now, 0 bad" in done.stdout
    assert "30/30" in done.stderr
    assert equal(Cached(out), folder)
    done = command("check", out)
    assert (done.exit_code, "all checksums are right" in done.stdout) == (0, True)

    change(folder, 3)
    done = command("check", out)
    assert done.exit_code == 2
    mend = f"gpuaug cache build {folder} --size 24 --as raw --out '{out}'"
    assert f"gpuaug cache: {folder}/a/003.png has changed since {out} was made of it; run {mend}" in done.stderr
    assert command("build", folder, "--size", 24, "--as", "raw", "--out", out).exit_code == 0
    flip(part(out, 0), int(Cached(out)._parts.table(0).start["image"][4]) + 5)
    done = command("check", out)
    assert done.exit_code == 2
    assert "sample 4: its bytes in" in done.stderr
    assert f"{mend} --verify" in done.stderr
    done = command("build", folder, "--size", 24, "--as", "raw", "--out", out, "--verify")
    assert (done.exit_code, "8 of them made now" in done.stdout) == (0, True)
    done = subprocess.run(
        [sys.executable, "-m", "gpuaug.cli", "cache", "check", out / "no"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (
        2,
        f"gpuaug cache: {out}/no is no cache, it has no cache.json; build one: gpuaug cache build FOLDER --out {out}/no\n",
    )


def test_what_the_command_refuses(folder, tmp_path):
    for words, text in (
        (("build", tmp_path / "no", "--out", tmp_path / "out"), "does not exist"),
        (("build", folder, "--out", folder), "is no part of a cache"),
        (("build", folder, "--out", "/proc/none"), "/proc/none cannot be written"),
        (("check", tmp_path), "is no cache"),
        (("build", folder, "--as", "png", "--out", tmp_path / "out"), "png"),
    ):
        done = command(*words)
        assert done.exit_code == 2, done.stderr
        assert text in done.stderr
        assert "Traceback" not in done.stderr


def test_the_command_with_masks(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for number in range(3):
        Image.fromarray(np.full((30, 40, 3), number, np.uint8)).save(tmp_path / "images" / f"{number}.jpg")
        Image.fromarray(np.full((30, 40), number, np.uint8)).save(tmp_path / "masks" / f"{number}_m.png")
    done = command(
        "build",
        tmp_path / "images",
        "--masks",
        tmp_path / "masks",
        "--mask-suffix",
        "_m",
        "--as",
        "jpeg",
        "--out",
        tmp_path / "out",
    )
    assert done.exit_code == 0, done.stderr
    assert (Cached(tmp_path / "out")[2]["mask"] == 2).all()
