"""The caller's rows of boxes and keypoints, and their labels: lists, arrays, tensors, pandas' tables. Read and given back by
position. The coordinates change; whatever stands behind them in a row keeps its value and, where rows are apart, its type.

Rows that hold whole numbers of one type become float64, which has room for each below 2^53; floating types stay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import torch

from .elements import refuse_gradient


def in_order(values: Any, name: str, what: str):
    """A container with a length and an order: iterators become lists. what: whose, for errors."""
    if isinstance(values, (list, tuple, np.ndarray, torch.Tensor)) or hasattr(values, "iloc"):
        if getattr(values, "ndim", 1) == 0:
            raise TypeError(f"{name} of {what} must be a list or an array, got the single value {values!r}")
        return values
    if isinstance(values, (str, bytes, Mapping, Set)) or not isinstance(values, Iterable):
        raise TypeError(f"{name} of {what} must be a list or an array, got {values!r}")
    return list(values)


def of_samples(values: Any, name: str) -> list:
    """A batch's rows or labels: one entry for each sample."""
    if hasattr(values, "iloc") and getattr(values, "ndim", 1) == 2:
        raise TypeError(f"{name} of a batch must be a list with the {name} of each sample, got one {type(values).__name__}")
    return list(in_order(values, name, "a batch"))


def at(values, k: int):
    """The k-th entry, by position; a number where it is one."""
    value = values.iloc[k] if hasattr(values, "iloc") else values[k]
    return value.item() if getattr(value, "ndim", 1) == 0 else value


def pick(values, origin: np.ndarray):
    """The entries ``origin`` of labels."""
    if hasattr(values, "iloc"):
        return values.iloc[origin]
    if isinstance(values, torch.Tensor):
        return values[torch.as_tensor(origin, device=values.device)]
    if isinstance(values, np.ndarray):
        return values[origin]
    return [values[j] for j in origin.tolist()]


def joined(parts: list, name: str):
    """Labels or rows of several samples as one container, of the kind that the first is."""
    first = parts[0]
    if len(parts) == 1:
        return first
    other = next((part for part in parts if type(part) is not type(first)), None)
    if other is not None:
        raise TypeError(
            f"{name} of one sample are {type(first).__name__}, of another {type(other).__name__}; samples that are put together "
            f"must hold theirs alike"
        )
    kinds = {_kind(part.dtype) for part in parts if hasattr(part, "dtype")}
    if len(kinds) > 1:  # NumPy and torch would make another type of both, in which numbers may change
        raise TypeError(
            f"{name} of one sample are {min(kinds)}, of another {max(kinds)}; samples that are put together must hold theirs "
            f"alike"
        )
    if isinstance(first, torch.Tensor):
        return torch.cat(parts)
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    if hasattr(first, "iloc"):
        import pandas

        return pandas.concat(parts)
    return type(first)(entry for part in parts for entry in part)


def _kind(dtype) -> str:
    return "text" if getattr(dtype, "kind", "") in ("U", "S") else str(dtype)


def cells(row):
    """The entries of one row, by position."""
    if isinstance(row, np.ndarray):
        return list(row)
    if isinstance(row, torch.Tensor) or hasattr(row, "iloc"):
        return row.tolist()
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return [getattr(row, field.name) for field in dataclasses.fields(row)]
    if isinstance(row, (str, bytes, Mapping, Set)) or not isinstance(row, Iterable):
        raise TypeError(f"a row must be a list, a tuple or an array of numbers, got {row!r}")
    return list(row)


