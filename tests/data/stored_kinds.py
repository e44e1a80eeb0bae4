"""The pictures of `conftest.fill` in other people's formats, each written by its own library; for test_adapters.py."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gpuaug.data import Parquet


def contents(folder):
    """[(bytes of a file, label)] in ImageFolder's order."""
    return [(path.read_bytes(), k) for k, name in enumerate(("cat", "dog")) for path in sorted((Path(folder) / name).iterdir())]


def parquet(folder, to):
    rows = contents(folder)
    table = pa.table({"image": [data for data, _ in rows], "label": [label for _, label in rows]})
    pq.write_table(table, to / "all.parquet", row_group_size=5)
    return lambda **how: Parquet(to / "all.parquet", **how)


def parquet_of_two(folder, to):
    rows = contents(folder)
    (to / "two").mkdir()
    for part, those in enumerate((rows[:9], rows[9:])):
        cells = [{"bytes": data, "path": f"{k}.jpg"} for k, (data, _) in enumerate(those)]
        table = pa.table({"image": cells, "label": [label for _, label in those]})
        pq.write_table(table, to / "two" / f"part-{part}.parquet", row_group_size=4, compression="zstd", version="1.0")
    return lambda **how: Parquet(to / "two", **how)


def hugging_face(folder, to):
    import datasets

    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    cells = [{"image": {"bytes": data, "path": None}, "label": label} for data, label in contents(folder)]
    datasets.Dataset.from_list(cells, features=features).to_parquet(str(to / "hub.parquet"), batch_size=6)
    return lambda **how: Parquet(str(to / "hub.par*"), **how)


KINDS = {"parquet": parquet, "parquet_of_two": parquet_of_two, "hugging_face": hugging_face}
