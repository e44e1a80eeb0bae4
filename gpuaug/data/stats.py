"""Where a loader's time goes."""

import contextlib
import time

import numpy as np

# phase -> who is to blame when it is the longest, and what helps
_ADVICE = {
    "read": "reading the files: faster storage, more num_workers or smaller files would help",
    "decode": "decoding: a GPU, more num_workers (CPU threads) or smaller images would help",
    "load": "the dataset's own __getitem__: more num_workers would help",
    "upload": "copying to the device",
    "kernels": "the transforms",
    "consumer": "the training loop, not the loader: it is as fast as it can be of use",
}


class Stats:
    """Sums of seconds by phase. The phases of the background thread overlap those of the consumer.

    read, decode: what the background thread waited for files and for the decoder.
    load: the same for a dataset that returns pixels (its workers).
    wait: what the loop waited for the next batch to be decoded; upload, kernels: spent in its own thread, or, where batches are
    finished ahead, in the background thread (on CUDA: to queue the work, which does not wait for the device). consumer: between
    two batches, outside the loader.
    """

    def __init__(self):
        self.images = self.batches = self.bad = 0
        self.seconds = dict.fromkeys(("read", "decode", "load", "wait", "upload", "kernels", "consumer"), 0.0)
        self.elapsed = 0.0
        self._pixels = np.zeros(2, np.int64)  # that were decoded, and of the images
        self._scaled = {2: 0, 4: 0, 8: 0}  # images that were decoded at 1/2, ..
        self._behind = ("read", "decode", "load")  # the phases of the background thread

    def ahead(self, ahead):
        """Whether batches are finished in the background thread from here on."""
        self._behind = ("read", "decode", "load", *(("upload", "kernels") if ahead else ()))

    def saw(self, reach):
        """Of images what a `gpuaug.reach.Reach` says was decoded."""
        self._pixels += (reach.part[:, 2:] - reach.part[:, :2]).prod(1).sum(), reach.size.prod(1).sum()
        for scale in self._scaled:
            self._scaled[scale] += int(np.count_nonzero(reach.scale == scale))

    @contextlib.contextmanager
    def time(self, phase):
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] += time.perf_counter() - start

    def summary(self):
        s = self.seconds
        busy = {k: s[k] for k in ("upload", "kernels", "consumer")}
        # what the loop waited is the fault of whatever the background thread was waiting for, or busy with
        behind = sum(s[k] for k in self._behind)
        for k in self._behind:
            busy[k] = s["wait"] * (s[k] / behind) if behind else 0.0
        if not s["wait"] + s["kernels"] + s["consumer"]:
            sentence = "nothing has been loaded yet"
        else:
            slowest = max(busy, key=busy.get)
            share = busy[slowest] / (sum(busy.values()) or 1.0)
            sentence = f"{share:.0%} of the time goes to {_ADVICE[slowest]}"
        return {
            "images": self.images,
            "batches": self.batches,
            "bad_samples": self.bad,
            "decoded": round(float(self._pixels[0] / self._pixels[1]), 4) if self._pixels[1] else 1.0,
            "scaled": {f"1/{scale}": count for scale, count in self._scaled.items()},
            "seconds": round(self.elapsed, 6),
            "images_per_second": self.images / self.elapsed if self.elapsed else 0.0,
            "waiting": {k: round(v, 6) for k, v in s.items()},
            "bottleneck": sentence,
        }
