"""DeepDress in a catalogue of 4,000 drawn dresses that it never saw, and of 4,000 that it was trained on.

    .venv/bin/python benchmarks/unseen_dresses.py [--weights DIR] [--dresses N] [--seed S] [--json OUT]

One catalogue photo and one street photo each, half as many photos without a dress; a fifth of the dresses are
recolours of another or differ from it in one attribute. The photos are drawn anew (some minutes, a gigabyte
in the temporary folder), named as `evaluate_deepdress` names them, and stand beside colour histograms and the
same network untrained.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml import held_out  # noqa: E402  (the checkout is no package)
from ml.deepdress import DeepDress  # noqa: E402
from ml.evaluate_embedder import Evaluation, evaluate  # noqa: E402
from ml.evaluation_table import table  # noqa: E402
from ml.synthetic.manifest import Order, write  # noqa: E402

TRAINED_ON = 1  # the wardrobe of the shipped weights
Bar = tuple[str, tuple[str, ...], float, float]  # what it is, where it lies in the figures, from, to
UNSEEN: tuple[Bar, ...] = (
    ("recall @1", ("recall", "1"), 0.60, 1),
    ("recall @3", ("recall", "3"), 0.80, 1),
    ("colour histogram, recall @1", ("baselines", "colour histogram", "recall", "1"), 0, 0.15),
    ("not a dress, AUROC", ("not_a_dress", "auroc"), 0.99, 1),
    ("calibration error", ("ece",), 0, 0.03),
    ("option sets at .9, covered", ("conformal", "coverage"), 0.88, 0.94),
)
SEEN: tuple[Bar, ...] = (("seen dresses, recall @3", ("recall", "3"), 0.90, 1),)


def main() -> None:
    chosen = parsed()
    model, console = DeepDress.load(chosen.weights), Console()
    figures = {}
    for name, seed, bars in (("unseen", chosen.seed, UNSEEN), ("seen", TRAINED_ON, SEEN)):
        found = evaluated(model, chosen.dresses, seed)
        console.print(compared(found, f"{chosen.dresses:,} {name} dresses, wardrobe {seed}"))
        figures[name] = found.as_json()
        console.print(judged(figures[name], bars))
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, default=ROOT / "ml/weights/deepdress")
    parser.add_argument("--dresses", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=99, help="of the unseen wardrobe (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="OUT")
    return parser.parse_args()


def evaluated(model: DeepDress, dresses: int, seed: int) -> Evaluation:
    """A wardrobe of its own, drawn, named and thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        order = Order(Path(folder), dresses, 1, dresses // 2, seed, held_out=True)
        return evaluate(held_out.read(write(order)), [model])


def compared(found: Evaluation, title: str) -> Table:
    columns, rows = table(found)
    told = Table("", *columns, title=title, caption="\n".join(found.notes) or None)
    for label, cells in rows:
        told.add_row(label, *cells)
    return told


def judged(figures: dict[str, Any], bars: tuple[Bar, ...]) -> Table:
    told = Table("", "figure", "bar", "")
    for label, path, low, high in bars:
        value: Any = figures
        for key in path:
            value = value[key]
        bar = f"≥ {low:.2f}" if high == 1 else f"≤ {high:.2f}" if low == 0 else f"{low:.2f} to {high:.2f}"
        told.add_row(label, f"{value:.3f}", bar, "kept" if low <= value <= high else "[bold red]missed")
    return told


if __name__ == "__main__":
    main()
