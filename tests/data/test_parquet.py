"""Parquet: what is read of it, what it says of bad files, and the order that goes by row groups."""

import itertools
import os
import random
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3_server
import torch
from conftest import jpeg
from processes import forked
from stored_kinds import contents

from gpuaug.data import BlockSampler, DataLoader, ImageFolder, Parquet, Remote
from gpuaug.data.adapters.recent import Recent
from gpuaug.data.faults import BadSampleError

ROWS, GROUP = 40, 4


def written(path, rows=ROWS, group=GROUP, **columns):
    columns = {"image": [jpeg(i) for i in range(rows)], "label": list(range(rows)), **columns}
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


@pytest.fixture
def file(tmp_path):
    return written(tmp_path / "a.parquet")


def flat(lists):
    return list(itertools.chain.from_iterable(lists))


def delivered(dataset, **how):
    loader = DataLoader(dataset, **{"batch_size": 8, "num_workers": 2, "seed": 0, "device": "cpu", **how})
    return loader, [batch["label"].tolist() for batch in loader]


# ---- what is taken -------------------------------------------------------------------------------------------


def test_columns_are_those_asked_for(tmp_path):
    words, boxes = [f"w{i}" for i in range(ROWS)], [[[0.0, 1.0, 2.0, 3.0 + i]] for i in range(ROWS)]
    path = written(tmp_path / "a.parquet", words=words, boxes=boxes, mask=[jpeg(i, format="PNG") for i in range(ROWS)])
    assert list(Parquet(path).encoded(0)) == ["image", "label", "words", "boxes", "mask"]
    data = Parquet(path, mask="mask", fields={"class": "label", "text": "words"})
    sample = data.encoded(7)
    assert sample == {"image": jpeg(7), "mask": jpeg(7, format="PNG"), "class": 7, "text": "w7"}
    assert data.column("text").tolist() == words
    assert list(Parquet(path, fields="words").encoded(1)) == ["image", "words"]
    assert data[2]["mask"].shape[:2] == (30, 40)
    assert Parquet(path, fields=["boxes"]).encoded(1)["boxes"] == boxes[1]


def test_files_are_in_the_order_of_their_names(tmp_path):
    for name in ("b", "a", "c"):
        written(tmp_path / f"{name}.parquet", 3, label=[f"{name}{i}" for i in range(3)])
    (tmp_path / "d.txt").write_text("")
    expected = [f"{name}{i}" for name in "abc" for i in range(3)]
    for files in (tmp_path, f"{tmp_path}/*.parquet", [tmp_path / "a.parquet", f"{tmp_path}/[bc].parquet"], f"file://{tmp_path}"):
        assert Parquet(files).column("label").tolist() == expected
    data = Parquet([tmp_path / "c.parquet", tmp_path / "a.parquet"])
    places = [f"{tmp_path}/{name}.parquet (row {row})" for name in "ca" for row in range(3)]
    assert [data.path_of(index) for index in range(6)] == places
    with pytest.raises(ValueError, match=r"a\.parquet is there twice"):
        Parquet([tmp_path, tmp_path / "a.parquet"])


def test_a_file_whose_name_is_a_pattern_is_itself(tmp_path):
    for name in ("a1", "a[1]"):
        written(tmp_path / f"{name}.parquet", 1, label=[name])
    assert Parquet(tmp_path / "a[1].parquet").column("label").tolist() == ["a[1]"]
    assert Parquet(tmp_path / "a[12].parquet").column("label").tolist() == ["a1"]


