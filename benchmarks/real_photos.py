"""DeepDress on real photos: garments named by their main views, and dress or not a dress, cross-validated.

    .venv/bin/python benchmarks/real_photos.py [--weights DIR] [--only garments|dress] [--json OUT]

Garments: other views against main views, on garments never seen, beside colours and the untrained network.
Dress or not: DeepDress taught on four fifths of the photos says which of the others show a dress, beside the
same network from scratch, on the same photos in the same run. The photos are no part of the product:
--photos says where they are.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a fold a process
os.environ.setdefault("TQDM_DISABLE", "1")  # several folds' bars at once are unreadable

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402  (the checkout is no package)
from rich.table import Table  # noqa: E402

from benchmarks import _dress_or_not, _garments  # noqa: E402
from ml.checkpoint import CheckpointRefused  # noqa: E402
from ml.training_options import Options  # noqa: E402

WEIGHTS = ROOT / "ml/weights/deepdress"
LEAST_AUROC, LEAST_PRECISION, LEAST_GAIN, LEAST_RATIO = 0.975, 0.90, 0.05, 2.0
TAUGHT, SCRATCH = _dress_or_not.METHODS


def main() -> None:
    arguments = parsed()
    if not arguments.photos.is_dir():
        return print(f"SKIPPED: no folder {arguments.photos} with real photos; --photos says where they are.")
    try:
        figures = measured(arguments)
    except CheckpointRefused as error:
        sys.exit(f"real_photos: {error}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """Each part's figures, printed as soon as they are known."""
    figures: dict[str, Any] = {"weights": str(arguments.weights)}
    shared = (arguments.weights, arguments.cache)
    if arguments.only != "dress":
        garments = _garments.read(arguments.photos / "garments")
        chosen = (arguments.garment_steps, arguments.folds, arguments.seed)
        figures["garments"] = _garments.compare(garments, *shared, *chosen)
        print_garments(figures["garments"])
    if arguments.only != "garments":
        steps = {TAUGHT: arguments.steps, SCRATCH: arguments.scratch_steps}
        chosen = (steps, arguments.folds, arguments.seed, arguments.workers)
        photos = arguments.photos / "clothing/train"
        figures["dress_or_not"] = _dress_or_not.cross_validated(photos, *shared, *chosen)
        print_dress_or_not(figures["dress_or_not"])
    return figures


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--photos", type=Path, default=ROOT.parent / "shared/data/photos")
    add("--weights", type=Path, default=WEIGHTS, metavar="DIR")
    add("--only", choices=("garments", "dress"))
    add("--folds", type=int, default=5)
    add("--steps", type=int, default=400, help="that DeepDress is taught a fold (%(default)s)")
    add("--scratch-steps", type=int, default=750, help="of the network from scratch (%(default)s)")
    add("--garment-steps", type=int, default=40, help="of fine-tuning on garments; 0: none (%(default)s)")
    add("--seed", type=int, default=0)
    add("--workers", type=int, default=os.cpu_count() or 1, help="folds at once, a core each")
    add("--cache", type=Path, default=Options.cache / "real-photos", help="folder for decoded photos")
    add("--json", type=Path, metavar="OUT")
    return parser.parse_args()


def print_garments(figures: dict[str, Any]) -> None:
    title = f"{figures['queries']} other views among {figures['products']} main views of garments"
    columns = [f"@{k}, {gallery}" for gallery in _garments.GALLERIES for k in _garments.KS]
    table = Table("recall", *columns, title=title)
    for method, galleries in figures["recall"].items():
        found = [galleries[gallery][str(k)] for gallery in _garments.GALLERIES for k in _garments.KS]
        table.add_row(method, *(f"{recall:.3f}" for recall in found))
    console = Console()
    console.print(table)
    for gallery, meaning in _garments.GALLERIES.items():
        colours = figures["recall"]["colour histogram"][gallery]["1"]
        bar = LEAST_RATIO * colours
        reachable = "" if bar <= 1 else ": more than there is"
        console.print(f"{gallery}: {meaning}; twice the colour histogram's recall@1 is {bar:.3f}{reachable}")


def print_dress_or_not(figures: dict[str, Any]) -> None:
    table = Table(
        "dress or not", "AUROC", "average precision", "CPU s a fold", title="Means with 95% intervals"
    )
    for method, found in figures.items():
        cells = (spread(found["auroc"]), spread(found["average_precision"]))
        table.add_row(method, *cells, f"{found['cpu_seconds']['mean']:.0f}")
    least = {"auroc": LEAST_AUROC, "average_precision": LEAST_PRECISION}
    bars = (max(bar, figures[SCRATCH][name]["mean"] + LEAST_GAIN) for name, bar in least.items())
    table.add_row(f"bar (and {LEAST_GAIN} above scratch)", *(f"{bar:.3f}" for bar in bars), "")
    Console().print(table)


def spread(figure: dict[str, Any]) -> str:
    interval = "" if figure["interval"] is None else f" ± {figure['interval']:.3f}"
    return f"{figure['mean']:.3f}{interval}"


if __name__ == "__main__":
    main()
