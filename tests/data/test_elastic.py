"""Under torchrun: ranks that are killed and go on as fewer or more, and two nodes with a network between them."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import N
from elastic_rank import delivered
from fake_compose import FakeCompose
from processes import PATIENCE, ending, kill, port
from train_and_die import Named

from gpuaug.data import DataLoader

HERE = Path(__file__).parent
EPOCHS = 2
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def alone(shared_folder):
    """What one process sees: {(epoch, number): digest}."""
    loader = DataLoader(Named(shared_folder), 1, shuffle=True, seed=11, device="cpu", transform=FakeCompose(8))
    return {
        (epoch, int(number)): hashlib.md5(image.numpy().tobytes()).hexdigest()
        for epoch in range(EPOCHS)
        for images, numbers in loader
        for image, number in zip(images, numbers, strict=True)
    }


@pytest.fixture
def torchrun(shared_folder, tmp_path):
    """Starts torchrun, with the PLAN of elastic_rank.py."""
    with ending() as started:

        def start(plan, *options, before=(), **environment):
            command = [*before, sys.executable, "-m", "torch.distributed.run", *options, str(HERE / "elastic_rank.py")]
            command += [str(shared_folder), str(tmp_path), str(EPOCHS), json.dumps(plan)]
            path = os.pathsep.join([str(HERE), str(HERE.parent.parent)])
            told = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **environment}
            with open(tmp_path / f"said.{len(started)}", "w") as said:
                started.append(subprocess.Popen(command, env=told, stdout=said, stderr=said))
            return started[-1]

        yield start


@pytest.fixture
def free_port():
    with port() as number:
        yield number


def until_held(out, run, process):
    """The ranks of a run are where they are to be killed, and wait for that."""
    end = time.monotonic() + PATIENCE
    while not (out / f"held.{run}").exists():
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < end, "it hangs"
        time.sleep(0.01)


def check(out, alone, worlds):
    seen, had = delivered(out)
    assert had == worlds
    for epoch in range(EPOCHS):
        lines = [(number, digest) for e, number, digest in seen if e == epoch]
        originals = {number for number, digest in lines if alone[epoch, number] == digest}
        assert originals == set(range(N)), "something is lost, or has other pixels"
        assert len(lines) == len(set(lines)), "something came twice"
        assert len(lines) - N < max(worlds)  # the tail, filled from the front, with draws of its own


def test_killed_and_gone_on_with_other_ranks(torchrun, alone, tmp_path):
    plan = [[3, 3], [2, 4], [1, None]]
    for run, (world, _) in enumerate(plan[:2]):
        process = torchrun(plan, "--standalone", f"--nproc-per-node={world}")
        until_held(tmp_path, run, process)
        kill(process)
    assert torchrun(plan, "--standalone", "--nproc-per-node=1").wait(PATIENCE) == 0
    check(tmp_path, alone, [3, 2, 1])


def test_torchruns_own_restart_with_the_nodes_that_are_left(torchrun, alone, tmp_path, free_port):
    # the first round begins as both are there; what a late one may take, the round after the kill waits in vain
    conf = "last_call_timeout=30,keep_alive_interval=1,keep_alive_max_attempt=2,is_host=%d"
    how = [
        "--nnodes=1:2",
        "--nproc-per-node=1",
        "--max-restarts=3",
        "--rdzv-backend=c10d",
        "--rdzv-id=t",
        "--monitor-interval=0.2",
    ]
    how.append(f"--rdzv-endpoint=127.0.0.1:{free_port}")
    plan = [[2, 3], [1, None]]
    stays = torchrun(plan, *how, f"--rdzv-conf={conf % 1}")
    goes = torchrun(plan, *how, f"--rdzv-conf={conf % 0}")
    until_held(tmp_path, 0, stays)
    kill(goes)
    assert stays.wait(PATIENCE) == 0, (tmp_path / "said.0").read_text()
    check(tmp_path, alone, [2, 1])


# ---- two nodes ----------------------------------------------------------------------------------------------------------


class Net:
    """Two network namespaces, `a` and `b`, with a link between them: 10.77.0.1 and 10.77.0.2."""

    def __init__(self):
        self.names = [f"gpuaug-{os.getpid()}-{which}" for which in "ab"]

    def __enter__(self):
        a, b = self.names
        for line in (
            f"netns add {a}",
            f"netns add {b}",
            f"link add va netns {a} type veth peer name vb netns {b}",
            *(
                f"-n {name} addr add 10.77.0.{k + 1}/24 dev v{which}"
                for k, (name, which) in enumerate(zip((a, b), "ab", strict=True))
            ),
            *(f"-n {name} link set {device} up" for name, which in ((a, "a"), (b, "b")) for device in (f"v{which}", "lo")),
        ):
            done = subprocess.run(["ip", *line.split()], capture_output=True, text=True, check=False)
            if done.returncode:
                self.__exit__()
                raise PermissionError(f"ip {line}: {done.stderr.strip()}")
        return self

    def __exit__(self, *error):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def two_nodes(torchrun, address, port, first, second):
    how = ["--nnodes=2", "--nproc-per-node=2", f"--master-addr={address}", f"--master-port={port}"]
    nodes = [torchrun([[4, None]], *how, f"--node-rank={k}", **options) for k, options in enumerate((first, second))]
    return [node.wait(PATIENCE) for node in nodes]


def test_two_nodes_in_two_network_namespaces(torchrun, alone, tmp_path):
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces take root and iproute2")
    with contextlib.ExitStack() as stack:
        try:
            net = stack.enter_context(Net())
        except PermissionError as error:
            pytest.skip(f"network namespaces cannot be made here: {error}")
        options = [
            {"before": ["ip", "netns", "exec", name], "GLOO_SOCKET_IFNAME": f"v{which}"}
            for name, which in zip(net.names, "ab", strict=True)
        ]
        codes = two_nodes(torchrun, "10.77.0.1", 29500, *options)  # all ports of a new namespace are free
        assert codes == [0, 0], [(tmp_path / f"said.{k}").read_text() for k in range(2)]
    check(tmp_path, alone, [4])


def test_two_nodes_on_loopback(torchrun, alone, tmp_path, free_port):
    codes = two_nodes(torchrun, "127.0.0.2", free_port, {}, {})
    assert codes == [0, 0], [(tmp_path / f"said.{k}").read_text() for k in range(2)]
    check(tmp_path, alone, [4])
