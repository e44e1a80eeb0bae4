"""Tables in CSV files: their rows, and how the texts of a column become class numbers."""

import csv
import io
from numbers import Integral

from .remote import contents
from .scan import first
from .urls import is_url


def read_csv(file, wanted, delimiter, encoding):
    """The line number of each row, as an editor shows it, and ``{column: cells}`` of the wanted columns."""
    with io.TextIOWrapper(contents(file) if is_url(file) else open(file, "rb"), encoding, newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            header = next(reader, [])
            twice = sorted({name for name in header if header.count(name) > 1} & set(wanted))
            if twice:
                raise ValueError(f"{file}: the header has {first(twice)} more than once; rename one")
            absent = [name for name in wanted if name not in header]
            if absent:
                raise ValueError(f"{file} has no column {first(absent)}; its header is {header} (delimiter={delimiter!r})")
            numbers, rows = [], []
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise ValueError(
                        f"{file}, row {reader.line_num}: {len(row)} cells, the header has {len(header)}; "
                        f"quote cells that contain {delimiter!r}"
                    )
                numbers.append(reader.line_num)
                rows.append(row)
        except csv.Error as error:
            raise ValueError(f"{file}, row {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{file} is not {encoding}: {error}; pass its encoding, such as 'cp1252'") from error
    if not rows:
        raise ValueError(f"{file} has a header and no rows")
    cells = list(zip(*rows, strict=True))
    return numbers, {name: cells[header.index(name)] for name in wanted}


def class_names(where, column, cells):
    """The classes that occur in a column, in the order of their numbers: sorted, whole numbers by value.

    Numbers that are 0 to n - 1 stand for themselves. Others could be class numbers of which some do not occur here, or names to
    be numbered anew, so that they are an error.

    >>> class_names("t.csv", "kind", ["10", "2", "0", "1", *"9876543"])
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10']
    """
    names = sorted(set(cells) - {""})
    numbers = [_number(name) for name in names]
    if not names or None in numbers:
        return names
    if len(set(numbers)) < len(names):
        same = next([a, b] for i, a in enumerate(names) for b in names[:i] if _number(a) == _number(b))
        raise ValueError(f"{where}: column {column!r} writes one number as {' and '.join(same)}; write it one way")
    ordered = [name for _, name in sorted(zip(numbers, names))]
    if sorted(numbers) != list(range(len(numbers))):
        least, most = ordered[0], ordered[-1]
        top = f"{max(numbers):.0f}" if float(max(numbers)).is_integer() else "..."
        raise ValueError(
            f"{where}: column {column!r} holds {len(names)} different numbers from {least} to {most}, not all of 0 to n - 1. If "
            f"they are class numbers pass classes={{{column!r}: range({top} + 1)}}, if they are names in disguise "
            f"classes={{{column!r}: {ordered if len(ordered) < 6 else '[...]'}}}, or numeric={column!r} if they are measured"
        )
    return ordered


def numbers_of(names):
    """A function from a cell to its class number or None, where `names` are the classes in order."""
    if names and all(isinstance(name, Integral) for name in names):
        by_value = {float(name): number for number, name in enumerate(names)}
        return lambda cell: by_value.get(_number(cell))
    return {name: number for number, name in enumerate(names)}.get


def _number(text):
    """The value of a cell that is written as a finite number, else None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 and "_" not in text else None


def listed(argument, value):
    """An argument that is a name, or several, as a list."""
    if isinstance(value, str):
        return [value]
    return unique(argument, value)


def unique(argument, names):
    """ValueError for a name that comes more than once."""
    names = list(names)
    twice = sorted({str(name) for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise ValueError(f"{argument} has {first(twice)} more than once; each name stands for one number")
    return names
