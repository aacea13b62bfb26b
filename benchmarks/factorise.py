"""Factorisation at 25 million ratings and on MovieLense, beside implicit, scikit-surprise and LIBMF.

    .venv/bin/python benchmarks/factorise.py [--ratings N] [--peers PYTHON] [--json OUT] [--plot OUT]

The memory floor is the time that the kernel's traffic takes (every rating, its item's factors and gradient
read, the gradient written) at the speed at which as many threads copy. Each time is the best of several
rounds. The processor's time stands beside it: where that is far less, other work held it up, and the ratios
to take are those of the processor's times.

The peers have an environment of their own; those that are missing there are left out, and said:

    python3.11 -m venv ~/.cache/factorise-peers
    ~/.cache/factorise-peers/bin/pip install implicit scikit-surprise libmf
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.sparse import csr_array

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from recommend.factorise import Factors, RSVDSplit  # noqa: E402  (the checkout is no package)
from recommend.kernel import Objective, Rows, cores, ridges  # noqa: E402
from recommend.ratings import Ratings  # noqa: E402

USERS, ITEMS, K = 162_541, 59_047, 20
MOVIELENSE = ROOT.parent / "shared/data/movielense/ml_g15_r4_train.csv"
PEERS = Path.home() / ".cache/factorise-peers/bin/python"
THIRD_PARTY = Path(__file__).with_name("_factorise_peers.py")
COPIED = 50_000_000  # float32, far more than any cache holds
THREADS = 2
NEWCOMERS = 1_000
MOST_FLOORS, LEAST_SPEEDUP, MOST_MEGABYTES = 1.5, 1.7, 1_500.0
MOST_FIT_SECONDS, MOST_FOLD_SECONDS = 0.5, 0.03
Spent = dict[str, float]  # seconds, and the processor's, all threads together
QUIET = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    arguments = parsed()
    if arguments.part:
        return print(json.dumps(PARTS[arguments.part](arguments)))
    figures: dict[str, Any] = {"ratings": arguments.ratings, "k": K, "threads": THREADS, "cores": cores()}
    with tempfile.TemporaryDirectory(prefix="factorise-") as folder:
        data = Path(folder) / "ratings.npz"
        np.savez(data, **make_ratings(arguments.ratings, arguments.seed))
        for part in track(PARTS, "Our own", transient=True):
            figures[part] = run([sys.executable, __file__, *options(arguments), "--part", part], data)
        figures["peers"] = peers(arguments, data)
    show(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    if arguments.plot:
        plot(figures, arguments.plot)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ratings", type=int, default=25_000_000, help="synthetic (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="the fastest counts (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--movielense", type=Path, default=MOVIELENSE)
    parser.add_argument("--peers", type=Path, default=PEERS, help="a Python that has them")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--plot", type=Path, metavar="OUT", help="a picture of the times, PNG or SVG")
    parser.add_argument("--part", help=argparse.SUPPRESS)  # how this file starts itself
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def options(arguments: argparse.Namespace) -> list[str]:
    return ["--rounds", str(arguments.rounds), "--movielense", str(arguments.movielense)]


def make_ratings(ratings: int, seed: int) -> dict[str, np.ndarray]:
    """Long-tailed in users and in items; each user's in the order of the items."""
    rng = np.random.default_rng(seed)
    users = max(1, round(USERS * ratings / 25_000_000))
    activity = rng.lognormal(0, 1.1, users)
    starts = np.concatenate([[0], np.round(np.cumsum(activity) / activity.sum() * ratings)]).astype(np.int64)
    popularity = rng.permutation(1 / (np.arange(ITEMS) + 50.0) ** 1.2)
    ladder = np.cumsum(popularity / popularity.sum())
    columns = np.empty(ratings, np.int32)
    for user in track(range(users), "Drawing ratings", transient=True):
        drawn = ladder.searchsorted(rng.random(starts[user + 1] - starts[user]))
        columns[starts[user] : starts[user + 1]] = np.sort(drawn).clip(max=ITEMS - 1)
    return {
        "starts": starts,
        "columns": columns,
        "values": rng.integers(1, 11, ratings).astype(np.float32) / 2,
    }


def loaded(path: Path) -> Rows:
    with np.load(path) as data:
        return Rows(data["starts"], data["columns"], data["values"], ITEMS)


def best(work: Callable[[], Any], rounds: int) -> Spent:
    """The least of several rounds, after one that compiles; processor time is all threads'."""
    work()
    seconds, cpu = [], []
    for _ in range(rounds):
        begun, busy = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - busy)
    return {"seconds": min(seconds), "cpu_seconds": min(cpu)}


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# The parts, each in a process of its own


