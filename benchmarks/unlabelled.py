"""What photos that nobody has named add to DeepDress's training, on drawn dresses that are new to it.

    .venv/bin/python benchmarks/unlabelled.py [--seconds 60] [--seeds 3] [--photos DIR] [--json OUT]

The shipped weights learn a new shop: 400 dresses with one catalogue photo each, 240 of their 2,400 street
photos named (others with each seed), 300 photos without a dress. The other 2,160 street photos lie among 300
of dresses that the shop does not have and 300 of none, and nobody says which is which. All ways have the
same photos, start and CPU time (one thread; naming counts, measuring does not). They are measured on 1,200
street photos of the 400 dresses, and on 600 of 100 dresses that none has seen. Photos have 64 pixels,
fewer than the weights are used to, so that a run is a matter of a minute; drawing them takes two, once.

Unlabelled photos are named by both opinions of ml/unlabelled.py, as `--unlabelled` does, and by look-alikes
alone. Of the surer half of all names in the end it says how many are right.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml import checkpoint, train_embedder, unlabelled  # noqa: E402  (the checkout is no package)
from ml.evaluation import seen_posts, unseen_posts  # noqa: E402
from ml.manifest import UNLABELLED  # noqa: E402
from ml.photos import read_square, shrink, to_batch  # noqa: E402
from ml.scarce.results import interval  # noqa: E402
from ml.synthetic.manifest import Order, shots, write  # noqa: E402
from ml.training_options import Options  # noqa: E402
from ml.training_set import NO_DRESS, SPARE, TrainingSet  # noqa: E402

SIDE, LABELLED = 64, 0.1
CPU = torch.device("cpu")
IN_THE_SHOP, ELSEWHERE, IN_ALL = 400, 500, 600  # dresses: up to the first, of other shops up to the next, new
TRAINED_ON, OF_OTHERS = 6, 3  # street photos of a dress; the rest is measured on
LATER = 0.25  # share of the training after which unlabelled photos are learnt from


class Way(NamedTuple):
    start: float  # share of the training
    temperature: float = unlabelled.TEMPERATURE  # of the network's own opinion; at inf it has none
    never: float = unlabelled.NEVER


WAYS = {
    "labelled photos": Way(9.0),
    "look-alikes": Way(LATER, temperature=math.inf, never=0.0),
    "two opinions": Way(LATER),
}
Run = dict[str, Any]


def main() -> None:
    chosen = parsed()
    torch.set_num_threads(1)
    train_embedder.RESOLUTIONS = ((0.0, 1.0),)
    with tempfile.TemporaryDirectory() as folder:
        photos = read(chosen.photos or Path(folder))
        runs = [
            run(photos, way, seed, chosen, Path(folder) / "run")
            for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds)
            for way in WAYS
        ]
    Console().print(table(runs))
    if chosen.json:
        chosen.json.write_text(json.dumps(runs, indent=2) + "\n", encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="of CPU time a run (%(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--first-seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--check-every", type=int, default=100, help="steps between namings (%(default)s)")
    parser.add_argument("--photos", type=Path, help="folder where drawn photos are kept, or lie already")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def read(folder: Path) -> TrainingSet:
    """Every photo with its name and, in the place of a split, its kind; who may know what comes later."""
    order = Order(folder, IN_ALL, TRAINED_ON + OF_OTHERS, 900, seed=71, size=(144, 180))
    if not (folder / "manifest.jsonl").exists():
        write(order, workers=1)
    told = [(shot, kind) for shot in shots(order) if (kind := kind_of(shot.role, shot.index, shot.number))]
    side = round(SIDE * SPARE)
    squares = [
        (shrink(to_batch([read_square(folder / shot.path, 96)]), side)[0] * 255).round().byte()
        for shot, _ in tqdm(told, "photos", unit="photo")
    ]
    pixels = torch.stack(squares).permute(0, 2, 3, 1).contiguous().numpy()
    dress = np.array([NO_DRESS if shot.role == "negative" else shot.index for shot, _ in told])
    role, split = (
        np.array(column, "<U10") for column in zip(*((s.role, kind) for s, kind in told), strict=True)
    )
    return TrainingSet(
        pixels, dress, role, split, np.ones(len(told)), np.zeros((len(told), 0), np.int64), {}, {}
    )


def kind_of(role: str, index: int, number: int) -> str | None:
    """train: known to all ways; pool: some of these are; strange: of none, or of another shop; test."""
    if role == "negative":
        return ("train", "strange", "test")[number % 9 // 3]
    if index >= ELSEWHERE:
        return "test" if role == "catalogue" or number < TRAINED_ON else None
    if index >= IN_THE_SHOP:
        return "strange" if role == "look" and number < OF_OTHERS else None
    return "train" if role == "catalogue" else "pool" if number < TRAINED_ON else "test"


def run(photos: TrainingSet, way: str, seed: int, asked: argparse.Namespace, out: Path) -> Run:
    data = told(photos, seed)
    network = checkpoint.load(ROOT / "ml/weights/deepdress").network
    network.config = replace(network.config, input_size=SIDE, mirrored=False)
    chosen = Options(
        *(out, Path("drawn")), minutes=asked.seconds / 60, seed=seed, rate=5e-4, attributes=0.0, pairs=32,
        negatives=8, check_every=asked.check_every, unlabelled_from=WAYS[way].start, restart=True,
    )  # fmt: skip
    _, unlabelled.TEMPERATURE, unlabelled.NEVER = WAYS[way]
    torch.manual_seed(seed)
    training = train_embedder.fit(network, data, chosen, CPU, clock=time.process_time)
    network.half().float()  # as it would be stored
    seen, unseen = (find(network, data, "test", CPU).recall() for find in (seen_posts, unseen_posts))
    return {
        "way": way,
        "seed": seed,
        "seconds": asked.seconds,
        "steps": training.state.steps,
        "seen": seen,
        "unseen": unseen,
        "right": right(photos, training) if WAYS[way].start < 1 else None,
    }


def right(photos: TrainingSet, training: train_embedder.Training) -> float:
    """Share of right names among the surer half of all; a photo of no dress of the shop's has none."""
    found = unlabelled.names(training.network, training.batches, CPU, SIDE)
    shown = photos.dress[training.data.rows(UNLABELLED, dress=False)]
    surer = np.argsort(-found.sure, kind="stable")[: len(shown) // 2]
    return float((training.batches.dresses[found.classes] == shown)[surer].mean())


def told(photos: TrainingSet, seed: int) -> TrainingSet:
    """What may be known: one in ten of the street photos has a name."""
    pool = np.flatnonzero(photos.split == "pool")
    named = np.random.default_rng(seed).choice(pool, round(LABELLED * len(pool)), replace=False)
    split = np.where(np.isin(np.arange(len(photos.dress)), named), "train", photos.split)
    hidden = np.isin(split, ("pool", "strange"))
    role, split = (np.where(hidden, UNLABELLED, column) for column in (photos.role, split))
    return replace(photos, dress=np.where(hidden, NO_DRESS, photos.dress), role=role, split=split)


def table(runs: list[Run]) -> Table:
    """In percent, and differences with their 95% intervals over seeds (Student's t, paired)."""
    figures = {(each["way"], each["seed"]): each for each in runs}
    seeds = sorted({each["seed"] for each in runs})
    shown = Table("recall @1", *(f"seed {seed}" for seed in seeds), "mean")
    for name, values in rows(figures, seeds).items():
        mean = interval(values)
        beyond = f" ± {mean.interval:.1f}" if len(seeds) > 1 else ""
        shown.add_row(name, *(f"{value:.1f}" for value in values), f"{mean.mean:.1f}{beyond}")
    return shown


def rows(figures: dict[tuple[str, int], Run], seeds: list[int]) -> dict[str, list[float]]:
    """A figure of each seed."""
    found: dict[str, list[float]] = {}
    for dresses in ("seen", "unseen"):
        by_way = {way: [100 * figures[way, seed][dresses]["1"] for seed in seeds] for way in WAYS}
        found |= {f"{dresses}: {way}": values for way, values in by_way.items()}
        for one, other in combinations(WAYS, 2):
            both = zip(by_way[one], by_way[other], strict=True)
            found[f"{dresses}: {other} - {one}"] = [b - a for a, b in both]
    for way in (way for way in WAYS if WAYS[way].start < 1):
        found[f"right names: {way}"] = [100 * figures[way, seed]["right"] for seed in seeds]
    return found


if __name__ == "__main__":
    main()
