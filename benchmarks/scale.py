"""Time and memory of fitting ALS (k=20, 10 sweeps) in this process and by Spark on this machine, by size.

Drawn ratings, popularity-skewed, as many users and items as MovieLens has. Each fit is a process of its own,
measured with those that it starts (Java): seconds by the wall and of the processors from its start to the
fitted model, and the memory that all of them held at most. A fit that exceeds the limit is ended and said.
Without Java or pyspark, it is said and left out.

    .venv/bin/python benchmarks/scale.py [--sizes 100k 1M 10M 25M] [--engines ours spark] [--limit 300]
        [--memory 6g] [--json OUT] [--plot docs/scale.png]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from scipy.sparse import csr_array

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from recommend.spark_session import SparkRefused, check_spark, session  # noqa: E402 - found through ROOT

SHAPES = {  # ratings, users, items
    "1k": (1_000, 100, 100),
    "100k": (100_000, 943, 1_664),
    "1M": (1_000_000, 6_040, 3_706),
    "10M": (10_000_000, 69_878, 10_677),
    "25M": (25_000_000, 162_541, 59_047),
}
OURS = "RSVD_SPLIT:categories=20,lambda=8,maxit=10,tolerance=0,centring=none,solver=als"
NAMES = {"ours": "RSVD_SPLIT, solver=als", "spark": "Spark, local mode"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SHAPES, default=["100k", "1M"])
    parser.add_argument("--engines", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--limit", type=float, default=300, help="processor seconds of one fit")
    parser.add_argument("--memory", default="6g", help="of Spark's Java process")
    parser.add_argument("--json", type=Path, help="figures already there are kept")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--only", nargs=3, metavar=("WORK", "SIZE", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        work, size, folder = arguments.only
        return {"draw": draw, "convert": convert, "ours": ours, "spark": spark}[work](size, Path(folder))
    engines = [engine for engine in arguments.engines if engine != "spark" or spark_is_there()]
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--driver-memory {arguments.memory} pyspark-shell"
    known = arguments.json.exists() if arguments.json else False
    figures: dict[str, Any] = json.loads(arguments.json.read_text()) if known else {}
    for size in arguments.sizes:
        for engine, found in measured(size, engines, arguments.limit).items():
            figures.setdefault(engine, {})[size] = found
            print(f"{size:>5} {NAMES[engine]:<24} {told(found)}", flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(figures, indent=2))
    if arguments.plot:
        plot(figures, arguments.plot)
    return None


def spark_is_there() -> bool:
    try:
        check_spark()
    except SparkRefused as reason:
        print(reason)
        return False
    return True


def told(found: dict[str, Any]) -> str:
    line = f"{found['wall']:7.1f} s, {found['cpu']:7.1f} s of processors, {found['peak_mb']:6.0f} MB"
    return line if found["ended"] == "fitted" else f"{line}: {found['ended']}"


def measured(size: str, engines: list[str], limit: float) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        alone("draw", size, folder)
        if "spark" in engines:
            alone("convert", size, folder)
        return {engine: alone(engine, size, folder, limit) for engine in engines}


def alone(work: str, size: str, folder: str, limit: float = np.inf) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__)), "--only", work, size, folder]
    begun, cpu, peak = time.perf_counter(), 0.0, 0.0
    with (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    while process.poll() is None:
        now, held = usage(process.pid)
        cpu, peak = max(cpu, now), max(peak, held)
        if cpu > limit:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.2)
    ended = "fitted" if process.returncode == 0 else f"ended after {limit:g} s of processors"
    if process.returncode and cpu <= limit:
        sys.exit(f"{work} {size}: {(Path(folder) / 'log').read_text()[-2000:]}")
    return {"wall": time.perf_counter() - begun, "cpu": cpu, "peak_mb": peak, "ended": ended}


def usage(pid: int) -> tuple[float, float]:
    """Processor seconds and megabytes of a process and those it started, the ended ones' seconds included."""
    cpu = held = 0.0
    try:
        first = psutil.Process(pid)
        for process in [first, *first.children(recursive=True)]:
            times = process.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            held += process.memory_info().rss / 2**20
    except psutil.NoSuchProcess:
        pass
    return cpu, held


def draw(size: str, folder: Path) -> None:
    """Pairs by user then item, each once; the cube of an even draw makes some items very popular."""
    count, users, items = SHAPES[size]
    chance, pairs = np.random.default_rng(0), np.zeros(0, np.int64)
    while len(pairs) < count:
        more = int((count - len(pairs)) * 1.1) + 1000
        drawn = chance.integers(0, users, more) * items
        drawn += (chance.random(more) ** 3 * items).astype(np.int64)
        pairs = np.unique(np.concatenate([pairs, drawn]))
    pairs = np.sort(chance.permutation(pairs)[:count])
    np.savez(folder / "drawn.npz", pairs=pairs, values=chance.integers(1, 6, count).astype(np.float32))


def convert(size: str, folder: Path) -> None:
    """To Parquet, through a CSV with numbers of a fixed width."""
    drawn, items = np.load(folder / "drawn.npz"), SHAPES[size][2]
    with (folder / "drawn.csv").open("wb") as file:
        for start in range(0, SHAPES[size][0], 1_000_000):
            pairs, values = (drawn[name][start : start + 1_000_000] for name in ("pairs", "values"))
            file.write(lines(pairs // items, pairs % items, values.astype(np.int64)))
    with session() as running:
        table = running.read.csv((folder / "drawn.csv").as_uri(), schema="user INT, item INT, rating FLOAT")
        table.write.parquet((folder / "drawn.parquet").as_uri())


def lines(*columns: np.ndarray) -> bytes:
    digits = 10 ** np.arange(6, -1, -1)
    text = [(column[:, None] // digits % 10 + ord("0")).astype(np.uint8) for column in columns]
    comma, end = (np.full((len(columns[0]), 1), ord(sign), np.uint8) for sign in ",\n")
    return np.hstack([text[0], comma, text[1], comma, text[2], end]).tobytes()


def ours(size: str, folder: Path) -> None:
    from recommend.methods import method
    from recommend.ratings import Ratings

    _, users, items = SHAPES[size]
    drawn = np.load(folder / "drawn.npz")
    pairs = drawn["pairs"]
    starts = np.searchsorted(pairs, np.arange(users + 1) * items)
    parts = (drawn["values"], (pairs % items).astype(np.int32), starts)
    del pairs
    ids = [tuple(map(str, range(number))) for number in (users, items)]
    method(OURS).fit(Ratings(csr_array(parts, shape=(users, items)), *ids))


def spark(size: str, folder: Path) -> None:
    from recommend.spark import Parquet, SparkFactors, fit_with_spark

    source = Parquet((folder / "drawn.parquet").as_uri())
    fit_with_spark(source, SparkFactors(categories=20, implicit=False, maxit=10))


def plot(figures: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for engine, sizes in figures.items():
        whole = [(SHAPES[size][0], found) for size, found in sizes.items() if found["ended"] == "fitted"]
        for axis, name in zip(axes, ("cpu", "peak_mb"), strict=True):
            axis.loglog([n for n, _ in whole], [found[name] for _, found in whole], "o-", label=NAMES[engine])
    for axis, label in zip(axes, ("processor seconds", "memory at most, MB"), strict=True):
        axis.set(xlabel="ratings", ylabel=label)
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
