"""How far a loader's epoch is, and what has to be saved for it to go on."""

import base64
from dataclasses import dataclass, field

import torch

from .order import Position

START = Position()


@dataclass
class Progress:
    """Where an epoch is.

    sampler: the state of a sampler's randomness when the epoch began. states: {worker: the dataset's own state there}, for
    datasets that have one. last: the worker that the last batch came from. workers: how many there are.
    """

    epoch: int
    position: Position = START
    sampler: object = None
    done: bool = False
    states: dict = field(default_factory=dict)
    last: int | None = None
    workers: int = 0

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
