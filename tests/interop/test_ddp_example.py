"""examples/ddp.py under torchrun: two gloo processes on the CPU."""

import os
import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from processes import finished
from sklearn.datasets import load_sample_images

ROOT = Path(__file__).resolve().parents[2]
N = 16


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for i in range(N):
        name = root / ("temple", "dahlia")[i % 2] / f"{i:02}.jpg"
        name.parent.mkdir(exist_ok=True)
        image = Image.fromarray(load_sample_images().images[i % 2]).resize((160, 120))
        image.rotate(10 * i).save(name)
    return root


def run(processes, photos, checkpoint, *arguments):
    """What rank 0 printed: {epoch: (images, mean pixel)}."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command += [str(ROOT / "examples" / "ddp.py"), str(photos), "--checkpoint", str(checkpoint), "--size", "64"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = finished([*command, *arguments], env=environment)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"epoch (\d+): (\d+) images, mean pixel (\S+),", done.stdout)
    return {int(epoch): (int(images), float(mean)) for epoch, images, mean in found}


@pytest.mark.slow
def test_two_processes_see_what_one_sees_and_resume_exactly(photos, tmp_path):
    one = run(1, photos, tmp_path / "one.pt", "--batch-size", "8")
    two = run(2, photos, tmp_path / "two.pt", "--batch-size", "4")
    assert one.keys() == two.keys() == {0, 1}
    for epoch in one:
        assert one[epoch][0] == two[epoch][0] == N
        # the same pixels, added up in another order in float32, and printed to 5 digits
        assert one[epoch][1] == pytest.approx(two[epoch][1], abs=2e-5)
    assert one[0][1] != one[1][1], "the second epoch is augmented anew"

    arguments = ["--batch-size", "4", "--save-every", "1"]
    assert run(2, photos, tmp_path / "cut.pt", *arguments, "--max-steps", "3") == {0: two[0]}
    resumed = run(2, photos, tmp_path / "cut.pt", *arguments)
    assert list(resumed) == [1]
    whole, cut = torch.load(tmp_path / "two.pt"), torch.load(tmp_path / "cut.pt")
    for name, weights in whole["model"].items():
        assert torch.equal(weights, cut["model"][name]), "the same batches in the same order make the same model"


@pytest.mark.slow
def test_three_processes_go_on_where_two_stood(photos, tmp_path):
    arguments = ["--batch-size", "1", "--save-every", "1", "--epochs", "1"]
    assert run(2, photos, tmp_path / "cut.pt", *arguments, "--max-steps", "3") == {}
    (images, _), *_ = run(3, photos, tmp_path / "cut.pt", *arguments).values()
    assert images == 12  # ten were left, for three ranks
