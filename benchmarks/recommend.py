"""Lists by everything a shop should use today, each tuned on an inner split, and what of the gaps is noise.

    .venv/bin/python benchmarks/recommend.py [--ratings FILE] [--folds N] [--seed S] [--methods NAME …]
        [--lightfm PYTHON] [--json OUT]

Ten folds, 15 ratings known of each test user, good from 4 on: recommenderlab's protocol. In each fold, every
method picks its options on an inner split of the users learnt from, by precision and ARHR together; those
tested on are not looked at. Intervals are of paired differences over users.

lightfm's WARP is tested beside ours where there is an environment with it; it wants an older numpy:

    python3.11 -m venv ~/.cache/lightfm
    ~/.cache/lightfm/bin/pip install 'numpy<2' 'scipy<1.14' 'setuptools<70' cython wheel requests scikit-learn
    ~/.cache/lightfm/bin/pip install --no-build-isolation lightfm==1.17
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from recommend.methods import method  # noqa: E402  (the checkout is no package)
from recommend.metrics import Figures, PerUser, Scorer, per_user  # noqa: E402
from recommend.readers import read  # noqa: E402
from recommend.splits import Scheme, Split, splits  # noqa: E402

RATINGS = ROOT.parent / "shared/data/movielense/movielense_ratings.csv"
GOOD, GIVEN, N = 4, 15, 10
BEST, RIVALS = "ENSEMBLE", ("EASE", "WARP", "IALS", "lightfm")
LIGHTFM = Path.home() / ".cache/lightfm/bin/python"
LIGHTFM_GRID = [
    {"no_components": categories, "epochs": epochs}
    for categories, epochs in ((30, 15), (30, 30), (30, 60), (60, 30))
]
GRIDS = {
    "EASE": [f"EASE:lambda={lambda_}" for lambda_ in (500, 1000, 1600, 2500)]
    + ["EASE:lambda=1600,weight=all", "EASE:lambda=1600,weight=rating"],
    "EDLAE": [f"EDLAE:lambda={lambda_}" for lambda_ in (200, 400, 1000)],
    "IALS": [
        f"IALS:alpha={alpha},lambda={lambda_}" for alpha, lambda_ in ((1, 10), (5, 25), (5, 50), (10, 50))
    ],
    "WARP": [
        f"WARP:lambda={lambda_},maxit={maxit}"
        for lambda_, maxit in ((0, 15), (0, 30), (0.05, 15), (0.05, 30))
    ],
    "ENSEMBLE": [f"ENSEMBLE:share={share}" for share in (0.35, 0.5)],
}

Way = Callable[[Split, Split], tuple[str, PerUser]]


def main() -> None:
    arguments = parsed()
    ratings = read(arguments.ratings)
    scheme = Scheme("cross-validation", folds=arguments.folds, given=GIVEN, seed=arguments.seed)
    ways: dict[str, Way] = {name: partial(ours, GRIDS[name]) for name in arguments.methods}
    if has_lightfm(arguments.lightfm):
        ways["lightfm"] = partial(lightfms, arguments.lightfm)
    found: dict[str, list[PerUser]] = {name: [] for name in ways}
    chosen: dict[str, list[str]] = {name: [] for name in ways}
    took = dict.fromkeys(ways, 0.0)
    for split in track(list(splits(ratings, scheme)), "Folds", console=Console(stderr=True)):
        [inner] = splits(split.train, Scheme("split", train=0.8, given=GIVEN, seed=arguments.seed))
        for name, way in ways.items():
            started = processor_seconds()
            told, outcome = way(inner, split)
            found[name].append(outcome)
            chosen[name].append(told)
            took[name] += processor_seconds() - started
            print(name, told, round(took[name], 1), file=sys.stderr, flush=True)
    figures = {name: Figures(PerUser.together(parts)).lists[N] for name, parts in found.items()}
    shown(figures, took)
    if arguments.json:
        arguments.json.write_text(json.dumps({"figures": as_json(figures), "chosen": chosen}, indent=1))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ratings", type=Path, default=RATINGS)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=2015)
    parser.add_argument("--methods", nargs="+", choices=GRIDS, default=list(GRIDS), help="of ours")
    parser.add_argument("--lightfm", type=Path, default=LIGHTFM, help="a Python that has it")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def ours(grid: list[str], inner: Split, split: Split) -> tuple[str, PerUser]:
    """The options that did best on the inner split, and what they do on the outer."""
    told = max(grid, key=lambda each: worth(tested(each, inner)))
    return told, tested(told, split)


def lightfms(python: Path, inner: Split, split: Split) -> tuple[str, PerUser]:
    tried = fitted(python, inner, LIGHTFM_GRID)
    best = max(range(len(tried)), key=lambda number: worth(tried[number]))
    [outcome] = fitted(python, split, [LIGHTFM_GRID[best]])
    return json.dumps(LIGHTFM_GRID[best]), outcome


def fitted(python: Path, split: Split, options: list[dict[str, int]]) -> list[PerUser]:
    everybody = [part.where(part.matrix.data >= GOOD) for part in (split.train, split.known)]
    first = len(split.train.users)
    told = {
        "users": np.concatenate([everybody[0].user_of, everybody[1].user_of + first]),
        "items": np.concatenate([part.matrix.indices for part in everybody]),
        "shape": np.array([first + len(split.known.users), len(split.train.items)]),
        "tested": np.arange(len(split.known.users)) + first,
        "options": np.array(json.dumps(options)),
    }
    with tempfile.TemporaryDirectory(prefix="lightfm-") as folder:
        data, out = Path(folder) / "data.npz", Path(folder) / "scores.npz"
        np.savez(data, **told)
        subprocess.run([python, Path(__file__).with_name("_lightfm.py"), data, out], check=True)
        with np.load(out) as scores:
            return [listed(split, scores[name].__getitem__) for name in scores.files]


def has_lightfm(python: Path) -> bool:
    there = (
        python.exists()
        and not subprocess.run([python, "-c", "import lightfm"], capture_output=True).returncode
    )
    if not there:
        print(
            f"*** {python} has no lightfm: NOTHING IS COMPARED WITH IT. ***\n{__doc__.partition('numpy:')[2]}"
        )
    return there


def processor_seconds() -> float:
    """Of this process and of those that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def worth(of: PerUser) -> float:
    at = Figures(of).lists[N]
    return float(at["precision"].value + at["arhr"].value / 3)  # a third: both then vary alike