def test_patterns_of_urls_are_those_of_paths(tmp_path):
    """fsspec's memory has the same tree; Python's glob says what a pattern takes."""
    fsspec = pytest.importorskip("fsspec")
    memory, top = fsspec.filesystem("memory"), f"/patterns-{tmp_path.name}"
    written(tmp_path / "x.parquet", 1, label=[0])
    data = (tmp_path / "x.parquet").read_bytes()
    (tmp_path / "x.parquet").unlink()
    for name in ("a1", "a2", "b1", "a/a1", "a/.hidden", "a/b/a1", ".dot/a1", "ab/c/d/a1"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.parquet").write_bytes(data)
        memory.pipe(f"{top}/{name}.parquet", data)
    try:
        for pattern in ("a*.parquet", "[ab]1.parquet", "*/a1.parquet", "a*/*/*.parquet", "**/a1.parquet", "a*/**/a1.parquet",
                        "**/*.parquet", "a/**", "a/b/**/*1.parquet"):  # fmt: skip
            there = [file.removeprefix(str(tmp_path)) for file in Parquet(f"{tmp_path}/{pattern}").files]
            far = [str(file).removeprefix(f"memory:/{top}") for file in Parquet(f"memory:/{top}/{pattern}").files]
            assert sorted(far) == sorted(there), pattern
            assert far
    finally:
        memory.rm(top, recursive=True)


def test_empty_groups_and_files_have_no_numbers(tmp_path):
    table = pa.table({"image": [jpeg(0), jpeg(1)], "label": [0, 1]})
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema) as file:
        file.write_table(table.slice(0, 0))
        file.write_table(table)
    pq.write_table(table.slice(0, 0), tmp_path / "b.parquet")
    written(tmp_path / "c.parquet", 3)
    data = Parquet(tmp_path)
    assert [data.encoded(i)["label"] for i in range(len(data))] == [0, 1, 0, 1, 2]
    assert data.blocks.tolist() == [2, 3]
    with pytest.raises(ValueError, match=r"b\.parquet has no rows"):
        Parquet(tmp_path / "b.parquet")


# ---- what is read -------------------------------------------------------------------------------------------


def test_a_row_group_is_read_once(file):
    data = Parquet(file)
    delivered(data, num_workers=4)
    assert data._recent.made == ROWS // GROUP
    assert data._recent.used >= ROWS


def test_memory_is_a_limit(file):
    size = max(Parquet(file)._group(number)[1] for number in range(ROWS // GROUP))
    data = Parquet(file, memory=2 * size)
    for i in (0, GROUP, 2 * GROUP, 2 * GROUP + 1, GROUP, 0):
        data.encoded(i)
    assert data._recent.made == 4  # the last one again, the others were held
    assert sum(data._recent._sizes.values()) <= 2 * size
    small = Parquet(file, memory=1)  # one that is larger than the limit is held by itself
    assert [small.encoded(i)["label"] for i in range(3)] == [0, 1, 2]
    assert small._recent.made == 1


def test_one_thread_reads_for_all():
    recent, made = Recent(100), []

    def make():
        made.append(1)
        end = time.monotonic() + 60
        while recent.used < 4 and time.monotonic() < end:  # until all have asked
            time.sleep(0.001)
        return "value", 10

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: recent.get("key", make), range(4))) == ["value"] * 4
    assert recent.used == 4
    assert len(made) == 1

    def fails():
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            recent.get("other", fails)
    assert recent.get("other", lambda: ("now", 1)) == "now"


def test_a_forked_process_waits_for_no_thread_that_it_lacks():
    recent, begun, end = Recent(100), threading.Event(), threading.Event()

    def make():
        begun.set()
        end.wait(60)
        return "mine", 1

    thread = threading.Thread(target=lambda: recent.get("key", make))
    thread.start()
    begun.wait(60)
    left = forked(lambda: int(recent.get("key", lambda: ("its own", 1)) != "its own"))
    end.set()
    thread.join(60)
    assert left == 0


