"""Whole samples handed to code that is not gpuaug's, in the middle of a draw, and what it makes of them put in their place.

Everything that the pipeline did so far is executed for it; the code gets one sample after the other in the host's memory, as
albumentations would hand it over; the pipeline goes on from what comes back. So sizes, channels and boxes that only that code
knows are known to all draws behind it.
"""

from __future__ import annotations

import time
from numbers import Real

import numpy as np
import torch

from .batch import Batch
from .deliver import given_back
from .elements import carried
from .executed import Executed, as_plain, in_type
from .geometry import area
from .label_params import TINY
from .rows import at, cells
from .seeding import apart
from .targets import Boxes, Keypoints, Marks


class Handing:
    """One step of a pipeline: its samples, on their way to a transform and back.

    Args:
        targets, marks: of the call. kinds: what each name is: "image", "masks", "bboxes", ..
        transform: has ``handles(kind)``, whether it changes targets of that kind; ``looks``, whether it sees the others, too;
            ``on_sample(sample, kinds, seed)``, which returns the sample's new values by name, and what it drew; ``why``, what it
            does, for `Compose.explain`.
        rows: int ``[n]``, the samples. size: ``[n, 2]``, theirs now. beside: what else came with the call, an entry for each
            sample of the batch, for transforms that look.
    """

    rowwise = True  # are boxes and keypoints handed over, too?

    def __init__(
        self,
        targets: dict[str, Executed],
        marks: list[Marks],
        kinds: dict[str, str],
        drawn,
        transform,
        rows,
        size,
        beside: dict[str, list] | None = None,
    ):
        self.who, self.transform, self.drawn, self.rows, self.size = transform.who, transform, drawn, rows, size
        self.targets, self.marks, self.kinds, self.beside = targets, marks, kinds, beside or {}
        self.handled = [name for name in targets if transform.handles(kinds[name])]
        seen = targets if transform.looks else self.handled
        self.views = {name: targets[name].views(drawn) for name in seen}
        self.tables = {}
        if marks and self.rowwise and (transform.looks or any(transform.handles(kinds[m.name]) for m in marks)):
            for each in marks:
                now = drawn.move_marks(each, each.size, last=False)
            drawn.marked, drawn.marked_size = len(drawn.steps), now
            self.tables = {m.name: _Rows(m, now, self.who) for m in marks}
        self.changed = {name: {} for name in self.handled}  # other sizes
        self.remade = {name: {} for name in self.handled}  # another type, or number of channels
        self.flats = {name: set() for name in self.handled}

    def run(self, seeds: list[int]) -> dict:
        """Returns parameters: ``after``, sizes; ``channels``; ``drawn``, what the transform says that it drew."""
        n, shown = len(self.rows), np.empty(len(self.rows), object)
        self.transform.told({type(marks).name: marks.params for marks in reversed(self.marks)})
        begin = time.perf_counter()
        with apart():
            for k, i in enumerate(self.rows.tolist()):
                sample = {name: self._value(name, i) for name in self.views}
                sample |= {name: table.of(i) for name, table in self.tables.items()}
                sample |= {name: values[i] for name, values in self.beside.items()}
                try:
                    out, shown[k] = self.transform.on_sample(dict(sample), self.kinds, seeds[k])
                    for name in self.handled:
                        self._take(name, i, sample[name], out.get(name))
                    for name, table in self.tables.items():
                        if table.many(i) and self.transform.handles(self.kinds[name]):
                            table.take(i, out.get(name))
                except Exception as error:
                    kind = type(error) if isinstance(error, (TypeError, ValueError)) else RuntimeError
                    raise kind(f"{self.who} failed on sample {i} of the batch: {error}") from error
        spent = 1e3 * (time.perf_counter() - begin) / max(n, 1)
        return self._finish(shown, f"{spent:.2f} ms each", "host")

    def _finish(self, shown, spent: str, where: str) -> dict:
        for name in self.handled:
            self._commit(name, spent, where)
        after = self._sizes()
        self._move(after)
        lead = next((name for name in self.targets if self.targets[name].kind == "image"), next(iter(self.targets)))
        channels = self.targets[lead].track(self.drawn).channels
        for name in self.handled:
            self.targets[name].done = len(self.drawn.steps) + 1  # this one, too
        return {"after": after, "channels": np.full(len(self.rows), channels), "drawn": shown}

    # ---- images ------------------------------------------------------------------------------

    def _frames(self, name: str, i: int) -> range:
        """Which images of a target are sample i's."""
        frames = self.targets[name].frames
        if frames is None:
            return range(i, i + 1)
        start = sum(frames.counts[:i])
        return range(start, start + frames.counts[i])

    def _one(self, name: str, j: int):
        """Image j of a target, as the caller would see it."""
        target = self.targets[name]
        track, view = target.track(self.drawn), self.views[name][j]
        if track.layout == "CHW":
            return view[..., 0] if target.flat and view.shape[2] == 1 else view.permute(2, 0, 1)
        image = given_back(as_plain(view), track.given)
        return image[..., 0] if target.flat and image.shape[2] == 1 else image

    def _value(self, name: str, i: int):
        target = self.targets[name]
        each = [self._one(name, j) for j in self._frames(name, i)]
        if target.frames is None:
            return each[0]
        if isinstance(target.frames.parts[i], (list, tuple)) or not each or len({image.shape for image in each}) > 1:
            return each
        whole = torch.stack(each) if isinstance(each[0], torch.Tensor) else np.stack(each)
        volumes = target.frames.volumes
        return whole if volumes is None else whole.reshape(volumes[i], -1, *whole.shape[1:])

    def _take(self, name: str, i: int, value, out) -> None:
        target = self.targets[name]
        if target.frames is None:
            self._image(name, i, value, out)
            return
        if target.frames.volumes is not None:
            value, out = ([image for volume in each for image in volume] for each in (value, out))
        if out is None or len(out) != len(value):
            got = "None" if out is None else f"{len(out)}"
            raise ValueError(f"{name} has {len(value)} images; as many must come back, got {got}")
        for j, before, after in zip(self._frames(name, i), value, out):
            self._image(name, j, before, after)

    def _image(self, name: str, j: int, value, out) -> None:
        """Put one image in its place, or aside."""
        target, view = self.targets[name], self.views[name][j]
        track = target.track(self.drawn)
        if isinstance(out, torch.Tensor) and isinstance(value, torch.Tensor):
            out = out if out.ndim == 2 else out.permute(1, 2, 0) if out.ndim == 3 else out
            value, out = np.empty(0, _numpy_type(value)), out.detach().cpu()
            out = out.float().numpy() if out.dtype == torch.bfloat16 else out.numpy()
        if not isinstance(out, np.ndarray):
            raise TypeError(f"of {name} it must return an array, got {'None' if out is None else type(out).__name__}")
        if out.ndim not in (2, 3) or 0 in out.shape:
            raise ValueError(f"of {name} it must return an array [H, W] or [H, W, C] with pixels, got shape {out.shape}")
        if out.dtype != value.dtype and out.dtype == np.float64:
            raise ValueError(
                f"it returned float64 for {name} of {value.dtype}, and nothing is cast silently: return it as it came, "
                f".astype({name}.dtype), or float32"
            )
        if not value.size or out.ndim != value.ndim:
            self.flats[name].add(out.ndim == 2)
        whole = out if out.ndim == 3 else out[..., None]
        if out.dtype != value.dtype or whole.shape[2] != view.shape[2]:
            self.remade[name][j] = np.array(whole, order="C")
            return
        if out is value and not track.given and view.is_cpu and view.dtype != torch.bfloat16:
            return  # written in place, or as it was
        if track.given:
            whole = carried(whole, track.given, name, False, target.kind == "mask")
        if whole.shape == tuple(view.shape):
            view.copy_(in_type(whole, track.dtype))
        else:  # a copy: nobody knows whether the memory will serve again
            self.changed[name][j] = in_type(np.array(whole, order="C"), track.dtype).to(view.device)

    def _commit(self, name: str, spent: str, where: str) -> None:
        """Let the target go on from what came back."""
        target, changed, remade = self.targets[name], self.changed[name], self.remade[name]
        track, views = target.track(self.drawn), self.views[name]
        n, many = len(self.rows), self.drawn.samples
        cost = "; waits for the GPU and copies them there and back" if (where, track.device.type) == ("host", "cuda") else ""
        note = f"{self.who}: {where} on {'all' if n == many else f'{n} of {many}'} samples: {self.transform.why}, {spent}{cost}"
        flats = self.flats[name]
        flat = next(iter(flats)) if len(flats) == 1 and n == many else track.flat
        if remade:
            self._agree(name, remade)
            images = [remade[j] for j in range(len(views))]
            target.become(Batch.of(images, "HWC", name=name, labels=target.kind == "mask"), flat)
        elif changed:
            target.replace(changed, flat)
        else:
            track.flat = flat
        track.segments.append(note)

    def _agree(self, name: str, remade: dict) -> None:
        """Raise unless all images of a target are alike: a batch has one type and one number of channels."""
        views = self.views[name]
        track = self.targets[name].track(self.drawn)
        was = f"{track.given or track.dtype}, {views[0].shape[2]} channels"
        kinds = {j: f"{str(image.dtype).removeprefix('torch.')}, {image.shape[2]} channels" for j, image in remade.items()}
        first, other = (
            next(iter(kinds)),
            next((j for j in range(len(views)) if kinds.get(j, was) != next(iter(kinds.values()))), None),
        )
        if other is None:
            return
        raise ValueError(
            f"{self.who} made {name} {first} of the batch into {kinds[first]}, but {name} {other} is {kinds.get(other, was)}; "
            f"all samples of a batch must agree: set its p to 1, do not place it in OneOf or SomeOf, and return the same for all"
        )

    def _sizes(self) -> np.ndarray:
        """Sizes ``[n, 2]`` of the samples now, which all targets must have."""
        after = np.array(self.size, np.int64)
        if not any(self.changed.values()) and not any(self.remade.values()):
            return after
        size = {name: self.targets[name].track(self.drawn).size for name in self.handled}
        for k, i in enumerate(self.rows.tolist()):
            first = None
            for name, target in self.targets.items():
                if name not in size and target.blank:
                    continue
                mine = [size[name][j] for j in self._frames(name, i)] if name in size else [self.size[k]]
                for each in map(tuple, np.array(mine).reshape(-1, 2).tolist()):
                    first = first or (name, each)
                    if each != first[1]:
                        raise ValueError(
                            f"{self.who} left sample {i} of the batch with {first[0]} of {first[1]} and {name} of {each} "
                            f"(height, width); they must agree: what changes the size of one must change all "
                            f"(gpuaug.DualTransform, apply_to_mask)"
                        )
            after[k] = after[k] if first is None else first[1]
        moved = (after != self.size).any(1)
        lost = next((m.name for m in self.marks if len(m.values) and not self.transform.handles(self.kinds[m.name])), None)
        if moved.any() and lost is not None:
            raise ValueError(
                f"{self.who} changed the size of sample {int(self.rows[moved.argmax()])} of the batch, and nobody knows where "
                f"its {lost} are then; derive it from gpuaug.DualTransform, with apply_to_{lost}"
            )
        return after

    # ---- boxes and keypoints -----------------------------------------------------------------

    def _move(self, after: np.ndarray) -> None:
        if not self.tables:
            return
        drawn, size = self.drawn, self.drawn.marked_size.copy()
        size[self.rows] = after
        mine = np.zeros(drawn.samples, bool)
        mine[self.rows] = True
        for name, table in self.tables.items():
            if self.transform.handles(self.kinds[name]):
                table.commit(size)
                table.marks.limit(size, drop=table.marks.params.check_each_transform, of=mine)
        drawn.marked, drawn.marked_size = len(drawn.steps) + 1, size


