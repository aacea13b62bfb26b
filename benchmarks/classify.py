"""Photos a second from JPEG on disk to stored suggestion, and each stage alone beside it.

Draws posts, stores them as the portal does, and lets the worker's task propose for them on a database of its
own. Decode, preprocess, forward and database are then measured alone: their CPU time in the run's batches,
one thread each, is what a photo costs; the cores divided by that sum is what the machine allows.

    .venv/bin/python benchmarks/classify.py [--posts 512] [--rounds 3] [--json OUT] [--plot OUT.png]
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BAR = 0.8  # of what the stages' summed CPU time allows; on a GPU, of the slowest stage
STAGES = ("decode", "preprocess", "forward", "database")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3, help="the best counts: neighbours only slow down")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="classify-") as var:
        os.environ.update(DRESSPORTAL_VAR=var, DJANGO_SETTINGS_MODULE="dressportal.settings")
        sys.path.insert(0, str(ROOT))
        figures = measure(arguments.posts, arguments.rounds)
    print_bars(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))
    if arguments.plot:
        plot(figures, arguments.plot)


def measure(count: int, rounds: int) -> dict[str, Any]:
    from benchmarks import _posts  # Django must not be set up before DRESSPORTAL_VAR is known

    posts = _posts.open_shop(count)
    end_to_end = min((_posts.work_off(posts) for _ in range(rounds)), key=lambda run: run["seconds"])
    stages = [_posts.stages(posts) for _ in range(rounds)]
    about = _posts.about()
    _posts.close_shop()
    costs = {name: min(round_[name] for round_ in stages) for name in STAGES}
    return {**about, "posts": count, "end_to_end": end_to_end, **judged(costs, end_to_end, about, count)}


def judged(costs: dict[str, float], run: dict[str, float], about: dict[str, Any], count: int) -> dict:
    """`costs`: seconds of one core (on a GPU, of it) that all photos take in each stage."""
    cores = about["cores"]
    rates = {name: count / seconds for name, seconds in costs.items()}
    cpu = sum(costs.values())
    allowed = cores * count / cpu
    if about["device"] != "cpu":
        cpu -= costs["forward"]
        allowed = min(rates["forward"], cores * count / cpu)
    reached = count / run["seconds"]
    return {
        "ms_a_photo": {name: round(1_000 * seconds / count, 3) for name, seconds in costs.items()},
        "alone_photos_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "photos_per_second": round(reached, 1),
        "allowed_photos_per_second": round(allowed, 1),
        "share_of_allowed": round(reached / allowed, 3),
        # The same, of the CPU time that the run was given: on a shared machine neighbours take the rest.
        "share_of_given": round(cpu / run["cpu_seconds"], 3),
    }


def print_bars(figures: dict[str, Any]) -> None:
    from rich.console import Console

    console, most = Console(width=110, highlight=False), figures["allowed_photos_per_second"]
    rates = {f"{name} alone, 1 core": rate for name, rate in figures["alone_photos_per_second"].items()}
    rates |= {"allowed by their sum": most, "end to end": figures["photos_per_second"]}
    console.print(
        f"{figures['posts']} posts, {figures['cores']} cores, {figures['device']}, {figures['precision']}"
    )
    widest = max(rates.values())
    for name, rate in rates.items():
        console.print(f"{name:>26} {'█' * max(1, round(60 * rate / widest))} {rate:,.0f} photos/s")
    run = figures["end_to_end"]
    console.print(
        f"{figures['share_of_allowed']:.0%} of what the stages' summed CPU time allows (bar: {BAR:.0%}); "
        f"{run['cpu_seconds'] / run['seconds']:.2f} cores were given"
    )


def plot(figures: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rates = {**figures["alone_photos_per_second"], "allowed": figures["allowed_photos_per_second"]}
    rates["end to end"] = figures["photos_per_second"]
    figure, axes = pyplot.subplots(figsize=(7, 3), layout="constrained")
    bars = axes.barh(list(rates), list(rates.values()), color=["#9bb"] * 4 + ["#577", "#c44"])
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("photos a second; each stage alone on one core")
    figure.savefig(path, dpi=150)


def cpu_and_wall(work: Callable[[], object], cpu: Callable[[], float]) -> dict[str, float]:
    begun, start = cpu(), time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - start, "cpu_seconds": cpu() - begun}


if __name__ == "__main__":
    main()
