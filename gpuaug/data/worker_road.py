"""The road for datasets that declare nothing: what they return is seen from the first batch that workers send."""

from .encoded import EncodedRoad
from .foresight import say_exact
from .producer import Producer
from .replies import PixelRoad, encoded_plan
from .survey import recipe, targets_of


class WorkerRoad:
    """Batches of torch's workers: their pixels, or, once the first batch has shown that they return files, those decoded here."""

    def __init__(self, loader, replies, single, fresh, keyed, epoch):
        self._loader, self._replies, self._single, self._fresh, self._keyed = loader, replies, single, fresh, keyed
        self._epoch = epoch
        self._road, self.workers = None, replies.workers

    def __iter__(self):
        return self

    def close(self):
        if isinstance(self._road, EncodedRoad):
            self._road.leave()
        self._replies.close()
        if self._road is not None:
            self._road.close()

    def __next__(self):
        if self._road is None:
            first = next(self._replies)
            samples, loader = first[1].samples, self._loader
            if samples is None:
                say_exact(loader, "the dataset returns pixels, and nothing is decoded")
                self._road = PixelRoad(self._replies, first)
            else:
                paths = {}
                for sample in samples:
                    if sample is not None:
                        paths |= targets_of(loader, sample)
                made, known = recipe(loader, None, paths, self._keyed), loader._decoding
                same = known is not None and known.find.asked == made.find.asked
                if not same or (known.paths, known.device) != (paths, loader.device):
                    loader._decoding = made  # kept, with its decoders
                made = loader._decoding
                plan = encoded_plan(self._replies, first)
                fed = Producer(made, plan, loader._stats, self._single, self._fresh, *loader._hooks(self._epoch))
                self._road = EncodedRoad(fed, loader.timeout)
        return next(self._road)
