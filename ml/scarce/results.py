"""What the runs found: kept in a file as they end, summed up over seeds."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from ml import checkpoint

BASELINE = "augmented"
COVERAGE = 0.95
METRICS = ("accuracy", "average_precision")


class ResultsRefused(ValueError):
    """The file holds no results of these comparisons; the message says which file and why."""


class Setting(NamedTuple):
    """Results of one setting may be compared."""

    data: str
    photos: str  # their sha256
    labels: int
    seconds: float


@dataclass(frozen=True)
class Run:
    """One method's result with one seed."""

    data: str
    photos: str  # their sha256
    labels: int
    seconds: float  # CPU time allowed
    method: str
    seed: int
    accuracy: float
    average_precision: float  # of "dress" against the rest
    steps: int
    spent: float  # CPU seconds
    # Shares of the time, and the accuracy then, on fewer photos.
    curve: list[tuple[float, float]] = field(default_factory=list)

    @property
    def setting(self) -> Setting:
        return Setting(self.data, self.photos, self.labels, self.seconds)

    @property
    def key(self) -> tuple[Setting, str, int]:
        return self.setting, self.method, self.seed


class Spread(NamedTuple):
    """A mean over seeds, and half the width of its 95% interval, nan for a single seed."""

    mean: float
    interval: float

    @property
    def low(self) -> float:
        return self.mean - self.interval

    @property
    def high(self) -> float:
        return self.mean + self.interval


@dataclass(frozen=True)
class Summary:
    """One method in one setting."""

    method: str
    runs: list[Run]  # by seed
    shared: int  # seeds that the baseline has, too
    accuracy: Spread
    average_precision: Spread
    # To the baseline, seed by seed; None without seeds in common.
    gain: Spread | None
    gain_in_precision: Spread | None

    @property
    def steps(self) -> int:
        return round(float(np.mean([run.steps for run in self.runs])))


def read(path: Path) -> list[Run]:
    """Those of an earlier start; none where there is no file. Raises ResultsRefused."""
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_bytes())["runs"]
        return [Run(**{**row, "curve": [(at, value) for at, value in row["curve"]]}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsRefused(f"{path}: no results of ml.scarce_labels ({error!r})") from error


def write(path: Path, runs: Iterable[Run]) -> None:
    """All of them, in the place of those before when they are on the disk. Raises OSError."""
    rows = ",\n".join(json.dumps(asdict(run)) for run in runs)
    checkpoint.replace(path.parent, {path.name: f'{{"runs": [\n{rows}\n]}}\n'.encode()})


def add(path: Path, runs: Iterable[Run]) -> list[Run]:
    """Keep runs beside those of the file, which other commands may add to meanwhile; returns all.

    Raises ResultsRefused, OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
        together = list({run.key: run for run in (*read(path), *runs)}.values())
        write(path, together)
    return together


def settings(runs: Sequence[Run]) -> list[Setting]:
    return list(dict.fromkeys(run.setting for run in runs))


def summaries(runs: Sequence[Run], setting: Setting) -> list[Summary]:
    """Of each method of a setting, the most accurate first."""
    by_method: dict[str, dict[int, Run]] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        if run.setting == setting:
            by_method.setdefault(run.method, {})[run.seed] = run
    baseline = by_method.get(BASELINE, {})
    found = [
        _summary(method, by_seed, {} if method == BASELINE else baseline)
        for method, by_seed in by_method.items()
    ]
    return sorted(found, key=lambda summary: -summary.accuracy.mean)


def _summary(method: str, runs: dict[int, Run], baseline: dict[int, Run]) -> Summary:
    both = [seed for seed in runs if seed in baseline]

    def gain(metric: str) -> Spread | None:
        gains = [getattr(runs[seed], metric) - getattr(baseline[seed], metric) for seed in both]
        return interval(gains) if gains else None

    spreads = (interval([getattr(run, metric) for run in runs.values()]) for metric in METRICS)
    return Summary(method, list(runs.values()), len(both), *spreads, *map(gain, METRICS))


def interval(values: Sequence[float]) -> Spread:
    """Mean with the 95% interval of Student's t; seeds are few."""
    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return Spread(mean, float("nan"))
    wide = stats.t.ppf((1 + COVERAGE) / 2, count - 1) * np.std(values, ddof=1) / count**0.5
    return Spread(mean, float(wide))


def verdict(found: Sequence[Summary]) -> str:
    """Which method wins, in a sentence; of those summed up in one setting.

    Only seeds that a method shares with the baseline count, and one of them alone decides nothing.
    """
    if not found:
        return "Nothing has been measured."
    compared = [(each.gain, each) for each in found if each.gain is not None and each.shared > 1]
    if not compared:
        return _of_few_seeds(found[0])
    gain, best = max(compared, key=lambda pair: (pair[0].low > 0, pair[0].mean))
    if gain.mean <= 0:
        return f"{NAMES[BASELINE]} wins: no other method is more accurate over several seeds."
    span = f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f}, {best.shared} seeds"
    if gain.low <= 0:
        return f"Nobody wins: {NAMES[best.method]} gains most, {_points(gain)}, within noise ({span})."
    return f"{NAMES[best.method]} wins: {_points(gain)} ({span})."


def _of_few_seeds(best: Summary) -> str:
    if best.method == BASELINE:
        return f"{NAMES[BASELINE]} wins: no other method is more accurate."
    if best.gain is None:
        return f"{NAMES[best.method]} is the most accurate; there is no run of {NAMES[BASELINE]} beside it."
    return f"{NAMES[best.method]} is the most accurate, {_points(best.gain)}, with one seed: it may be luck."


def _points(gain: Spread) -> str:
    return f"{100 * gain.mean:+.1f} points to {NAMES[BASELINE].lower()}"


NAMES = {
    "supervised": "Supervised",
    "augmented": "Supervised + augmentation",
    "noise": "Supervised + noise",
    "transfer": "DeepDress, first layers frozen",
    "gan": "GAN's critic as classifier",
    "gan-transfer": "GAN's critic, begun as DeepDress",
    "generated": "Generated photos as well",
    "fixmatch": "FixMatch",
    "neighbours": "Labels spread over look-alikes",
    "fixmatch-neighbours": "FixMatch and look-alikes",
}
