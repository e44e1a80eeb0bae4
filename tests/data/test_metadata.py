"""What a sample brings for a transform reaches it through every road of the loader."""

from __future__ import annotations

import numpy as np
import pytest
from torch.utils.data import Dataset

import gpuaug as G


class Referred(Dataset):
    """Images, each with one or two references of its own."""

    def __len__(self):
        return 6

    def __getitem__(self, i):
        rng = np.random.default_rng(i)
        references = [rng.integers(0, 256, (30, 20, 3), dtype=np.uint8) for _ in range(i % 2 + 1)]
        return {"image": rng.integers(0, 256, (40, 50, 3), dtype=np.uint8), "hm_metadata": references, "label": i}


@pytest.mark.parametrize("workers", [0, 2])
def test_references_of_samples(workers):
    compose = G.Compose([G.HistogramMatching(p=1)], seed=1)
    data, seen = Referred(), 0
    for batch in G.DataLoader(data, batch_size=4, num_workers=workers, transform=compose, device="cpu"):
        for image, i in zip(batch["image"], batch["label"].tolist()):
            want = compose(image=data[i]["image"], hm_metadata=data[i]["hm_metadata"], ids=[i])["image"]
            np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), want)
            seen += 1
    assert seen == 6
