"""What a transform was told to move, and where the user says that it is."""

from dataclasses import dataclass, field

from .names import BOX_NAMES, KEYPOINT_NAMES
from .structure import as_path

SETS = ("images", "masks")  # several of a sample: an array with one axis more, or a list
VOLUMES = ("volume", "volumes", "mask3d", "masks3d")  # of a sample: arrays with one axis more, or two
MARKS = ("bboxes", "keypoints")
UNTOUCHED = "untouched"


@dataclass(frozen=True)
class Asked:
    """What a transform was told to transform, and where the user says that it is. Travels to worker processes.

    explicit: {name: path}. untouched: paths, or names of keys at any depth. additional: {name: kind}, a Compose's
    additional_targets. boxes, points: whether it has bbox_params; how many numbers its keypoint_params read, or 0.
    fields: {"bboxes": names, "keypoints": names}, the label fields. mover: the first transform that moves pixels, or "".
    """

    explicit: dict = field(default_factory=dict)
    untouched: tuple = ()
    additional: dict = field(default_factory=dict)
    boxes: bool = True
    points: int = 2
    fields: dict = field(default_factory=dict)
    mover: str = ""
    points_stay: bool = False
    box_format: str = ""
    instance_masks: str = ""  # the set of masks that the transform itself drops with their boxes

    def whole(self):
        """Names under which a list is one target, not a container."""
        sets = (name for name, kind in self.additional.items() if kind in (*SETS, *VOLUMES))
        return frozenset((*BOX_NAMES, *KEYPOINT_NAMES, *SETS, *VOLUMES, *sets, *self.labels()))

    def kind(self, name):
        """What a target of this name is: of an additional one what the transform was told."""
        return self.additional.get(name, name)

    def labels(self):
        return tuple(name for names in self.fields.values() for name in names)

    def role(self, name):
        """How a target is loaded: "image", "mask", or "as is" (boxes, points, what goes with them, sets, volumes)."""
        if isinstance(name, Row) or name in MARKS or name in self.labels():
            return "as is"
        kind = self.kind(name)
        return "as is" if kind in SETS or kind in VOLUMES else "mask" if kind == "mask" else "image"


@dataclass(frozen=True)
class Row:
    """The name of an entry that has one row for each box (or point) and is no label field: it loses what they lose."""

    of: str
    path: tuple

    def __repr__(self):
        return shown(self.path)


def shown(path):
    return repr(path[0] if len(path) == 1 else path)


def as_asked(targets):
    """(explicit, untouched) of what the user wrote as targets=."""
    targets = dict(targets or {})
    untouched = targets.pop(UNTOUCHED, ())
    untouched = (untouched,) if isinstance(untouched, (str, int)) else tuple(untouched)
    settled = tuple(where if isinstance(where, (tuple, str)) else (where,) for where in untouched)
    return {name: as_path(where) for name, where in targets.items()}, settled
