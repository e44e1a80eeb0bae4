"""examples/ray_train.py on a Ray of two nodes, one of which dies: prints what was delivered, as JSON.

Usage: ray_elastic.py IMAGES FOLDER

Each worker writes down what it sees, [epoch, how often ranks changed before, step since then, digest of the pixels],
and what it loads: [how often ranks had changed, step since then, ranks then, ranks now].

What happens when is certain, however fast the machine is: the worker of the node that dies stops for good at a step behind a
checkpoint, and the node dies once Ray has written down that checkpoint.
"""

import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATHS = [str(ROOT), str(ROOT / "examples"), str(ROOT / "tests" / "interop")]
SETTINGS = {"epochs": 1, "batch_size": 1, "size": 16, "save_every": 3, "seed": 3}
STOPS_AT = 5  # steps: behind the checkpoint of the third


def digest(picture):
    return hashlib.md5(picture.numpy().tobytes()).hexdigest()


def logged(settings):
    """What a worker runs: the example, with a loader that writes down what it yields."""
    import ray
    import ray_train

    import gpuaug as G

    log = Path(settings["log"])
    if ray.train.get_context().get_world_size() == 1 and not (log / "lost").exists():
        raise RuntimeError("Ray knows of one node yet")  # and starts anew
    dies = ray.get_runtime_context().get_node_id() == settings["dies"]

    class Loader(G.DataLoader):
        def __iter__(self):
            for pictures, labels in super().__iter__():
                state = self.state_dict()
                with open(log / f"{os.getpid()}", "a") as lines:
                    for picture in pictures:
                        lines.write(json.dumps([state["epoch"], len(state["legs"]), state["batches"], digest(picture)]) + "\n")
                if dies and state["batches"] == STOPS_AT:
                    (log / "stopped").touch()
                    threading.Event().wait()
                yield pictures, labels

        def load_state_dict(self, state):
            super().load_state_dict(state)
            place = [len(state["legs"]), state["batches"], state["world"], G.data.loader._rank()[1]]
            (log / f"loaded.{time.time()}").write_text(json.dumps(place))

    ray_train.G = type("G", (), {**vars(G), "DataLoader": Loader})
    ray_train.train(settings)


def main(images, folder):
    # how soon a lost worker is noticed, and how long Ray waits for a lost node's: it plans with that once more
    os.environ.update(RAY_TRAIN_HEALTH_CHECK_INTERVAL_S="0.2", RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S="12")
    import ray
    from ray.cluster_utils import Cluster

    sys.path[:0] = PATHS
    import ray_train

    log, store = Path(folder) / "log", Path(folder) / "store"
    log.mkdir()
    node = {"num_cpus": 1, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    second = cluster.add_node(**node)
    told = {"PYTHONPATH": os.pathsep.join(PATHS), "OMP_NUM_THREADS": "1"}
    ray.init(address=cluster.address, log_to_driver=False, runtime_env={"env_vars": told})

    def lose_a_node():
        kept = store / "run" / "checkpoint_manager_snapshot.json"  # what Ray knows of checkpoints
        while not ((log / "stopped").exists() and kept.exists()):
            time.sleep(0.05)
        (log / "lost").touch()
        cluster.remove_node(second, allow_graceful=False)

    threading.Thread(target=lose_a_node, daemon=True).start()
    ray_train.train_of_the_example, ray_train.train = ray_train.train, logged
    settings = {**SETTINGS, "root": images, "log": str(log), "dies": second.node_id}
    try:
        result = ray_train.run(settings, (1, 2), str(store), "run", restarts=10)
    finally:
        ray.shutdown()
        cluster.shutdown()
    lines = [json.loads(line) for path in log.glob("[0-9]*") for line in path.read_text().splitlines()]
    loaded = [json.loads(path.read_text()) for path in sorted(log.glob("loaded.*"))]
    print(json.dumps({"lines": lines, "loaded": loaded, "metrics": result.metrics}))


if __name__ == "__main__":
    main(*sys.argv[1:])
