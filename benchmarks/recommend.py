"""Lists by everything a shop should use today, each tuned on an inner split, and what of the gaps is noise.

    .venv/bin/python benchmarks/recommend.py [--ratings FILE] [--folds N] [--seed S] [--json OUT]

Ten folds, 15 ratings known of each test user, good from 4 on: recommenderlab's protocol. In each fold, every
method picks its options on an inner split of the users learnt from, by precision and ARHR together; those
tested on are not looked at. Intervals are of paired differences over users.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from recommend.methods import method  # noqa: E402  (the checkout is no package)
from recommend.metrics import Figures, PerUser, per_user  # noqa: E402
from recommend.ratings import Ratings  # noqa: E402
from recommend.readers import read  # noqa: E402
from recommend.splits import Scheme, Split, splits  # noqa: E402

RATINGS = ROOT.parent / "shared/data/movielense/movielense_ratings.csv"
GOOD, GIVEN, N = 4, 15, 10
BEST, RIVALS = "ENSEMBLE", ("EASE", "WARP", "IALS")
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


def main() -> None:
    arguments = parsed()
    ratings = read(arguments.ratings)
    scheme = Scheme("cross-validation", folds=arguments.folds, given=GIVEN, seed=arguments.seed)
    found: dict[str, list[PerUser]] = {name: [] for name in GRIDS}
    chosen: dict[str, list[str]] = {name: [] for name in GRIDS}
    took = dict.fromkeys(GRIDS, 0.0)
    for split in track(list(splits(ratings, scheme)), "Folds", console=Console(stderr=True)):
        for name, grid in GRIDS.items():
            started = time.process_time()
            told = tuned(grid, split.train, arguments.seed)
            found[name].append(tested(told, split))
            chosen[name].append(told)
            took[name] += time.process_time() - started
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
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def tuned(grid: list[str], train: Ratings, seed: int) -> str:
    [inner] = splits(train, Scheme("split", train=0.8, given=GIVEN, seed=seed))
    return max(grid, key=lambda told: worth(tested(told, inner)))


def worth(of: PerUser) -> float:
    at = Figures(of).lists[N]
    return float(at["precision"].value + at["arhr"].value / 3)  # a third: both then vary alike


def tested(told: str, split: Split) -> PerUser:
    model = method(told, good=GOOD).fit(split.train).fold_in(split.known)
    nothing = np.full(len(split.unknown), np.nan, np.float32)
    return per_user(split.known, split.unknown, nothing, model.scores, good=GOOD, ns=[N])


def shown(figures: dict, took: dict[str, float]) -> None:
    table = Table("method", f"P@{N}", f"ARHR@{N}", f"nDCG@{N}", f"R@{N}", "CPU s, tuning included")
    for name, at in figures.items():
        cells = [f"{at[each].value:.4f}" for each in ("precision", "arhr", "ndcg", "recall")]
        table.add_row(name, *cells, f"{took[name]:.0f}")
    Console().print(table)
    for rival in RIVALS:
        for figure in ("precision", "arhr"):
            apart = figures[BEST][figure].less(figures[rival][figure])
            verdict = "noise" if apart.is_noise else "beaten" if apart.value > 0 else "BETTER"
            interval = f"[{apart.low:+.4f}, {apart.high:+.4f}]"
            print(f"{BEST} less {rival}, {figure}@{N}: {apart.value:+.4f} {interval} {verdict}")


def as_json(figures: dict) -> dict:
    return {name: {each: figure.value for each, figure in at.items()} for name, at in figures.items()}


if __name__ == "__main__":
    main()
