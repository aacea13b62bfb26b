"""Recipes for dreaming dresses, trained for the same processor time each; and DCGAN beside the plain one.

    .venv/bin/python benchmarks/gan.py [--cpu-minutes 1] [--size 32] [--recipes …] [--json OUT]

Speed: an iteration of our DCGAN and of one written plainly in PyTorch (64 pixels, batch 64, width 64, same
photos), in turns. Likeness: every recipe, at the same width, on the same drawn dresses. Nothing is asked of
any dream; but "modern, tastes" has learnt from photos together with DeepDress's vectors of them, which the
others do without. FID, precision and recall against drawn dresses held out, KID also against real photos of
dresses, on DeepDress's features. The default is bounded to about ten minutes of one idle core, of which
drawing and looking at the photos the first time take half; `--cpu-minutes 10` means more. Photos, once
drawn, are kept in --cache.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402  (the checkout is no package)
import torch  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks._dcgan import NOISE, SIZE, WIDTH, Plain  # noqa: E402
from ml.gan import GanConfig, load_generator  # noqa: E402
from ml.gan_game import RECIPES, Game  # noqa: E402
from ml.gan_judge import Judge, dreams  # noqa: E402
from ml.gan_metrics import kernel_distance  # noqa: E402
from ml.gan_options import Options  # noqa: E402
from ml.gan_photos import listing  # noqa: E402
from ml.learner import precision  # noqa: E402
from ml.photos import read_square  # noqa: E402
from ml.synthetic.manifest import Order, write  # noqa: E402
from ml.train_gan import train  # noqa: E402
from ml.training_options import OptionsRefused  # noqa: E402

CPU = torch.device("cpu")
BATCH = 64
TASTES = "modern, tastes"
ROWS: dict[str, dict[str, str]] = {
    **{name: {"recipe": name} for name in RECIPES},
    TASTES: {"recipe": "modern", "condition": "embedding"},
}
TRAINED, HELD_OUT = 7, 8  # wardrobes
FIGURES = {"fid": 1, "kid": 4, "precision": 2, "recall": 2, "kid_of_real_dresses": 3}  # and their places


def main() -> None:
    chosen = parsed()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {"threads": 1}
    if chosen.only != "likeness":
        figures["speed"] = speed(chosen.rounds)
        print_speed(figures["speed"])
    if chosen.only != "speed":
        try:
            figures["likeness"] = likeness(chosen)
        except OptionsRefused as error:
            raise SystemExit(f"{error}.") from error
        print_likeness(figures["likeness"], chosen)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", choices=("speed", "likeness"))
    add("--rounds", type=int, default=7, help="iterations of each DCGAN; the median counts (%(default)s)")
    add("--recipes", nargs="+", choices=list(ROWS), default=list(ROWS))
    add("--cpu-minutes", type=float, default=1.0, help="that each recipe trains (%(default)s)")
    add("--size", type=int, default=32, help="pixels (%(default)s)")
    add("--width", type=int, default=32)
    add("--seed", type=int, default=1)
    add("--dresses", type=int, default=4000, help="drawn to train on (%(default)s)")
    add("--held-out", type=int, default=2000, help="drawn to judge by (%(default)s)")
    add("--drawn", type=Path, nargs=2, metavar="DIR", help="folders of drawn dresses that there are already")
    add("--real", type=Path, default=ROOT.parent / "shared/data/photos/clothing", help="photos of dresses")
    add("--cache", type=Path, default=Options.cache / "gan-bench")
    add("--json", type=Path, metavar="OUT")
    return parser.parse_args()


def speed(rounds: int) -> dict[str, float]:
    """Seconds of one core an iteration, in turns, so that neighbours hold both up alike."""
    torch.manual_seed(1)
    photos = torch.rand(BATCH, 3, SIZE, SIZE) * 2 - 1
    config = GanConfig(SIZE, "conv", NOISE, WIDTH, critic_norm="batch")
    game = Game(config, RECIPES["dcgan"], CPU, dtype=precision("auto", CPU))
    plain, rng = Plain(), torch.Generator().manual_seed(1)
    ours = photos.contiguous(memory_format=torch.channels_last)
    turns: dict[str, Callable[[], Any]] = {
        "ours": lambda: game.play([(ours, None)], rng),
        "plain": lambda: plain.iteration(photos),
    }
    spent: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(rounds + 1):
        for name, turn in turns.items():
            start = time.process_time()
            turn()
            if number:  # the first one allocates and chooses kernels
                spent[name].append(time.process_time() - start)
    found = {name: median(times) for name, times in spent.items()}
    return {**found, "ratio": found["ours"] / found["plain"]}


def print_speed(found: dict[str, float]) -> None:
    met = "met" if found["ratio"] <= 1 else "missed"
    Console().print(
        f"DCGAN, {SIZE} px, batch {BATCH}, seconds of one core an iteration: ours {found['ours']:.2f}, plain "
        f"{found['plain']:.2f}, ratio {found['ratio']:.2f} (bar: at most 1: {met})"
    )


def likeness(chosen: argparse.Namespace) -> dict[str, Any]:
    """Of every recipe: its figures on drawn dresses, and KID on real ones."""
    folders = chosen.drawn or drawn(chosen)
    judge = Judge(Options.deepdress, CPU)
    real = real_features(chosen.real, chosen.size, judge)
    found = {}
    for name in chosen.recipes:
        out = chosen.cache / f"run-{name.replace(', ', '-')}"
        own = {"size": chosen.size, "width": chosen.width, "seed": chosen.seed, "cache": chosen.cache}
        length = {"cpu_minutes": chosen.cpu_minutes, "check_every": 10**9, "restart": True, "device": "cpu"}
        options = Options(folders[0], out, held_out=folders[1], **ROWS[name], **own, **length)
        metrics = train(options)
        found[name] = {**metrics, "ms": 1000 * metrics["cpu_seconds"] / metrics["steps"]}
        if real is not None:
            noise = torch.randn(2000, options.noise, generator=torch.Generator().manual_seed(chosen.seed))
            seen = [judge.look(pixels)[0] for pixels in dreams(load_generator(out), noise)]
            found[name]["kid_of_real_dresses"] = kernel_distance(real, np.concatenate(seen))
    return found


def drawn(chosen: argparse.Namespace) -> list[Path]:
    """Two folders of catalogue photos, drawn unless they are there."""
    folders = []
    for seed, count in ((TRAINED, chosen.dresses), (HELD_OUT, chosen.held_out)):
        folder = chosen.cache / f"drawn-{seed}-{count}"
        if not (folder / "manifest.jsonl").exists():
            write(Order(folder, count, 0, 0, seed, size=(128, 128)), 1)
        folders.append(folder)
    return folders


def real_features(folder: Path, size: int, judge: Judge) -> np.ndarray | None:
    """Of real photos of dresses, at the same size; None where there are none."""
    photos = (
        [each.path for each in listing(folder) if each.path.parent.name == "dress"] if folder.is_dir() else []
    )
    if not photos:
        print(f"KID on real dresses SKIPPED: no photos in {folder}; --real says where they are.")
        return None
    squares = [read_square(photo, size) for photo in photos]
    return np.concatenate(
        [judge.look(np.stack(squares[start : start + 64]))[0] for start in range(0, len(squares), 64)]
    )


def figure(value: float | None, places: int) -> str:
    """A dash for what was not measured, or what so few photos do not tell."""
    return "-" if value is None else f"{value:.{places}f}"


def print_likeness(found: dict[str, Any], chosen: argparse.Namespace) -> None:
    some = next(iter(found.values()))
    title = (
        f"{chosen.cpu_minutes:g} CPU minutes each, {chosen.size} px, {some['data']['photos']:,} drawn "
        f"dresses; {some['photos']:,} held out"
    )
    table = Table(
        "recipe", "FID", "KID", "precision", "recall", "KID, real", "ms a step", "steps", title=title
    )
    for name, row in found.items():
        cells = [figure(row.get(key), places) for key, places in FIGURES.items()]
        table.add_row(name, *cells, f"{row['ms']:.0f}", f"{row['steps']:,}")
    console = Console()
    console.print(table)
    fid = {name: row["fid"] for name, row in found.items() if row["fid"] is not None}
    others = [name for name in ("dcgan", "wgan-gp") if name in fid]
    for name in ("modern", TASTES):
        if name in fid and others:
            met = "met" if fid[name] < min(fid[other] for other in others) else "missed"
            console.print(f"bar: FID of {name} below those of {' and '.join(others)}: {met}")


if __name__ == "__main__":
    main()
