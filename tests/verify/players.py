"""People at their phones: threads with a connection of their own."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from verify import queue, second_thoughts
from verify.models import Answer, Employee, Lease


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Run all, each in a thread with a connection of its own, started together; raises what one raised."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            barrier.wait(60)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result(timeout=120) for done in [pool.submit(run, work) for work in works]]


class Player:
    """Votes until nothing is left; mostly right, sometimes skipping or taking back."""

    def __init__(self, employee: Employee, seed: int, skips: float = 0, undoes: float = 0) -> None:
        self.employee, self.rng, self.skips, self.undoes = employee, random.Random(seed), skips, undoes
        self.counted = self.refused = 0

    def play(self) -> "Player":
        while leases := queue.hand_out(self.employee, seed=self.rng.getrandbits(30)):
            try:
                self.answer(leases[0])
            except queue.Refused:
                self.refused += 1
        return self

    def answer(self, lease: Lease) -> None:
        if self.rng.random() < self.skips:
            queue.skip(self.employee, lease.pk)
            return
        right = sorted(lease.options, key=lambda option: option.pk)[0]
        dress = self.rng.random() < 0.8
        queue.vote(
            self.employee, lease.pk, *((Answer.DRESS, right.dress_id) if dress else (Answer.NOT_A_DRESS,))
        )
        self.counted += 1
        if self.rng.random() < self.undoes:
            second_thoughts.undo(self.employee, lease.pk)
            self.counted -= 1
