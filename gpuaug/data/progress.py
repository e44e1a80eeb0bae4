"""How far a loader's epoch is, and what has to be saved for it to go on."""

import base64
from dataclasses import dataclass, field

import torch

from .dealing import Dealing, Leg, own_position, part, settled
from .order import START, Position


@dataclass
class Progress:
    """Where an epoch is.

    sampler: the state of a sampler's randomness when the epoch began. states: {worker: the dataset's own state there}, for
    datasets that have one. last: the worker that the last batch came from. workers: how many there are. legs: what other ranks
    delivered of the epoch before. dealing: how the rank is dealt to that is at `position`.
    """

    epoch: int
    position: Position = START
    sampler: object = None
    done: bool = False
    states: dict = field(default_factory=dict)
    last: int | None = None
    workers: int = 0
    legs: tuple[Leg, ...] = ()
    dealing: Dealing | None = None

    def place(self, now):
        """(legs, position) with which a rank goes on that is dealt to as `now` says."""
        return settled(self.legs, self.dealing, self.position, now)

    def is_moved(self, now):
        """Whether it is another rank's place, or other ranks began the epoch: then it takes the whole order to go on."""
        if self.dealing is None or (self.position == START and not self.legs):
            return False
        legs, _ = self.place(now)
        return bool(legs) or self.dealing.rank not in (None, now.rank)

    def begin(self, entries, now):
        """(ids, occurrence) of the part of this rank, at the place where it goes on from here."""
        was, at = self.dealing, self.position
        self.legs, self.position = self.place(now)
        self.dealing = now
        found = part(entries, self.legs, now)
        if self.position != START and was.rank not in (None, now.rank):
            self.position = own_position(entries, self.legs, was, at, now)
        return found

    def advance(self, loaded):
        self.position = loaded.position
        if loaded.state is not None:
            self.last = loaded.state[0]
            self.states = {**self.states, self.last: loaded.state[1]}

    def turn(self):
        """The worker whose turn is next."""
        return 0 if self.last is None or not self.workers else (self.last + 1) % self.workers

    def saved(self, workers):
        """The dataset's states, for `state_dict`: with strings as keys, as JSON has them."""
        last = None if self.done else self.last  # an epoch begins with the first worker
        return {"workers": workers, "last": last, "states": {str(worker): state for worker, state in self.states.items()}}

    def restore(self, saved, workers):
        if saved["workers"] != workers:
            raise ValueError(
                f"the state holds the dataset's own in num_workers={saved['workers']} workers, this loader has "
                f"num_workers={workers}; use as many"
            )
        self.states = {int(worker): state for worker, state in saved["states"].items()}
        self.last, self.workers = saved["last"], workers


def as_text(sampler):
    """A sampler's state as JSON has it, where it is that of a torch.Generator; what a sampler of the user's saves stays."""
    if isinstance(sampler, torch.Tensor):
        return {"generator": base64.b64encode(sampler.numpy().tobytes()).decode()}
    return sampler


def from_text(saved):
    """The other way; tensors, as earlier versions saved, are taken too."""
    if isinstance(saved, dict) and set(saved) == {"generator"} and isinstance(saved["generator"], str):
        return torch.frombuffer(bytearray(base64.b64decode(saved["generator"])), dtype=torch.uint8)
    return saved
