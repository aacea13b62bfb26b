"""Trains a generator of dresses: python -m ml.train_gan --photos DIR --recipe modern --size 64 --out DIR …

The same seed and --steps give the same weights on the same machine, also if it was killed in between and
started again; --minutes and --cpu-minutes end by a clock, and so elsewhere each time. Several processes, each
with a part of the batch: torchrun --nproc-per-node N -m ml.train_gan …

OUT holds the generator (its moving average: weights.safetensors, config.json, metrics.json), log/ for
TensorBoard, samples/step-N.png, the same noise at chosen steps, samples/nearest.png, and in the end, also of
a game that diverged, report.html and film.webp, which show them. Figures of likeness are on DeepDress's
features, of photos at the training's size: they compare with each other, not with papers' on Inception's.
"""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from ml import checkpoint, gan_photos, training_state
from ml.checkpoint import CheckpointRefused
from ml.deepdress import best_device, out_of_memory
from ml.dream_report import write_page
from ml.film import FilmRefused, grid, steps
from ml.gan import save_generator
from ml.gan_game import Batch, Game
from ml.gan_judge import Judge, conditions, dreams, figures
from ml.gan_metrics import nearest
from ml.gan_options import Options, options
from ml.gan_photos import Collection, PhotosRefused
from ml.learner import precision
from ml.manifest import ManifestError
from ml.photos import Pixels, UnreadablePhoto, to_batch
from ml.processes import ALONE, Processes, device_of_its_own, joined
from ml.training_log import TrainingLog
from ml.training_options import OptionsRefused
from ml.training_state import State, StateRefused

SAMPLES, NEAREST = "samples", "nearest.png"
SHOWN, COLUMNS = 64, 8  # dreams in a grid
LARGEST_LOSS = 1e6  # a game that is lost for good does not come back from there

MISTAKES = (
    *(ManifestError, PhotosRefused, UnreadablePhoto, CheckpointRefused, StateRefused, OptionsRefused),
)


class GameDiverged(ArithmeticError):
    """A loss or a gradient is no number, or out of all bounds; the last good checkpoint stays as it is."""


@dataclass
class Training:
    """One that is going on."""

    game: Game
    data: Collection
    judge: Judge
    state: State
    chosen: Options
    processes: Processes

    def progress(self) -> float:
        """From 0 to 1."""
        state, chosen = self.state, self.chosen
        if chosen.minutes:
            return state.seconds / (60 * chosen.minutes)
        if chosen.cpu_minutes:
            return state.cpu_seconds / (60 * chosen.cpu_minutes)
        return state.steps / chosen.steps

    def deciding(self) -> dict[str, Any]:
        several = {"processes": self.processes.count} if self.processes.count > 1 else {}
        return {
            **self.chosen.deciding(),
            **several,
            "photos": self.data.digest,
            "deepdress": self.judge.version,
        }


def train(chosen: Options) -> dict[str, Any]:
    """Train, judge, save to `chosen.out`; returns the metrics, of several processes in the first alone.

    Raises one of MISTAKES, GameDiverged, or OSError where a disk is full.
    """
    device = device_of_its_own(torch.device(chosen.device) if chosen.device else best_device())
    with joined(device) as processes:
        judge = Judge(chosen.deepdress, device)
        data = photos(chosen, judge, processes)
        training = begin(data, judge, chosen, device, processes)
        try:
            play(training)
        except GameDiverged:
            if processes.first:
                with suppress(FilmRefused, OSError):  # no grid yet; what is to be told is why it diverged
                    write_page(chosen.out)
            raise
        metrics = finish(training) if processes.first else {}
        if processes.first:
            write_page(chosen.out)
        processes.wait()
        return metrics


def photos(chosen: Options, judge: Judge, processes: Processes = ALONE) -> Collection:
    """What to dream of; the first process decodes it for all. Raises PhotosRefused, UnreadablePhoto."""
    if not processes.first:
        processes.wait()
    data = gan_photos.read(
        *(chosen.photos, chosen.size, judge, chosen.cache),
        held_out=chosen.held_out,
        attribute=chosen.attribute,
    )
    if processes.first:
        processes.wait()
    if chosen.condition == "class" and len(data.classes) < 2:
        raise PhotosRefused(
            f"{chosen.photos}: one class; --condition class expects a subfolder for each, or --attribute"
        )
    return data


