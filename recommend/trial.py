"""A method tried on one split: fitted, shown what is known of the test users, and measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from recommend.metrics import PerUser, by_chance, per_user
from recommend.popular import Random
from recommend.recommender import Recommender
from recommend.splits import Split


@dataclass
class Clock:
    """Seconds by the wall and of the processors, added up for each kind of work."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, work: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[work] = self.wall.get(work, 0.0) + time.perf_counter() - wall
        self.cpu[work] = self.cpu.get(work, 0.0) + time.process_time() - cpu


def outcome(model: Recommender, split: Split, good: float, ns: Sequence[int], clock: Clock) -> PerUser:
    """What becomes of the unknown ratings of one split. Chance is not drawn: it is as it is on average."""
    with clock.timed("fit"):
        model.fit(split.train)
    unknown = split.unknown
    with clock.timed("predict"):
        model = model.fold_in(split.known)
        predicted = model.predict(unknown.user_of, unknown.matrix.indices.astype(np.int64))

    with clock.timed("topn"):
        found = per_user(split.known, unknown, predicted, model.scores, good=good, ns=ns)
    if isinstance(model, Random):
        return by_chance(found, unknown, *map(float, model.state["range"]))
    return found
