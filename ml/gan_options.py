"""What the command line of ml.train_gan says."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ml import training_state
from ml.gan import CONDITIONS, NETWORKS, SIZES, GanConfig
from ml.gan_game import RECIPES, Recipe
from ml.name import SHIPPED
from ml.training_options import LAST_SEED, PRECISIONS, above_0, device, not_below_0, whole


@dataclass(frozen=True)
class Options:
    """One training."""

    photos: Path
    out: Path
    recipe: str = "modern"
    size: int = 64
    held_out: Path | None = None
    attribute: str | None = None
    steps: int = 10_000
    minutes: float | None = None
    cpu_minutes: float | None = None
    seed: int = 1
    network: str | None = None  # None, here and below: the recipe's
    width: int = 32
    noise: int = 64
    condition: str = "none"
    dropped: float = 0.25
    batch: int | None = None
    rate: float | None = None
    gamma: float | None = None
    augmentation: float | None = None
    decay: bool | None = None
    average: float = 0.995
    precision: str = "auto"
    device: str | None = None
    check_every: int = 1000
    judged: int = 500
    samples: tuple[int, ...] = ()
    restart: bool = False
    deepdress: Path = SHIPPED
    cache: Path = Path(os.environ.get("DRESSPORTAL_VAR", "var")) / "training"

    @property
    def unfinished(self) -> Path:
        """Where a training that is going on keeps its last good generator, and what it needs to go on."""
        return self.out / training_state.FOLDER

    def deciding(self) -> dict[str, Any]:
        """What decides the result, as plain values; a training is only resumed with the same.

        How long it shall be decides the rates of a recipe that lowers them, and of no other. The recipe
        stands there with all it says: its name alone may mean something else in another version.
        """
        recipe = self.chosen_recipe()
        indifferent = ["out", "restart", "cache", "device", "photos", "held_out", "deepdress", "samples"]
        indifferent += ["judged", "check_every"]
        if not recipe.decay:
            indifferent += ["steps", "minutes", "cpu_minutes"]
        told = {name: value for name, value in asdict(self).items() if name not in indifferent}
        return {**told, **asdict(recipe), "betas": list(recipe.betas)}

    def chosen_recipe(self) -> Recipe:
        """The recipe with what the command line changes of it."""
        changeable = ("rate", "gamma", "augmentation", "batch", "network", "decay")
        own = {name: getattr(self, name) for name in changeable}
        return replace(RECIPES[self.recipe], **{name: own[name] for name in own if own[name] is not None})

    def config(self, classes: int, dimensions: int) -> GanConfig:
        """The nets' shapes. Raises ValueError."""
        recipe = self.chosen_recipe()
        return GanConfig(
            self.size,
            recipe.network,
            self.noise,
            self.width,
            self.condition,
            classes if self.condition == "class" else 0,
            dimensions,
            recipe.critic_norm,
        )

    def drawn_at(self, step: int) -> bool:
        """Whether the grid of step `step` is kept: of 1, 2, 5, 10, 20, 50 … unless told."""
        if self.samples:
            return step in self.samples
        return str(step).rstrip("0") in ("1", "2", "5")


def options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ml.train_gan",
        description="Train a generator that dreams dresses. The same command goes on where a training was "
        "broken off.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--photos", type=Path, required=True, help="folder (subfolders are classes), or a manifest")
    add("--out", type=Path, required=True, help="folder for the checkpoint, the log and the samples")
    add("--recipe", choices=list(RECIPES), default=Options.recipe, help="(%(default)s)")
    add("--size", type=int, choices=SIZES, default=Options.size, help="pixels (%(default)s)")
    add("--held-out", type=Path, metavar="DIR", help="to judge by (a manifest's splits, or one photo in ten)")
    add("--attribute", metavar="NAME", help="of a manifest, whose values are the classes")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--steps", type=whole(1), default=Options.steps, help="turns of the generator (%(default)s)"
    )
    length.add_argument("--minutes", type=above_0, help="stop by the clock; not reproducible")
    length.add_argument("--cpu-minutes", type=above_0, help="by the processor's time; not reproducible")
    add("--seed", type=whole(0, LAST_SEED), default=Options.seed)
    add("--network", choices=NETWORKS, help="(the recipe's)")
    add("--width", type=whole(1), default=Options.width, help="channels of the largest maps (%(default)s)")
    add("--noise", type=whole(1), default=Options.noise, help="dimensions (%(default)s)")
    add("--condition", choices=CONDITIONS, default=Options.condition, help="what can be asked (%(default)s)")
    add(
        "--dropped",
        type=_share,
        default=Options.dropped,
        help="share of photos whose condition is left out (%(default)s)",
    )
    add("--batch", type=whole(2), help="photos, over all processes (the recipe's)")
    add("--rate", type=above_0, help="highest learning rate (the recipe's)")
    add("--gamma", type=not_below_0, help="weight of the zero-centred penalties (the recipe's)")
    add("--augmentation", type=_share, help="share of photos, 0..1 (the recipe's)")
    add(
        "--decay",
        action=argparse.BooleanOptionalAction,
        help="lower the rate, from a third of the training on, to a tenth (the recipe's)",
    )
    add(
        "--average",
        type=_share,
        default=Options.average,
        help="how much of the moving average a step keeps (%(default)s)",
    )
    add("--precision", choices=PRECISIONS, default=Options.precision)
    add("--device", type=device, help="cpu, cuda, mps (default: the best there is)")
    add(
        "--check-every",
        type=whole(1),
        default=Options.check_every,
        help="steps between checks (%(default)s)",
    )
    add(
        "--judged",
        type=whole(0),
        default=Options.judged,
        help="dreams at each check; 0: at the end alone, by all that is held out (%(default)s)",
    )
    add(
        *("--samples",),
        type=whole(0),
        nargs="*",
        default=(),
        metavar="STEP",
        help="whose grids are kept (1 2 5 10 20 …)",
    )
    add("--restart", action="store_true", help="do not go on with what was broken off in --out")
    add("--deepdress", type=Path, default=SHIPPED, metavar="DIR", help="weights that judge and ask")
    add("--cache", type=Path, default=Options.cache, help="folder for decoded photos")
    chosen = vars(parser.parse_args(arguments))
    found = Options(**{**chosen, "samples": tuple(chosen["samples"])})
    try:
        found.config(classes=1, dimensions=1)
    except ValueError as error:
        parser.error(str(error))
    return found


def _share(text: str) -> float:
    value = not_below_0(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a share, 0 to 1")
    return value