def objective(arguments: argparse.Namespace) -> dict[str, Any]:
    """One objective with its gradient, beside the memory floor."""
    rows = loaded(arguments.data)
    at = np.random.default_rng(0).random((len(rows.starts) - 1 + ITEMS) * K)
    traffic = len(rows.columns) * (3 * K * 4 + 8)  # 6.2 GB of 25 million
    figures: dict[str, Any] = {"traffic_gb": traffic / 1e9}
    for threads in (1, THREADS):
        kernel = Objective(rows, K, 5.0, threads)
        figures[f"threads_{threads}"] = best(partial(kernel, at), arguments.rounds)
    figures["megabytes"] = megabytes()
    for threads in (1, THREADS):
        speed = bandwidth(threads, arguments.rounds)
        figures[f"threads_{threads}"] |= {"bandwidth_gb_s": speed, "floor_seconds": traffic / 1e9 / speed}
    both = figures[f"threads_{THREADS}"]
    figures["floors"] = both["seconds"] / both["floor_seconds"]
    figures["speedup"] = figures["threads_1"]["seconds"] / both["seconds"]
    return figures


def bandwidth(threads: int, rounds: int) -> float:
    """GB/s, read and written, of copying."""
    source, target = (np.array_split(np.ones(COPIED, np.float32), threads) for _ in range(2))
    with ThreadPoolExecutor(threads) as pool:
        spent = best(lambda: list(pool.map(np.copyto, target, source)), rounds)
    return 2 * 4 * COPIED / 1e9 / spent["seconds"]


def sweep(arguments: argparse.Namespace) -> dict[str, Any]:
    """One of ALS: X for Theta, then Theta for X."""
    rows = loaded(arguments.data)
    columns, theta = rows.transposed(), np.random.default_rng(0).random((ITEMS, K), np.float32)

    def once() -> None:
        ridges(columns, ridges(rows, theta, 5.0, THREADS), 5.0, THREADS)

    return best(once, min(3, arguments.rounds)) | {"megabytes": megabytes()}


def large_fit(arguments: argparse.Namespace) -> dict[str, Any]:
    """Iterations of L-BFGS-B through the method itself, for its memory."""
    rows = loaded(arguments.data)
    shape = (len(rows.starts) - 1, ITEMS)
    matrix = csr_array((rows.values, rows.columns, rows.starts.astype(np.int32)), shape=shape)
    ratings = Ratings(matrix, tuple(map(str, range(shape[0]))), tuple(map(str, range(ITEMS))))
    model, told = RSVDSplit(Factors(categories=K, maxit=5, threads=THREADS)), [time.perf_counter()]
    model.progress = lambda *_: told.append(time.perf_counter())
    model.fit(ratings)
    return {"seconds": float(np.diff(told)[1:].min()), "megabytes": megabytes()}


def movielense(arguments: argparse.Namespace) -> dict[str, Any]:
    """A hundred iterations, and a thousand newcomers folded in."""
    if not arguments.movielense.exists():
        return {}
    users, items, values = np.loadtxt(arguments.movielense, delimiter=",", skiprows=1).T
    ratings = Ratings.of(
        users.astype(int).astype(str).tolist(), items.astype(int).astype(str).tolist(), values
    )
    config = {"categories": K, "lambda_": 10.0, "tolerance": 0.0, "threads": THREADS, "centring": "none"}
    newcomers = ratings.by(np.random.default_rng(0).integers(len(ratings.users), size=NEWCOMERS))
    fit = best(lambda: RSVDSplit(Factors(**config)).fit(ratings), arguments.rounds)
    found: dict[str, Any] = {"ratings": len(ratings), "fit": fit}
    for fold in ("ridge", "lbfgs"):
        model = RSVDSplit(Factors(**config, fold=fold)).fit(ratings)
        found[fold] = best(partial(model.fold_in, newcomers), arguments.rounds)
    als = Factors(**{**config, "maxit": 15}, solver="als")
    return found | {"als": best(lambda: RSVDSplit(als).fit(ratings), arguments.rounds)}


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "objective": objective,
    "sweep": sweep,
    "large_fit": large_fit,
    "movielense": movielense,
}


def peers(arguments: argparse.Namespace, data: Path) -> dict[str, Any]:
    python = arguments.peers if arguments.peers.exists() else Path(sys.executable)
    own = [str(python), str(THIRD_PARTY), "--movielense", str(arguments.movielense), "--k", str(K)]
    found = run([*own, "--threads", str(THREADS)], data)
    for name in found.pop("missing"):
        print(f"*** {name} is not installed for {python}: nothing is compared with it. ***", file=sys.stderr)
    return found


