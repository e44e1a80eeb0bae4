"""What a loader does for Hugging Face's accelerate: it stays itself, and tells when an epoch ends."""

import sys
import weakref

import torch
from torch.utils.data import IterableDataset


class Accelerated:
    """A loader that `Accelerator.prepare` hands back as it is, instead of making one from its dataset.

    end_of_dataloader, remainder: as accelerate's own loaders have them. `Accelerator.accumulate` asks whether the batch is the
    last one, `gather_for_metrics` how many of the rows gathered from it are samples that no other row stands for (0: all,
    -1: not known).
    """

    end_of_dataloader, remainder = False, -1
    _accelerated = False

    @property
    def _is_accelerate_prepared(self):
        """accelerate asks this before it makes a loader of its own, and leaves one alone that says yes."""
        asking = sys._getframe(1).f_locals  # it hands nothing over: the Accelerator is the one that asks
        accelerator = asking.get("self")
        if hasattr(accelerator, "split_batches") and hasattr(accelerator, "even_batches"):
            placed = asking.get("device_placement")
            self._prepare(accelerator, accelerator.device_placement if placed is None else placed)
        return True

    @_is_accelerate_prepared.setter
    def _is_accelerate_prepared(self, value):
        """accelerate marks what it has prepared; nothing to do."""

    def _prepare(self, accelerator, placed):
        if accelerator.num_processes > 1:
            _check(self, accelerator)
        if placed and accelerator.device != self.device:
            if accelerator.device.type not in ("cpu", "cuda"):
                raise ValueError(
                    f"accelerate computes on {accelerator.device}, a gpuaug.DataLoader delivers to the CPU or a CUDA GPU: use "
                    f"accelerator.prepare(loader, device_placement=[False]) and move the batches yourself"
                )
            self.device, self._set_up = accelerator.device, None
        self._accelerated = True

    def _block(self):
        """Rows that stay together when ranks share an order: accelerate cuts what was repeated off the end of all rows."""
        return self.batch_size or 1 if self._accelerated else 1

    def _told(self, road, world):
        """`road`, one batch ahead, so that accelerate knows the last one."""
        if not self._accelerated:
            return road
        self.end_of_dataloader, self.remainder = False, _remainder(self, world)
        return _Told(self, road)


class _Told:
    """The batches of a road, read one ahead."""

    def __init__(self, loader, road):
        self._loader, self._road = loader, road
        self._ahead = self._forget = None

    def __iter__(self):
        return self

    def __next__(self):
        if self._forget is None:
            from accelerate.state import GradientState

            state = GradientState()
            state._add_dataloader(self._loader)
            self._forget = weakref.finalize(self, state._remove_dataloader, self._loader)  # when an epoch is left, too
            self._forget.atexit = False
            self._ahead = self._next()
        now, error = self._ahead
        if error is not None:
            self._forget()
            raise error
        self._ahead = self._next()
        self._loader.end_of_dataloader = isinstance(self._ahead[1], StopIteration)
        return now

    def _next(self):
        try:
            return next(self._road), None
        except Exception as error:  # it is the next batch's; this one comes first
            return None, error

    def close(self):
        if self._forget is not None:
            self._forget()
        if hasattr(self._road, "close"):
            self._road.close()


def _remainder(loader, world):
    if world == 1:
        return 0
    if not loader._own_order or loader.batch_size is None or loader.on_error == "skip":
        return -1
    return 0 if loader.drop_last else loader._to_deal() % (loader.batch_size * world)


def deals_out(part):
    """Whether a sampler or an iterable gives each rank its own part."""
    return bool(getattr(part, "deals_out", hasattr(part, "num_replicas")))


def _check(loader, accelerator):
    """ValueError where accelerate's loader would share samples out, and ours would not do the same."""
    world, dist = accelerator.num_processes, torch.distributed
    dealt = any(map(deals_out, (loader.sampler, loader.batch_sampler, getattr(loader.batch_sampler, "sampler", None))))
    if accelerator.split_batches:
        raise ValueError(
            f"Accelerator(split_batches=True) divides batches by {world} processes; a gpuaug.DataLoader's batch_size is that of "
            f"one process: leave split_batches out, and divide batch_size={loader.batch_size} yourself"
        )
    if isinstance(loader.dataset, IterableDataset):
        if not deals_out(loader.dataset):
            raise ValueError(
                f"each of {world} processes would iterate over all of {type(loader.dataset).__name__}: let it yield the "
                f"samples of its own rank (torch.distributed.get_rank()) alone, and say so with its attribute deals_out = True"
            )
    elif not loader._own_order and not dealt:
        raise ValueError(
            f"each of {world} processes would take all that {type(loader.batch_sampler or loader.sampler).__name__} yields: give "
            f"the loader shuffle= and seed= instead, torch's DistributedSampler, a sampler of gpuaug.data, or one of your own "
            f"that yields the part of its rank and says so with its attribute deals_out = True"
        )
    elif not dealt:
        if not accelerator.even_batches:
            raise ValueError(
                "Accelerator(even_batches=False): a gpuaug.DataLoader gives all processes equally many samples, and "
                "gather_for_metrics leaves out what was repeated for that. Leave even_batches out, or give the loader a sampler"
            )
        mesh = getattr(accelerator, "torch_device_mesh", None)  # older ones have none
        dims = () if mesh is None else (mesh.mesh_dim_names or ())
        together = [name for name in dims if name in ("tp", "cp", "sp") and mesh[name].size() > 1]
        if together or not dist.is_initialized() or dist.get_world_size() != world:
            raise ValueError(
                f"the processes along {', '.join(together) or 'some axes'} of the device mesh need the same batches, and a "
                f"gpuaug.DataLoader gives each process its own: pass sampler=DistributedSampler(dataset, num_replicas=groups, "
                f"rank=this group)"
            )