def begin(
    data: Collection, judge: Judge, chosen: Options, device: torch.device, processes: Processes = ALONE
) -> Training:
    """The first step's training, or the next one's of that which was broken off.

    Raises OptionsRefused for a batch that the photos do not fill, StateRefused for another training's state,
    or OSError where the folder cannot be written.
    """
    recipe = chosen.chosen_recipe()
    if recipe.batch > len(data.train):
        raise OptionsRefused(f"--batch {recipe.batch}: there are {len(data.train)} photos to train on")
    if recipe.batch < 2 * processes.count:
        raise OptionsRefused(f"--batch {recipe.batch} for {processes.count} processes: expected two for each")
    torch.manual_seed(chosen.seed)
    config = chosen.config(len(data.classes), judge.dimensions)
    dtype = precision(chosen.precision, device)
    game = Game(config, recipe, device, dtype=dtype, average=chosen.average, processes=processes)
    if config.condition == "embedding":
        vectors = torch.from_numpy(np.array(data.train.vectors)).to(device)
        for generator in (game.generator, game.averaged):
            generator.make_up_like(vectors)
    if chosen.restart and processes.first:
        training_state.forget(chosen.unfinished)
    processes.wait()
    training = Training(game, data, judge, State(), chosen, processes)
    learnt = (game.nets(), game.optimisers)
    training.state = training_state.resume(chosen.unfinished, *learnt, training.deciding())
    if not training.state.steps and processes.first:
        clear(chosen)
    return training


def clear(chosen: Options) -> None:
    """Of a training that ended in the same folder no grid stays, and what it found is no longer final."""
    for _, drawn in steps(chosen.out / SAMPLES):
        drawn.unlink()
    (chosen.out / SAMPLES / NEAREST).unlink(missing_ok=True)
    training_state.forget(chosen.unfinished)  # a generator without its state
    chosen.unfinished.mkdir(parents=True, exist_ok=True)  # by which the page knows


def play(training: Training) -> None:
    """Train in place, going on with what was broken off."""
    state, game, processes = training.state, training.game, training.processes
    log = TrainingLog(training.chosen.out, state.steps, written=processes.first)
    with closing(log), progress_bar(training) as bar:
        while training.progress() < 1:
            since = clocks()
            told = advance(training)
            seconds, cpu_seconds = processes.agreed(clocks() - since, game.device).tolist()
            state.steps += 1
            state.seconds += seconds
            state.cpu_seconds += cpu_seconds
            log.step(state.steps, game.recipe.batch * game.recipe.critics, told)
            bar.update()
            known = {name: f"{told[name].item():.2f}" for name in ("loss/critic", "fakes taken for real")}
            bar.set_postfix(known, refresh=False)
            if processes.first and training.chosen.drawn_at(state.steps):
                draw(training)
            if state.steps % training.chosen.check_every == 0 and processes.first:
                check(training, log, bar)


def clocks() -> torch.Tensor:
    """Seconds on the wall and of the processor."""
    return torch.tensor([time.monotonic(), time.process_time()], dtype=torch.float64)


def progress_bar(training: Training) -> tqdm[Any]:
    """In steps, shown by the first process."""
    by_clock = training.chosen.minutes or training.chosen.cpu_minutes
    shown = {"desc": "playing", "unit": "step", "mininterval": 1}
    total = None if by_clock else training.chosen.steps
    return tqdm(**shown, total=total, initial=training.state.steps, disable=not training.processes.first)


def advance(training: Training) -> dict[str, Any]:
    """A turn of each; returns what there is to log. Raises GameDiverged, in all processes if in one."""
    game, state, chosen = training.game, training.state, training.chosen
    # Each process plays with other noise.
    own = chosen.seed * 1_000_003 + state.steps + (training.processes.rank << 40)
    rng = torch.Generator(game.device).manual_seed(own)
    critics = game.recipe.critics
    batches = [batch(training, state.steps * critics + turn, rng) for turn in range(critics)]
    told = game.play(batches, rng, training.progress(), state.steps)
    whole = torch.stack([value for name, value in told.items() if name.startswith(("loss", "gradient"))])
    if not bool((whole.abs() < LARGEST_LOSS).all()):
        kept = (chosen.unfinished / checkpoint.WEIGHTS).exists()
        raise GameDiverged(
            f"step {state.steps}: losses of {told['loss/critic']:.3g} and {told['loss/generator']:.3g}; "
            + (f"the last good generator is in {chosen.unfinished}" if kept else "nothing was kept yet")
        )
    return told


def batch(training: Training, number: int, rng: torch.Generator) -> Batch:
    """This process's part of the batch: photos in -1..1 and what they are, for some left out."""
    data, game = training.data.train, training.game
    rows = rows_of(number, len(data), game.recipe.batch, training.chosen.seed)
    rows = rows[training.processes.rank :: training.processes.count]
    shown = to_batch(data.pixels[rows]).to(game.device) * 2 - 1
    asked = conditions(game.config.condition, data, rows)
    if asked is not None:
        asked = asked.to(game.device)
        asked[: round(len(rows) * training.chosen.dropped)] = -1 if asked.dim() == 1 else 0
    return shown.contiguous(memory_format=torch.channels_last), asked


