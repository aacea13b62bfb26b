"""crowd-kit's part of `consensus.py`, run by a Python that has crowd-kit; prints JSON lines.

python _crowd_kit.py refit DATA.npz    one-coin, 10 iterations
python _crowd_kit.py crowd FOLDER      every aggregator for categorical answers
"""

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from crowdkit import aggregation

ITERATIONS = 10  # of one-coin on the large set: its default of 100 would take minutes
METHODS: dict[str, Callable[[], Any]] = {
    "MajorityVote": aggregation.MajorityVote,
    "Wawa": aggregation.Wawa,
    "ZeroBasedSkill": aggregation.ZeroBasedSkill,
    "DawidSkene": lambda: aggregation.DawidSkene(n_iter=100),
    "OneCoinDawidSkene": lambda: aggregation.OneCoinDawidSkene(n_iter=100),
    "GLAD": aggregation.GLAD,
    "MMSR": aggregation.MMSR,
    "MACE": aggregation.MACE,
    "KOS": aggregation.KOS,  # two labels only
}


def refit(path: str) -> None:
    with np.load(path) as data:
        frame = pd.DataFrame({"task": data["post"], "worker": data["voter"], "label": data["label"]})
        truth = data["truth"]
    begun, cpu = time.perf_counter(), time.process_time()
    answers = aggregation.OneCoinDawidSkene(n_iter=ITERATIONS).fit_predict(frame)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    right = answers.to_numpy() == truth[answers.index.to_numpy()]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"seconds": seconds, "cpu_seconds": cpu, "megabytes": peak, "accuracy": float(right.mean())}
    print(json.dumps(figures))


def crowd(folder: str) -> None:
    frame = pd.read_csv(Path(folder) / "answers.csv", dtype=str)
    truth = pd.read_csv(Path(folder) / "truth.csv", dtype=str).set_index("task")["label"]
    for name, method in METHODS.items():
        begun = time.perf_counter()
        try:
            np.random.seed(0)
            answers = method().fit_predict(frame)
            accuracy = float((answers.reindex(truth.index) == truth).mean())
        except Exception as error:  # one method that cannot do this set must not end the table
            print(f"{name}: {type(error).__name__}: {str(error)[:80]}", file=sys.stderr)
            accuracy = None
        line = {"method": name, "accuracy": accuracy, "seconds": time.perf_counter() - begun}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    {"refit": refit, "crowd": crowd}[sys.argv[1]](sys.argv[2])