def table(data, name: str, i: int, columns: int) -> np.ndarray:
    """The first columns of a sample's rows, as float64 ``[N, columns]``."""
    what = f"{name} of sample {i} must be rows of at least {columns} numbers"
    if isinstance(data, torch.Tensor):
        refuse_gradient(data, f"{name} of sample {i}")
        data = data.detach().cpu().double().numpy()
    if hasattr(data, "iloc") and data.ndim == 2:
        data = data.iloc[:, :columns].to_numpy(object)
    if isinstance(data, np.ndarray) and not _holds_rows(data):
        shape = data.shape
        rows = data.reshape(0, columns) if shape in ((0,), (0, 0), (1, 0)) else data
        if rows.ndim != 2 or rows.shape[1] < columns or rows.dtype.kind not in "biufO":
            raise ValueError(f"{what}, got shape {shape} of {rows.dtype}")
        rows = rows[:, :columns]
    else:
        rows = []
        for row in data:
            mine = cells(row)[:columns]
            if len(mine) < columns:
                raise ValueError(f"{what}, got {row!r}")
            rows.append(mine)
    try:
        rows = np.array(rows, np.float64).reshape(-1, columns)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: {error}") from None
    if not np.isfinite(rows).all():
        k = int(np.flatnonzero(~np.isfinite(rows).all(1))[0])
        raise ValueError(f"{name} {k} of sample {i} holds {rows[k].tolist()}: coordinates must be finite numbers")
    return rows


def like(data, origin: np.ndarray, written: np.ndarray, name: str, columns: int):
    """Rows ``origin`` of the caller's container, with the numbers ``written`` in their first columns."""
    k = written.shape[1]
    if isinstance(data, (torch.Tensor, np.ndarray)) and not _holds_rows(data):
        if data.ndim != 2 or data.shape[1] == 0:  # no rows, and nothing that says how wide they would be
            return data.reshape(0, columns)
        return _array(data, origin, written, name)
    if hasattr(data, "iloc") and data.ndim == 2:
        out = data.iloc[origin].copy()
        for column in range(k):
            kind = data.dtypes.iloc[column]
            floats = isinstance(kind, np.dtype) and kind.kind in "fO"
            out.isetitem(column, written[:, column].astype(kind if floats else np.float64))
        return out
    rows = [_row(at(data, j), new, name) for j, new in zip(origin.tolist(), written)]
    if hasattr(data, "iloc"):
        return type(data)(rows, index=data.index[origin], name=data.name, dtype=object)
    if isinstance(data, np.ndarray):
        out = np.empty(len(rows), object)
        for j, row in enumerate(rows):
            out[j] = row
        return out
    return rows


def _holds_rows(data) -> bool:
    """Whether an array is a list of objects, which are the rows."""
    return data.dtype == object and data.ndim == 1 and len(data) > 0


def _array(data, origin, written, name: str):
    """Rows of an array or a tensor (a single row is an array, too)."""
    k = written.shape[-1]
    if isinstance(data, torch.Tensor):
        data = data.detach()
        out = data if origin is ... else data[torch.as_tensor(origin, device=data.device)]
        if not out.is_floating_point():
            out = _exact(out, out.double(), k, name)
        out = out.clone()
        out[..., :k] = torch.as_tensor(written, dtype=out.dtype, device=out.device)
        return out
    out = data[origin].copy()
    if out.dtype.kind not in "fO":
        out = _exact(out, out.astype(np.float64), k, name)
    out[..., :k] = written
    return out


def _exact(whole, double, k: int, name: str):
    """``double``, if its columns behind the k-th still hold the whole numbers that they held."""
    more, kept = whole[..., k:], double[..., k:]
    lost = (abs(kept) >= 2.0**53).reshape(-1)  # 2^53 may have been 2^53 + 1
    if lost.any():
        raise ValueError(
            f"a row of {name} holds {more.reshape(-1)[lost][0].item()} behind its coordinates, where it would "
            f"be rounded (float64 has all whole numbers below 2^53); pass such a column as a label field"
        )
    return double


def _row(row, written: np.ndarray, name: str):
    """One row with other coordinates, of the kind that it was."""
    k = len(written)
    if isinstance(row, (np.ndarray, torch.Tensor)):
        return _array(row, ..., written, name)
    more = written.tolist() + cells(row)[k:]
    if hasattr(row, "iloc"):
        if row.dtype == object or row.dtype.kind == "f":
            return type(row)(more, index=row.index, name=row.name, dtype=row.dtype)
        return type(row)(_array(row.to_numpy(), ..., written, name), index=row.index, name=row.name)
    if dataclasses.is_dataclass(row):
        names = [field.name for field in dataclasses.fields(row)]
        return dataclasses.replace(row, **dict(zip(names[:k], more)))
    if hasattr(row, "_make"):  # a named tuple
        return row._make(more)
    return tuple(more) if isinstance(row, tuple) else more