def test_it_is_said_once_when_groups_are_read_again_and_again(tmp_path):
    path = written(tmp_path / "a.parquet", 400, 20)
    data = Parquet(path, memory=int(Parquet(path).block_bytes.max()))
    with pytest.warns(RuntimeWarning, match=r"blocks of 20 rows are read again and again, .*BlockSampler") as told:
        list(map(data.encoded, random.Random(0).sample(range(400), 400)))
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = Parquet(path, memory=int(4 * Parquet(path).block_bytes.max()))
        for epoch in range(3):
            sampler = BlockSampler(data, window=2)
            sampler.set_epoch(epoch)
            for i in sampler:
                data.encoded(i)
    assert data._recent.made <= 3 * 20


# ---- the order ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 3, 100])
def test_block_sampler_has_every_row_and_few_blocks_at_a_time(window):
    blocks = np.random.default_rng(0).integers(1, 30, 60)
    sampler = BlockSampler(blocks.tolist(), window=window)
    owner = np.repeat(np.arange(60), blocks)
    orders = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        assert sorted(orders[-1]) == list(range(blocks.sum()))
        of = owner[orders[-1]]
        first = [int(np.flatnonzero(of == b)[0]) for b in range(60)]
        last = [int(np.flatnonzero(of == b)[-1]) for b in range(60)]
        at_once = max(sum(a <= t <= z for a, z in zip(first, last)) for t in range(len(of)))
        assert at_once <= min(window + 1, 60)
        assert at_once >= min(window, 50) - 1
    assert orders[0] != orders[1] != orders[2]
    sampler.set_epoch(1)
    assert list(sampler) == orders[1]
    assert list(BlockSampler(blocks, window=window, seed=1)) != orders[0]