def _numpy_type(tensor: torch.Tensor):
    return (tensor[..., :0].float() if tensor.dtype == torch.bfloat16 else tensor[..., :0]).cpu().numpy().dtype


class _Rows:
    """Boxes or keypoints of a batch as albumentations hands them over: coordinates, and the labels as numbers behind them."""

    def __init__(self, marks: Marks, size: np.ndarray, who: str):
        if type(marks) not in (Boxes, Keypoints):
            raise ValueError(f"{who} moves upright boxes; {marks.name} are oriented ones")
        self.marks, self.size = marks, size
        self.ends = np.searchsorted(marks.sample, np.arange(len(size) + 1))
        self.width = 4 if marks.hook == "boxes" else 5
        self.moved: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def many(self, i: int) -> int:
        return int(self.ends[i + 1] - self.ends[i])

    def of(self, i: int) -> np.ndarray:
        """float64 ``[N, 4 + labels]``, boxes as fractions of their image; or ``[N, 5 + labels]``: x, y, z, angle, scale."""
        marks, mine = self.marks, slice(self.ends[i], self.ends[i + 1])
        if marks.hook == "boxes":
            values = marks.values[mine] / self.size[i][[1, 0, 1, 0]]
        else:
            values = np.insert(marks.values[mine], 2, marks.z[mine], axis=1)
        return np.concatenate([values, self._labels(i)], 1)

    def _labels(self, i: int) -> np.ndarray:
        marks, rows = self.marks, []
        for j in range(self.ends[i], self.ends[i + 1]):
            home, origin = int(marks.home[j]), int(marks.origin[j])
            behind = cells(at(marks.data[home], origin))[marks._columns :]
            fields = (marks.now[f][j] if f in marks.now else at(values[home], origin) for f, values in marks.fields.items())
            rows.append([*behind, *fields])
        columns = [_numbered(column) for column in zip(*rows)]
        return np.array(columns, np.float64).T if columns else np.zeros((len(rows), len(marks.fields) if not rows else 0))

    def take(self, i: int, out) -> None:
        name, given = self.marks.name, self.of(i)
        if out is None:
            raise TypeError(f"of {name} it must return rows, got None")
        rows = np.array([tuple(row) for row in out], np.float64).reshape(-1, given.shape[1] if not len(out) else len(out[0]))
        if rows.shape[1] == self.width < given.shape[1] and len(rows) == len(given):
            rows = np.concatenate([rows, given[:, self.width :]], 1)
        if rows.shape[1] != given.shape[1] or not np.isfinite(rows).all():
            raise ValueError(
                f"of {name} it must return rows of {given.shape[1]} finite numbers, as it got them ({self.width} of them "
                f"coordinates), got shape {rows.shape}"
            )
        self.moved[i] = rows[:, : self.width], self.ends[i] + self._whose(rows, given, name)

    def _whose(self, rows: np.ndarray, given: np.ndarray, name: str) -> np.ndarray:
        """Which of the rows that were given each of those is that came back: by their labels, in order."""
        new, old = rows[:, self.width :], given[:, self.width :]
        if len(new) == len(old) and (new == old).all():
            return np.arange(len(old))
        free, found = list(range(len(old))), []
        for row in new:
            alike = np.flatnonzero((old == row).all(1)).tolist()
            if not alike:
                raise ValueError(f"of {name} it returned a row with the labels {row.tolist()}, which none had that it got")
            best = next((j for j in alike if j in free), alike[0])
            if best in free:
                free.remove(best)
            found.append(best)
        return np.array(found, int)

    def commit(self, size: np.ndarray) -> None:
        """Let the marks go on from what came back; size ``[B, 2]``, of their images now."""
        marks, index, new, where = self.marks, [], [], []
        for i in range(len(self.size)):
            if i in self.moved:
                rows, origin = self.moved[i]
                where.append(np.arange(len(origin)) + sum(map(len, index)))
                new.append(rows * size[i][[1, 0, 1, 0]] if marks.hook == "boxes" else rows)
                index.append(origin)
            else:
                index.append(np.arange(self.ends[i], self.ends[i + 1]))
        if not new:
            return
        new, where = np.concatenate(new), np.concatenate(where)
        marks.take(np.concatenate(index))
        if marks.hook != "boxes":
            marks.values[where], marks.z = np.delete(new, 2, axis=1), marks.z.copy()
            marks.z[where] = new[:, 2]
            return
        # what was cut out of a box lies nobody knows where: the share that was left of it stays
        bent = where[abs(marks.values[where] - new).max(1, initial=0) > 1e-9]
        share = marks.visible / np.maximum(marks.full, TINY)
        marks.values[where], marks.full, marks.visible = new, marks.full.copy(), marks.visible.copy()
        marks.full[bent] = area(marks.values[bent]) / np.maximum(share[bent], TINY)
        marks.visible[bent] = area(marks.values[bent])
        marks._keep_cuts(~np.isin(marks.cut_of, bent))


def _numbered(column) -> list[float]:
    """Labels as numbers: themselves where all are, else their places among those that there are, as albumentations' are."""
    if all(isinstance(value, Real) for value in column):
        return list(column)
    order = {label: k for k, label in enumerate(sorted(set(map(str, column))))}
    return [order[str(label)] for label in column]
