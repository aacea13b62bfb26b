"""Times of implicit, scikit-surprise and LIBMF, for factorise.py; run by a Python that has them."""

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS, SWEEPS, EPOCHS = 3, 15, 20
Spent = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--k", "--threads"):
        parser.add_argument(name, type=int, required=True)
    for name in ("--data", "--movielense"):
        parser.add_argument(name, type=Path, required=True)
    arguments = parser.parse_args()
    said = os.dup(1)
    os.dup2(2, 1)  # LIBMF prints as it likes
    found: dict[str, Any] = {"missing": []}
    for name, module, measure in PEERS:
        try:
            importlib.import_module(module)
        except ImportError:
            found["missing"].append(name)
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        found[name] = measure(arguments)
    os.write(said, (json.dumps(found) + "\n").encode())


def implicit(arguments: argparse.Namespace) -> dict[str, Spent]:
    """One sweep of the large set, and SWEEPS of MovieLense."""
    from scipy.sparse import csr_matrix

    with np.load(arguments.data) as data:
        large = csr_matrix((data["values"], data["columns"], data["starts"]))
    found = {"sweep": _least(_implicit_sweeps(large, ROUNDS, arguments))}
    if arguments.movielense.exists():
        users, items, values = _movielense(arguments)
        small = csr_matrix((values.astype(np.float32), (users, items)))
        tries = [_implicit_sweeps(small, SWEEPS, arguments) for _ in range(ROUNDS)]
        found["movielense"] = _least([np.sum(one, axis=0) for one in tries])
    return found


def _implicit_sweeps(matrix: Any, count: int, arguments: argparse.Namespace) -> list[Any]:
    """Of each but the first, which cannot be told from what comes before: seconds, the processor's."""
    from implicit.cpu.als import AlternatingLeastSquares

    told: list[tuple[float, float]] = []
    options = {"factors": arguments.k, "num_threads": arguments.threads, "random_state": 0}
    AlternatingLeastSquares(**options, iterations=count + 1).fit(
        matrix,
        show_progress=False,
        callback=lambda *_: told.append((time.perf_counter(), time.process_time())),
    )
    return list(np.diff(told, axis=0))


def surprise(arguments: argparse.Namespace) -> dict[str, Spent]:
    from surprise import SVD, Dataset, Reader

    if not arguments.movielense.exists():
        return {}
    reader = Reader(line_format="user item rating", sep=",", skip_lines=1)
    known = Dataset.load_from_file(str(arguments.movielense), reader).build_full_trainset()
    return {"movielense": _best(lambda: SVD(n_factors=arguments.k, n_epochs=EPOCHS).fit(known))}


def libmf(arguments: argparse.Namespace) -> dict[str, Spent]:
    from libmf import mf

    if not arguments.movielense.exists():
        return {}
    triplets = np.column_stack(_movielense(arguments))
    options = {"k": arguments.k, "nr_threads": arguments.threads, "nr_iters": EPOCHS, "quiet": True}
    return {"movielense": _best(lambda: mf.MF(**options).fit(triplets))}


def _movielense(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    users, items, values = np.loadtxt(arguments.movielense, delimiter=",", skiprows=1).T
    return users.astype(int), items.astype(int), values


def _best(work: Callable[[], Any]) -> Spent:
    spent = []
    for _ in range(ROUNDS):
        begun = np.array([time.perf_counter(), time.process_time()])
        work()
        spent.append(np.array([time.perf_counter(), time.process_time()]) - begun)
    return _least(spent)


def _least(spent: list[Any]) -> Spent:
    return dict(zip(("seconds", "cpu_seconds"), np.min(spent, axis=0).tolist(), strict=True))


PEERS = (
    ("implicit", "implicit.cpu.als", implicit),
    ("surprise", "surprise", surprise),
    ("libmf", "libmf", libmf),
)

if __name__ == "__main__":
    main()
