"""examples/ray_train.py on a Ray of two nodes, one of which dies: prints what was delivered, as JSON.

Usage: ray_elastic.py IMAGES FOLDER

Each worker writes down what it sees, [epoch, how often ranks changed before, step since then, digest of the pixels],
and what it loads: [how often ranks had changed, step since then, ranks then, ranks now].
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


def digest(picture):
    return hashlib.md5(picture.numpy().tobytes()).hexdigest()


def logged(settings):
    """What a worker runs: the example, with a loader that writes down what it yields."""
    import ray_train

    import gpuaug as G

    class Loader(G.DataLoader):
        def __iter__(self):
            for pictures, labels in super().__iter__():
                state = self.state_dict()
                with open(Path(settings["log"]) / f"{os.getpid()}", "a") as log:
                    for picture in pictures:
                        log.write(json.dumps([state["epoch"], len(state["legs"]), state["batches"], digest(picture)]) + "\n")
                yield pictures, labels

        def load_state_dict(self, state):
            super().load_state_dict(state)
            place = [len(state["legs"]), state["batches"], state["world"], G.data.loader._rank()[1]]
            (Path(settings["log"]) / f"loaded.{time.time()}").write_text(json.dumps(place))

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
        while sum(len(path.read_text().splitlines()) for path in log.glob("[0-9]*")) < 8:
            time.sleep(0.05)
        cluster.remove_node(second, allow_graceful=False)

    threading.Thread(target=lose_a_node, daemon=True).start()
    ray_train.train_of_the_example, ray_train.train = ray_train.train, logged
    try:
        result = ray_train.run({**SETTINGS, "root": images, "log": str(log)}, (1, 2), str(store), "run")
    finally:
        ray.shutdown()
        cluster.shutdown()
    lines = [json.loads(line) for path in log.glob("[0-9]*") for line in path.read_text().splitlines()]
    loaded = [json.loads(path.read_text()) for path in sorted(log.glob("loaded.*"))]
    print(json.dumps({"lines": lines, "loaded": loaded, "metrics": result.metrics}))


if __name__ == "__main__":
    main(*sys.argv[1:])