def tested(told: str, split: Split) -> PerUser:
    return listed(split, method(told, good=GOOD).fit(split.train).fold_in(split.known).scores)


def listed(split: Split, score: Scorer) -> PerUser:
    nothing = np.full(len(split.unknown), np.nan, np.float32)
    return per_user(split.known, split.unknown, nothing, score, good=GOOD, ns=[N])


def shown(figures: dict, took: dict[str, float]) -> None:
    table = Table("method", f"P@{N}", f"ARHR@{N}", f"nDCG@{N}", f"R@{N}", "CPU s, tuning included")
    for name, at in figures.items():
        cells = [f"{at[each].value:.4f}" for each in ("precision", "arhr", "ndcg", "recall")]
        table.add_row(name, *cells, f"{took[name]:.0f}")
    Console().print(table)
    for rival in RIVALS if BEST in figures else ():
        if rival not in figures:
            continue
        for figure in ("precision", "arhr"):
            apart = figures[BEST][figure].less(figures[rival][figure])
            verdict = "noise" if apart.is_noise else "beaten" if apart.value > 0 else "BETTER"
            interval = f"[{apart.low:+.4f}, {apart.high:+.4f}]"
            print(f"{BEST} less {rival}, {figure}@{N}: {apart.value:+.4f} {interval} {verdict}")


def as_json(figures: dict) -> dict:
    return {name: {each: figure.value for each, figure in at.items()} for name, at in figures.items()}


if __name__ == "__main__":
    main()
