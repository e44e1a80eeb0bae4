"""What a loader does for Lightning, which goes on with an epoch: its state is loaded, and its batches are counted anew.

Lightning asks for the length once, before it hands a loader its state, and cuts every epoch there. An epoch that other ranks
began has another number of batches on each rank than the epochs behind it, so that samples would be lost in either: of 53 in
batches of 4, two ranks' epoch that one goes on with has 11 batches, and the next one 14. And where a program has asked for
`trainer.estimated_stepping_batches`, Lightning 2.6 never loads the state, and begins the epoch again.
"""

import sys


def tell():
    """Called in the loader's `__iter__`: if Lightning's training is what iterates, a callback sees to it."""
    modules = [module for name in _LIGHTNING if hasattr(module := sys.modules.get(name), "Trainer")]
    if not modules:
        return
    frame = sys._getframe(2)
    while frame is not None:  # some fifteen: what trains runs in a method of the trainer's
        trainer = frame.f_locals.get("self")
        base = next((module.Callback for module in modules if isinstance(trainer, module.Trainer)), None)
        if base is not None:
            if trainer.training and not any(type(callback).__name__ == _NAME for callback in trainer.callbacks):
                trainer.callbacks.append(_made(base)())
            return
        frame = frame.f_back


_LIGHTNING = "lightning.pytorch", "pytorch_lightning"
_NAME = "_CountsAgain"
TRIED = "2.5", "2.6"


def _need(thing, *names):
    """RuntimeError unless Lightning's `thing` has these names, of which few are promised to stay."""
    for name in names:
        if not hasattr(thing, name):
            _refuse(type(thing), f"has no {type(thing).__name__}.{name}")


def _refuse(kind, what):
    package = kind.__module__.partition(".")[0]
    version = getattr(sys.modules.get(package), "__version__", "of an unknown version")
    raise RuntimeError(
        f"{package} {version} {what}, by which gpuaug.DataLoader counts the batches of an epoch that training goes on with: some "
        f"would be lost, or come twice; it was run with versions {TRIED[0]} to {TRIED[1]}, install one of these"
    )


def _made(base):
    def on_train_start(self, trainer, module):
        loop = trainer.fit_loop
        _need(loop, "restarting")
        if not loop.restarting:
            return
        _need(loop, "_combined_loader", "_combined_loader_states_to_load", "_load_combined_loader_states")
        _need(loop, "_data_fetcher", "max_batches")
        _need(loop._data_fetcher, "length")
        _need(loop._combined_loader, "limits", "flattened", "_mode", "_iterator")
        if loop._combined_loader_states_to_load:
            loop._load_combined_loader_states()
            iter(loop._data_fetcher)
        self.combined = combined = loop._combined_loader
        self.whole = list(combined.limits)  # of epochs that these ranks do from the start
        if combined._iterator.limits is not combined.limits:  # the iterator of the epoch is there already
            _refuse(type(combined), f"copies {type(combined).__name__}.limits")
        combined.limits[:] = [_limited(trainer, limit, loader) for limit, loader in zip(self.whole, combined.flattened)]
        if combined.limits != self.whole:
            _need(loop, "restarted_mid_epoch")  # before 2.5 its own count of such an epoch is one batch short, and so is the next
        loop._data_fetcher.length = len(combined)
        _set(trainer, len(combined))

    def on_train_epoch_end(self, trainer, module):
        if self.combined is not None:
            self.combined.limits[:] = self.whole

    def on_train_epoch_start(self, trainer, module):
        combined, self.combined = self.combined, None
        if combined is not None and combined is trainer.fit_loop._combined_loader:  # else it was made anew, and counted
            _set(trainer, (min if combined._mode == "min_size" else max)(self.whole))

    hooks = {hook.__name__: hook for hook in (on_train_start, on_train_epoch_end, on_train_epoch_start)}
    return type(_NAME, (base,), {"combined": None, "whole": None, **hooks})


def _limited(trainer, limit, loader):
    """What Trainer(limit_train_batches=) leaves of the epoch that a loader is in."""
    if not hasattr(loader, "load_state_dict") or limit == float("inf"):
        return limit
    share = trainer.limit_train_batches
    return min(len(loader), share) if isinstance(share, int) else int(len(loader) * share)


def _set(trainer, count):
    trainer.fit_loop.max_batches = count
    interval = trainer.val_check_interval
    if isinstance(interval, float) and trainer.val_check_batch not in (None, float("inf")) and count != float("inf"):
        trainer.val_check_batch = max(1, int(count * interval))