def test_ranks_have_stretches_of_one_order():
    blocks = [5] * 9
    for world, drop_last in ((1, False), (2, False), (4, False), (4, True)):
        ranks = [BlockSampler(blocks, 2, num_replicas=world, rank=r, drop_last=drop_last) for r in range(world)]
        parts = [list(rank) for rank in ranks]
        assert {len(part) for part in parts} == {len(ranks[0])}
        pairs = [pair for rank, part in zip(ranks, parts) for pair in zip(part, rank.occurrences().tolist())]
        assert len(set(pairs)) == len(pairs)  # what comes a second time does as another occurrence
        rows = [row for row, k in pairs if k == 0]
        assert len(rows) == (45 if not drop_last else 44)
        assert flat(parts)[:44] == list(BlockSampler(blocks, 2))[:44]
        assert len({row // 5 for row in parts[0]}) <= -(-9 // world) + 3  # of few blocks


def test_block_sampler_in_the_loader(file):
    data, wanted = Parquet(file), None
    for memory in (data.memory, int(3 * data.block_bytes.max())):
        data = Parquet(file, memory=memory)
        loader = DataLoader(data, 8, sampler=BlockSampler(data, window=2, seed=5), seed=0, device="cpu", num_workers=2)
        first = [batch["label"].tolist() for batch in loader]
        second = iter(loader)
        next(second)
        state, rest = loader.state_dict(), [batch["label"].tolist() for batch in second]
        assert sorted(flat(first)) == list(range(ROWS))
        assert data._recent.made <= 2 * (ROWS // GROUP) + 1
        again = DataLoader(data, 8, sampler=BlockSampler(data, window=2, seed=5), seed=0, device="cpu")
        again.load_state_dict(state)
        assert [batch["label"].tolist() for batch in again] == rest
        wanted = wanted or (first, rest)
        assert (first, rest) == wanted


@pytest.mark.parametrize("worlds", [(3, 2), (2, 3, 1), (1, 4), (4, 4)])
@pytest.mark.parametrize("drop_last", [False, True])
def test_another_number_of_ranks_goes_on(file, worlds, drop_last):
    """Each has 2 batches of 3, then others take over; nothing twice, and nothing lost but what drop_last cuts."""
    data, state, got = Parquet(file), None, []

    def loader(world, rank):
        sampler = BlockSampler(data, window=2, seed=1, num_replicas=world, rank=rank, drop_last=drop_last)
        return DataLoader(data, 3, sampler=sampler, seed=0, device="cpu")

    for turn, world in enumerate(worlds):
        last = turn == len(worlds) - 1
        states = []
        for rank in range(world):
            part = loader(world, rank)
            if state is not None:
                part.load_state_dict(state)
            batches = iter(part)
            got += flat(batch["label"].tolist() for batch in (batches if last else itertools.islice(batches, 2)))
            states.append(part.state_dict())
        state = states[0]
    if drop_last:
        assert len(set(got)) == len(got) >= ROWS - sum(worlds)
    else:
        assert set(got) == set(range(ROWS))
        assert len(got) - ROWS < sum(worlds)


def test_arguments_of_block_sampler(file):
    data = Parquet(file)
    with pytest.raises(ValueError, match=r"window=8 takes up to 9 blocks, [\d,]+ bytes, and the dataset keeps memory=5,000"):
        BlockSampler(Parquet(file, memory=5000))
    with pytest.raises(TypeError, match=r"list has no blocks|must be a dataset with `blocks`"):
        BlockSampler(["a"])
    with pytest.raises(ValueError, match="window must be at least 1"):
        BlockSampler(data, window=0)
    with pytest.raises(ValueError, match="at least one row"):
        BlockSampler([3, 0])
    with pytest.raises(TypeError, match="ImageFolder has no blocks"):
        BlockSampler(ImageFolder.__new__(ImageFolder))


# ---- bad files ------------------------------------------------------------------------------------------------


def test_what_is_no_parquet(tmp_path, file):
    data = file.read_bytes()
    for name, content in (("cut", data[: len(data) // 2]), ("text", b"hello" * 9), ("empty", b""), ("four", b"PAR1")):
        (tmp_path / f"{name}.parquet").write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}\.parquet is no Parquet file, or its end is missing: .*write it anew"):
            Parquet(tmp_path / f"{name}.parquet")
    for path, said in (("none.parquet", "does not exist"), ("*.pq", "no file has such a name")):
        with pytest.raises(FileNotFoundError, match=said):
            Parquet(tmp_path / path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotFoundError, match=r"has no file that ends in \.parquet"):
        Parquet(tmp_path / "folder")
    with pytest.raises(ValueError, match="files is empty"):
        Parquet([])


def test_columns_that_are_not_there_or_of_another_type(tmp_path, file):
    with pytest.raises(KeyError, match=r"a\.parquet has no 'imgae' for 'image'; did you mean 'image'\?; it has image, label"):
        Parquet(file, image="imgae")
    with pytest.raises(KeyError, match=r"no 'labels' for 'class'; did you mean 'label'\?"):
        Parquet(file, fields={"class": "labels"})
    with pytest.raises(TypeError, match=r"column 'label' for 'image' is int64; images are binary or struct.*\['image'\]"):
        Parquet(file, image="label")
    with pytest.raises(ValueError, match="fields may not hold 'image'"):
        Parquet(file, fields={"image": "label"})
    with pytest.raises(ValueError, match="memory must be a whole number of bytes"):
        Parquet(file, memory=0)
    with pytest.raises(TypeError, match="transform must be callable"):
        Parquet(file, transform=3)
    pq.write_table(pa.table({"image": ["a.jpg"], "label": [1]}), tmp_path / "b.parquet")
    with pytest.raises(TypeError, match=r"b\.parquet: column 'image' for 'image' is string"):
        Parquet(tmp_path)
    pq.write_table(pa.table({"image": [jpeg(0)]}), tmp_path / "b.parquet")
    with pytest.raises(KeyError, match=r"b\.parquet has no 'label'"):
        Parquet(tmp_path)


def test_files_whose_columns_differ(tmp_path):
    """Batches would have another type where they are of another file, or could not be made."""
    images, labels = [jpeg(i) for i in range(4)], [3, 1, 2, 0]

    def pair(name, one, other):
        (tmp_path / name).mkdir()
        for k, values in enumerate((one, other)):
            pq.write_table(pa.table({"image": images, "label": values}), tmp_path / name / f"{k}.parquet")
        return tmp_path / name

    text = pair("text", labels, [str(label) for label in labels])
    for folder in (text, pair("float", labels, [0.5, 1.0, 2.0, 3.0])):
        with pytest.raises(TypeError, match=r"column 'label' is int64 in .*0.parquet and (string|double) in .*1.parquet; write"):
            Parquet(folder)
    assert len(Parquet(text, fields=[])) == 8
    text = pa.array(["a", "b", "a", "b"])
    for name, one, other in (
        ("widths", pa.array(labels, pa.int8()), labels),
        ("dictionary", text.dictionary_encode(), text.cast(pa.large_string())),
        ("nulls", pa.nulls(4), labels),
    ):
        assert Parquet(pair(name, one, other)).column("label").tolist()[4:] == pa.array(other).to_pylist()


def test_bad_rows_are_bad_samples(tmp_path):
    images = [jpeg(i) for i in range(ROWS)]
    images[5], images[9], images[13], images[17] = None, b"no picture", b"", images[17][:300]
    path = written(tmp_path / "a.parquet", image=images)
    loader, batches = delivered(Parquet(path), on_error="skip")
    assert sorted(flat(batches)) == [i for i in range(ROWS) if i not in (5, 9, 13, 17)]
    bad = {each.index: each for each in loader.errors}
    assert sorted(bad) == [5, 9, 13, 17]
    assert bad[5].path == f"{path} (row 5)" == bad[9].path.replace("row 9", "row 5")
    assert "there is no image in column 'image' (null); write the file without such rows" in bad[5].reason
    _, batches = delivered(Parquet(path), on_error="replace")
    assert [len(batch) for batch in batches] == [8] * 5
    with pytest.raises(BadSampleError, match=r"sample 5 \(.*a\.parquet \(row 5\)\): there is no image"):
        delivered(Parquet(path))
    cells = [{"bytes": None, "path": "far/away.jpg"}, None, {"bytes": jpeg(1), "path": None}]
    pq.write_table(pa.table({"image": cells, "label": [0, 1, 2]}), tmp_path / "b.parquet")
    loader, batches = delivered(Parquet(tmp_path / "b.parquet"), on_error="skip")
    assert batches == [[2]]
    assert "(null, only the path 'far/away.jpg')" in loader.errors[0].reason


def test_a_row_group_that_is_damaged_and_a_file_that_changes(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"image": [jpeg(i) for i in range(ROWS)], "label": list(range(ROWS))})
    pq.write_table(table, path, row_group_size=GROUP, use_dictionary=False, compression="none", write_page_checksum=True)
    page = pq.read_metadata(path).row_group(2).column(0)
    seen = os.stat(path)
    with open(path, "r+b") as opened:
        opened.seek(page.data_page_offset + page.total_compressed_size - 200)  # of the last picture
        opened.write(b"\xff" * 64)
    loader, batches = delivered(Parquet(path), on_error="skip")
    assert sorted(flat(batches)) == [i for i in range(ROWS) if i // GROUP != 2]
    assert all(f"row group 2 of {path} cannot be read" in bad.reason for bad in loader.errors)

    pq.write_table(table, path, row_group_size=GROUP)
    data = Parquet(path)
    before = data.fingerprint
    data.encoded(0)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns + 10**9))
    loader, batches = delivered(data, on_error="skip")
    assert flat(batches) == [0, 1, 2, 3]  # what was read already
    assert "the file has changed since the dataset was made; make the dataset anew" in loader.errors[0].reason
    assert Parquet(path).fingerprint != before
    os.remove(path)
    loader, _ = delivered(data, on_error="skip")
    assert "No such file" in loader.errors[0].reason


def test_without_pyarrow(file):
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from gpuaug.data import Parquet\n"
        f"try: Parquet({str(file)!r})\n"
        "except ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "Parquet needs the pyarrow package: pip install 'gpuaug[parquet]'\n"


# ---- by URL -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(shared_folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("far")
    rows = contents(shared_folder)
    for part, those in enumerate((rows[:12], rows[12:])):
        cells = [{"bytes": data, "path": "a.jpg"} for data, _ in those]
        table = pa.table({"other": ["x" * 1000] * len(those), "image": cells, "label": [label for _, label in those]})
        pq.write_table(table, place / f"train-{part}.parquet", row_group_size=5, use_dictionary=False)
    (place / "notes.txt").write_text("nothing")
    with s3_server.s3({"p": place}) as found:
        yield (*found, place)


def test_by_url(tables, tmp_path):
    _, proxy, place = tables
    quick = Remote(retries=3, first_wait=0.01, timeout=60.0)
    here = Parquet(place, fields=["label"])
    for url in ("s3://bucket/p", "s3://bucket/p/train-*.parquet", [f"s3://bucket/p/train-{k}.parquet" for k in (0, 1)]):
        far = Parquet(url, fields=["label"], remote=quick)
        assert len(far) == len(here)
        assert far.path_of(13) == "s3://bucket/p/train-1.parquet (row 1)"
    wanted = [batch["image"] for batch in DataLoader(here, 8, shuffle=True, seed=0, device="cpu", transform=_small())]
    proxy.seen.clear()
    proxy.fault = lambda number, method, path: ("503", "cut", "reset")[number % 3] if number % 4 == 0 else None
    try:
        got = [batch["image"] for batch in DataLoader(far, 8, shuffle=True, seed=0, device="cpu", transform=_small())]
    finally:
        proxy.fault = lambda number, method, path: None
    assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))
    assert len(proxy.injected) >= 2
    assert len(proxy.seen) - len(proxy.injected) <= len(far.blocks) + 1  # one request for a row group
    kept = Remote(cache=tmp_path, retries=0)
    assert Parquet("s3://bucket/p", fields=["label"], remote=kept).encoded(7)["image"] == here.encoded(7)["image"]
    proxy.seen.clear()
    assert Parquet("s3://bucket/p", fields=["label"], remote=kept).encoded(7)["image"] == here.encoded(7)["image"]
    assert [method for method, _, _ in proxy.seen] == ["GET"]  # the listing


def _small():
    import gpuaug

    return gpuaug.Compose([gpuaug.RandomResizedCrop((24, 24))], seed=1)


def test_bad_urls(tables):
    system, proxy, _ = tables
    quick = Remote(retries=0, timeout=60.0)
    with pytest.raises(FileNotFoundError, match=r"s3://bucket/none: there is no such folder"):
        Parquet("s3://bucket/none", remote=quick)
    with pytest.raises(FileNotFoundError, match=r"s3://bucket/p/no-\*\.parquet: no file has such a name"):
        Parquet("s3://bucket/p/no-*.parquet", remote=quick)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        Parquet("s3://bucket/p/none.parquet", remote=quick)
    system.pipe("bucket/q/bad.parquet", b"this is not it")
    with pytest.raises(ValueError, match=r"s3://bucket/q/bad\.parquet is no Parquet file"):
        Parquet("s3://bucket/q", remote=quick)
    data = Parquet("s3://bucket/p/train-0.parquet", remote=quick)
    proxy.fault = lambda number, method, path: "403"
    try:
        loader = DataLoader(data, 4, on_error="skip", device="cpu", transform=_small())
        with pytest.raises(Exception, match="access is denied"):
            list(loader)
        with pytest.raises(PermissionError, match=r"s3://bucket/p/train-0\.parquet: access is denied"):
            Parquet("s3://bucket/p/train-0.parquet", remote=quick)
    finally:
        proxy.fault = lambda number, method, path: None