def rows_of(number: int, count: int, size: int, seed: int) -> npt.NDArray[np.int64]:
    """Places of batch `number`: an epoch shows each of `count` photos at the most once, in a new order."""
    epoch, place = divmod(number, count // size)
    return _order(epoch, count, seed)[place * size : (place + 1) * size]


@lru_cache(maxsize=2)
def _order(epoch: int, count: int, seed: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(count)


def draw(training: Training) -> Pixels:
    """The grid of what the same noise gives now, nothing asked for; returns its dreams."""
    rng = torch.Generator().manual_seed(training.chosen.seed)
    noise = torch.randn(SHOWN, training.game.config.noise, generator=rng)
    pixels = np.concatenate(list(dreams(training.game.averaged, noise)))
    name = f"step-{training.state.steps}.png"
    checkpoint.replace(training.chosen.out / SAMPLES, {name: png(pixels)})
    return pixels


def draw_nearest(training: Training, dreamt: Pixels) -> None:
    """Rows of dreams, and below each row the photos trained on that come nearest: none should be a copy."""
    train = training.data.train
    places, _ = nearest(training.judge.look(dreamt)[1], train.vectors)
    rows = zip(dreamt.reshape(-1, COLUMNS, *dreamt.shape[1:]), places.reshape(-1, COLUMNS), strict=True)
    shown = [each for row, near in rows for each in (row, train.pixels[near])]
    sheet = png(np.concatenate(shown))
    checkpoint.replace(training.chosen.out / SAMPLES, {NEAREST: sheet})


def png(pixels: Pixels) -> bytes:
    """(n, s, s, 3) -> a picture of them in rows."""
    written = io.BytesIO()
    grid(pixels, COLUMNS, gap=0).save(written, "PNG")
    return written.getvalue()


def check(training: Training, log: TrainingLog, bar: tqdm[Any]) -> None:
    """Say how good the dreams are, and save what a later start goes on from."""
    chosen, state, game = training.chosen, training.state, training.game
    metrics: dict[str, Any] = {"steps": state.steps}
    if chosen.judged:
        found = figures(game.averaged, training.data, training.judge, chosen.seed, chosen.judged)
        log.check(state.steps, flat(found, "dreams"))
        said = ", ".join(f"{name} {plain(found[name])}" for name in ("fid", "kid", "precision", "recall"))
        bar.write(f"step {state.steps}: {said} on {found['photos']} photos", file=sys.stderr)
        metrics["validation"] = found
    keep(training, metrics)


def keep(training: Training, metrics: dict[str, Any]) -> None:
    """Save what a later start goes on from, and the generator as it is now."""
    folder, game = training.chosen.unfinished, training.game
    save_generator(folder, game.averaged, metrics, deepdress=training.judge.version)
    training_state.save(folder, game.nets(), game.optimisers, training.state, training.deciding())


def plain(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}"


def flat(found: dict[str, Any], name: str) -> dict[str, float]:
    """{"fid": 1, "asked": {"fid": 2}} -> {"dreams/fid": 1, "dreams/asked/fid": 2}."""
    parts = [flat(value, f"{name}/{key}") for key, value in found.items() if isinstance(value, dict)]
    plain = {f"{name}/{key}": value for key, value in found.items() if isinstance(value, float)}
    return {key: value for part in (plain, *parts) for key, value in part.items()}


def finish(training: Training) -> dict[str, Any]:
    """Judge and save what has been trained."""
    chosen, game = training.chosen, training.game
    keep(training, {"steps": training.state.steps})  # to judge takes minutes, in which it may be killed
    game.averaged.half().float()  # as it is stored, so that the figures are those of the shipped weights
    draw_nearest(training, draw(training))
    found = figures(game.averaged, training.data, training.judge, chosen.seed)
    metrics = {
        **found,
        "features": "DeepDress's, of photos at the training's size",
        "steps": training.state.steps,
        "seconds": round(training.state.seconds),
        "cpu_seconds": round(training.state.cpu_seconds),
        "data": training.data.described(),
        "options": training.deciding(),
    }
    save_generator(chosen.out, game.averaged, metrics, deepdress=training.judge.version)
    training_state.forget(chosen.unfinished)
    return metrics


def main() -> None:
    """Run from the command line; a user's mistake ends with one line."""
    try:
        metrics = train(options())
    except (*MISTAKES, GameDiverged, OSError) as error:
        sys.exit(f"train_gan: {error}")
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error) and "overflow" not in str(error).lower():
            raise
        sys.exit("train_gan: the memory does not hold it; expected a smaller --width, --batch or --size")
    if metrics:
        print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
