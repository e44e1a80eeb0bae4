"""Loaders that other libraries make from the attributes of this one: without a transform, since torch's has none."""

LOST = ("transform", "mix", "targets", "dtype")  # the arguments without which a loader yields something else


class Kept:
    """What a loader that makes more of its samples than torch does has as `collate_fn`.

    Whoever makes another loader from a loader's attributes (accelerate's skip_first_batches, Ray Train, torchdata, ...) hands
    this on. Only torch's own loader calls it; ours takes `function`, what the user gave or torch's default.
    """

    def __init__(self, function, given):
        self.function, self.given = function, given

    def __call__(self, samples):
        raise RuntimeError(
            "these samples came through another loader, which somebody made from the attributes of a gpuaug.DataLoader: they "
            f"are not {'transformed' if 'transform' in self.given else 'what it yields'}. Iterate over the gpuaug.DataLoader "
            "itself; docs/loading.md says how each framework takes it (Ray Train: prepare_data_loader(loader, "
            "add_dist_sampler=False); instead of accelerate's skip_first_batches: loader.load_state_dict(state)). To collate "
            "samples by hand call loader.collate_fn.function"
        )


def keep(loader):
    """Put a `Kept` into a loader whose batches are not torch's."""
    given = [name for name in LOST if getattr(loader, name) not in (None, [])]
    files = getattr(loader.dataset, "encoded", None) is not None or getattr(loader.dataset, "yields_encoded", False)
    if given or files:
        loader.collate_fn = Kept(loader.collate_fn, given)


def function_of(collate_fn, **arguments):
    """The user's function, or None; ValueError if the `collate_fn` is that of a loader with more than `arguments`."""
    if not isinstance(collate_fn, Kept):
        return collate_fn
    missing = [name for name in collate_fn.given if arguments[name] in (None, [])]
    if missing:
        raise ValueError(
            f"collate_fn is that of another gpuaug.DataLoader, which has {' and '.join(missing)}: a loader made from its "
            f"attributes must be given {' and '.join(f'{name}=loader.{name}' for name in missing)}, too. If it shall do without, "
            f"pass collate_fn=loader.collate_fn.function"
        )
    return collate_fn.function