def run(command: list[str], data: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*command, "--data", str(data)], stdout=subprocess.PIPE, env=os.environ | QUIET, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return dict(json.loads(done.stdout.splitlines()[-1]))


# What is printed


def show(figures: dict[str, Any]) -> None:
    table = Table(
        "what", "ours", "processor", "other", "processor", "ratio", "processor", title=f"k={K}, float32"
    )
    for what, ours, other in comparisons(figures):
        table.add_row(what, *cells(ours), *cells(other), *ratios(ours, other))
    console = Console(width=130)
    console.print(table)
    for what, value, bar, held in bars(figures):
        console.print(f"{what}: {value} (bar: {bar}) {'held' if held else '[bold]MISSED[/bold]'}")


def comparisons(figures: dict[str, Any]) -> list[tuple[str, Spent, Spent]]:
    large, small, millions = figures["objective"], figures["movielense"], f"{figures['ratings'] / 1e6:g}M"
    both = large[f"threads_{THREADS}"]
    floor = {"seconds": both["floor_seconds"]}
    implicit, surprise, libmf = (figures["peers"].get(name, {}) for name in ("implicit", "surprise", "libmf"))
    found = [
        (f"objective + gradient, {millions}, 1 thread", large["threads_1"], {}),
        (f"the same, {THREADS} threads; the floor at {both['bandwidth_gb_s']:.0f} GB/s", both, floor),
        (f"an iteration of L-BFGS-B, {millions}", figures["large_fit"], {}),
        (f"a sweep of ALS, {millions}; implicit's", figures["sweep"], implicit.get("sweep", {})),
    ]
    if not small:
        return found
    return [
        *found,
        ("MovieLense, 15 sweeps of ALS; implicit's", small["als"], implicit.get("movielense", {})),
        (
            "MovieLense, 100 iterations; surprise's SVD, 20 epochs",
            small["fit"],
            surprise.get("movielense", {}),
        ),
        ("the same; LIBMF, 20 epochs", small["fit"], libmf.get("movielense", {})),
        (f"{NEWCOMERS} newcomers by ridge regressions; by L-BFGS-B", small["ridge"], small["lbfgs"]),
    ]


def cells(spent: Spent) -> list[str]:
    return [f"{spent[kind]:.4f} s" if kind in spent else "" for kind in ("seconds", "cpu_seconds")]


def ratios(ours: Spent, other: Spent) -> list[str]:
    kinds = ("seconds", "cpu_seconds")
    return [f"{other[kind] / ours[kind]:.2f}" if kind in ours and kind in other else "" for kind in kinds]


def bars(figures: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    large, small = figures["objective"], figures["movielense"]
    floors, speedup = large["floors"], large["speedup"]
    found = [
        ("times the floor", f"{floors:.2f}", f"<= {MOST_FLOORS}", floors <= MOST_FLOORS),
        (f"{THREADS} threads to one", f"{speedup:.2f}", f">= {LEAST_SPEEDUP}", speedup >= LEAST_SPEEDUP),
    ]
    for part in ("objective", "sweep", "large_fit"):
        used = figures[part]["megabytes"]
        found.append(
            (f"peak of {part}", f"{used:.0f} MB", f"<= {MOST_MEGABYTES:.0f}", used <= MOST_MEGABYTES)
        )
    for part, most in (("fit", MOST_FIT_SECONDS), ("ridge", MOST_FOLD_SECONDS)) if small else ():
        spent = small[part]["seconds"]
        found.append((f"MovieLense: {part}", f"{spent:.4f} s", f"<= {most} s", spent <= most))
    theirs = figures["peers"].get("implicit", {}).get("sweep")
    if theirs:
        ratio = theirs["seconds"] / figures["sweep"]["seconds"]
        found.append(("implicit's sweep to ours", f"{ratio:.2f}", "> 1", ratio > 1))
    return found


def plot(figures: dict[str, Any], path: Path) -> None:
    """Ours and the peers' times, as bars on a scale of tens."""
    import matplotlib.pyplot as plt

    pairs = [(what, ours["seconds"], other["seconds"]) for what, ours, other in comparisons(figures) if other]
    figure, axes = plt.subplots(figsize=(9, 0.6 * len(pairs) + 1.5), layout="constrained")
    places = np.arange(len(pairs))
    axes.barh(places - 0.2, [ours for _, ours, _ in pairs], 0.4, label="ours")
    axes.barh(places + 0.2, [other for *_, other in pairs], 0.4, label="the other")
    axes.set(xscale="log", xlabel="seconds", yticks=places, yticklabels=[what for what, *_ in pairs])
    axes.invert_yaxis()
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
