"""Dreams of dresses: python -m ml.dream sample|film|walk|page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ml.checkpoint import CheckpointRefused
from ml.deepdress import DeepDress
from ml.dream_report import write_page
from ml.dreamer import SHIPPED, Dreamer, between
from ml.film import SUFFIXES, FilmRefused, enlarged, grid, learning, save
from ml.name import SHIPPED as DEEPDRESS
from ml.photos import UnreadablePhoto

MOST = 400  # dreams in a grid, frames in a walk
WIDTH = 320  # pixels, at least, of a picture in an animation
SEEDS = 2**32

Floats = npt.NDArray[np.float32]


class Refused(ValueError):
    """What was asked for does not go together; the message says what."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml.dream", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sample = commands.add_parser("sample", help="a grid of dreams")
    _with_weights(sample)
    sample.add_argument("--seed", type=_seed, required=True, help="of the first; the others follow it")
    sample.add_argument("--count", type=_count, default=16, metavar="N", help="%(default)s")
    sample.add_argument("--like", type=Path, nargs="+", default=[], metavar="PHOTO", help="dresses one likes")
    sample.add_argument("--out", type=Path, required=True, metavar="GRID.png")
    walk = commands.add_parser("walk", help="from one dream to another, or between two photos of dresses")
    _with_weights(walk)
    walk.add_argument("--seeds", type=_seed, nargs=2, metavar=("FROM", "TO"), help="two dreams")
    walk.add_argument("--photos", type=Path, nargs=2, metavar=("FROM", "TO"), help="two dresses")
    walk.add_argument("--seed", type=_seed, default=0, help="between photos: the dream's (%(default)s)")
    walk.add_argument("--frames", type=_count, default=24, metavar="N", help="%(default)s")
    walk.add_argument("--strip", action="store_true", help="side by side instead of one after another")
    walk.add_argument("--out", type=Path, required=True, metavar="FILE", help=_endings("an animation"))
    film = commands.add_parser("film", help="a run of ml.train_gan, as it learns")
    film.add_argument("run", type=Path, metavar="RUN", help="its folder")
    film.add_argument("--most", type=_count, default=60, metavar="N", help="grids (%(default)s)")
    film.add_argument("--out", type=Path, required=True, metavar="FILE", help=_endings("it"))
    page = commands.add_parser("page", help="a run of ml.train_gan as one HTML page, also while it goes on")
    page.add_argument("run", type=Path, metavar="RUN", help="its folder; the page is its report.html")
    return parser.parse_args()


def _endings(what: str) -> str:
    return f"{what} as its ending says: {' or '.join(SUFFIXES)}"


def _with_weights(command: argparse.ArgumentParser) -> None:
    command.add_argument("--weights", type=Path, default=SHIPPED, metavar="DIR", help="%(default)s")
    command.add_argument(
        "--deepdress", type=Path, default=DEEPDRESS, metavar="DIR", help="that looks at photos (%(default)s)"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {MOST}, got {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= SEEDS:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {SEEDS - 1}, got {text!r}")
    return int(text)


def tastes_of(photos: list[Path], dreamer: Dreamer, deepdress: Path) -> Floats:
    """(n, d) unit vectors of photos. Raises Refused, ml.photos.UnreadablePhoto and CheckpointRefused."""
    if not dreamer.dimensions:
        raise Refused("These weights know no tastes: they were trained without --condition embedding.")
    for photo in photos:
        if not photo.is_file():
            raise Refused(f"{photo}: no such file")
    model = DeepDress.load(deepdress)
    if model.config.dimensions != dreamer.dimensions or dreamer.deepdress not in ("", model.version):
        raise Refused(f"These weights were trained with another DeepDress than {deepdress}: see --deepdress.")
    return model.embed(list(photos)).vectors


def sample(chosen: argparse.Namespace) -> None:
    dreamer = Dreamer.load(chosen.weights)
    seeds = [(chosen.seed + place) % SEEDS for place in range(chosen.count)]
    tastes = None
    if chosen.like:
        mean = tastes_of(chosen.like, dreamer, chosen.deepdress).sum(axis=0)
        tastes = np.tile(mean / max(np.linalg.norm(mean), 1e-6), (chosen.count, 1))
    written(grid(dreamer.dream([dreamer.noise(seed) for seed in seeds], tastes)), chosen.out)
    print(f"{chosen.out}: {chosen.count} dreams of {dreamer.size} pixels, seeds from {chosen.seed}")


def walk(chosen: argparse.Namespace) -> None:
    if bool(chosen.seeds) == bool(chosen.photos):
        raise Refused("Either --seeds FROM TO or --photos FROM TO says where to walk.")
    dreamer, shares = Dreamer.load(chosen.weights), np.linspace(0, 1, chosen.frames)
    if chosen.seeds:
        start, end = (dreamer.noise(seed) for seed in chosen.seeds)
        pictures = dreamer.dream([between(start, end, share) for share in shares])
    else:
        start, end = tastes_of(chosen.photos, dreamer, chosen.deepdress)
        tastes = [between(start, end, share) for share in shares]
        pictures = dreamer.dream([dreamer.noise(chosen.seed)] * len(tastes), tastes)
    if chosen.strip:
        written(grid(pictures, len(pictures)), chosen.out)
    else:
        save([enlarged(Image.fromarray(each), WIDTH) for each in pictures], chosen.out, seconds=0.1)
    print(f"{chosen.out}: {chosen.frames} places on the way")


def written(picture: Image.Image, path: Path) -> None:
    try:
        picture.save(path)
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: cannot be written ({error})") from error


def main() -> int:
    """Exit status 1, with a line that says why, where nothing could be made."""
    chosen = options()
    try:
        if chosen.command == "sample":
            sample(chosen)
        elif chosen.command == "walk":
            walk(chosen)
        elif chosen.command == "film":
            frames = learning(chosen.run / "samples", chosen.most)
            save(frames, chosen.out, seconds=0.4)
            print(f"{chosen.out}: {len(frames)} grids")
        else:
            print(write_page(chosen.run))
    except (CheckpointRefused, FilmRefused, Refused, UnreadablePhoto, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
