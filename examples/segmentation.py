"""Image and mask: a U-Net without padding learns where coins lie, and their edges count most.

    python examples/segmentation.py --folder /tmp/coins --size 572 --depth 4 --channels 64   # as it was published
    python examples/segmentation.py --folder /tmp/coins                                      # small: 140 pixels in, 100 out

The first run writes pictures and masks into the folder: windows of a photograph of coins that scikit-image ships.

- **Image and mask move together.** SegmentationFolder pairs files by name, and the loader moves both by one draw. Where
  something resizes or bends, write ``mask_interpolation=6``: OpenCV's nearest neighbour (0, albumentations' default) puts
  masks half a pixel of the result beside their images.
- **The answer is smaller than the question.** Convolutions without padding cost a rim: of 572 pixels 388 are left, and each
  of them saw only real pixels. Windows are larger than the pictures, so those are continued by reflection, mask and all; the
  loss compares with the middle of the mask, which is a slice. (For masks that *come* in another size than their images:
  ``Compose(is_check_shapes=False)``.)
- **Edges weigh more.** `gpuaug.functional.mask_contour` makes the band along the contours of the masks as they lie after the
  augmentation, for a whole batch, on the device. It is taken before the middle is cut out: a cut is no contour.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from torch import nn

import gpuaug as G
from gpuaug.data import SegmentationFolder
from gpuaug.functional import mask_contour

WINDOWS, HEIGHT, WIDTH = 12, 160, 200
REFLECT = 4  # cv2.BORDER_REFLECT_101


def write(folder):
    """folder/images/00.png and folder/masks/00.png, ..: 0 ground, 1 coin."""
    from scipy.ndimage import binary_fill_holes
    from skimage import data, filters, measure, morphology, segmentation

    coins = data.coins()
    seeds = np.where(coins < 30, 1, np.where(coins > 150, 2, 0))
    found = binary_fill_holes(segmentation.watershed(filters.sobel(coins), seeds) == 2)
    found &= ~np.isin(measure.label(found), [r.label for r in measure.regionprops(measure.label(found)) if r.area < 100])
    found = morphology.opening(found, morphology.disk(2)).astype(np.uint8)
    rng = np.random.default_rng(0)
    for i in range(WINDOWS):
        y, x = rng.integers(0, (coins.shape[0] - HEIGHT, coins.shape[1] - WIDTH))
        for kind, whole in (("images", coins), ("masks", found)):
            path = Path(folder) / kind / f"{i:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            PIL.Image.fromarray(whole[y : y + HEIGHT, x : x + WIDTH]).save(path)


def augmentation(size):
    return G.Compose(
        [
            G.PadIfNeeded(size, size, border_mode=REFLECT),
            G.RandomCrop(size, size),
            G.D4(p=1),
            G.Affine(scale=(0.8, 1.25), rotate=(-20, 20), border_mode=REFLECT, mask_interpolation=6, p=0.7),
            G.ElasticTransform(alpha=60, sigma=8, border_mode=REFLECT, mask_interpolation=6, p=0.5),
            G.RandomBrightnessContrast(0.3, 0.3, p=0.8),
            G.ToGray(1, p=1),
            G.Normalize(mean=0.5, std=0.25),
            G.ToTensorV2(),
        ]
    )


class UNet(nn.Module):
    """Ronneberger, Fischer and Brox 2015: `depth` halvings, two convolutions of 3 x 3 without padding on each level."""

    def __init__(self, depth, channels):
        super().__init__()
        widths = [channels * 2**i for i in range(depth + 1)]
        self.down = nn.ModuleList(self.twice(a, b) for a, b in zip([1, *widths], widths))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in pairwise(widths))
        self.join = nn.ModuleList(self.twice(b, a) for a, b in pairwise(widths))
        self.out = nn.Conv2d(channels, 1, 1)

    @staticmethod
    def twice(a, b):
        return nn.Sequential(nn.Conv2d(a, b, 3), nn.ReLU(), nn.Conv2d(b, b, 3), nn.ReLU())

    def forward(self, x):
        x, skipped = self.down[0](x), []
        for level in self.down[1:]:
            skipped.append(x)
            x = level(nn.functional.max_pool2d(x, 2))
        for up, join, skip in reversed(list(zip(self.up, self.join, skipped))):
            x = up(x)
            x = join(torch.cat([middle(skip, x.shape[-1]), x], 1))
        return self.out(x)


def middle(x, size):
    top, left = ((side - size) // 2 for side in x.shape[-2:])
    return x[..., top : top + size, left : left + size]


def weighted_loss(logits, masks, edges=4.0):
    """Cross entropy of the middle of the masks; pixels of the bands along the contours count 1 + `edges` times."""
    weight, size = 1 + edges * mask_contour(masks, 3, iterations=2).float(), logits.shape[-1]
    wanted, weight = middle(masks, size).float(), middle(weight, size)
    return nn.functional.binary_cross_entropy_with_logits(logits[:, 0], wanted, weight) / weight.mean()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", default="coins")
    parser.add_argument("--size", type=int, default=140, help="pixels in: depth 2 takes 92 + 4 n, depth 4 takes 188 + 16 n")
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    if not (Path(args.folder) / "masks").exists():
        write(args.folder)
    data = SegmentationFolder(f"{args.folder}/images", f"{args.folder}/masks")
    augment = augmentation(args.size)
    loader = G.DataLoader(data, args.batch_size, shuffle=True, transform=augment, device=args.device, seed=0)
    torch.manual_seed(0)
    model = UNet(args.depth, args.channels).to(args.device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for epoch in range(args.epochs):
        total = 0.0
        for batch in loader:
            logits = model(batch["image"])
            loss = weighted_loss(logits, batch["mask"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(logits)
        losses.append(total / len(data))
        side = logits.shape[-1]
        found, truth = logits[:, 0] > 0, middle(batch["mask"], side) > 0
        overlap = (found & truth).sum() / (found | truth).sum()
        print(f"epoch {epoch}: {args.size} pixels in, {side} out, loss {losses[-1]:.3f}, overlap {overlap:.2f}")
    return losses


if __name__ == "__main__":
    main()
