"""Which open post a voter gets next."""

import heapq
import random
from bisect import bisect_left
from collections.abc import Callable, Container
from itertools import chain
from typing import Protocol

ORDERS = ("finish", "backwards", "random", "uncertain")


class Order(Protocol):
    """The open posts, by number: 0 is the newest."""

    def add(self, post: int) -> None:
        """Open it, or find it its new place."""
        ...

    def close(self, post: int) -> None: ...

    def next(self, voter: int, done: Container[int]) -> int | None:
        """The next post for ``voter`` but those ``done``, None if there is none."""
        ...

    def rest(self, voter: int) -> None:
        """Somebody's cards in a row are over."""
        ...


class Ranked:
    """The post with the highest ``rank`` first, the newest of equals."""

    def __init__(self, rank: Callable[[int], float]) -> None:
        self._rank = rank
        self._heap: list[tuple[float, int]] = []
        self._current: dict[int, float] = {}  # what else the heap holds is out of date

    def add(self, post: int) -> None:
        self._current[post] = -self._rank(post)
        heapq.heappush(self._heap, (self._current[post], post))

    def close(self, post: int) -> None:
        del self._current[post]

    def next(self, voter: int, done: Container[int]) -> int | None:
        passed, found = [], None
        while self._heap and found is None:
            rank, post = heapq.heappop(self._heap)
            if self._current.get(post) == rank:
                passed.append((rank, post))
                found = None if post in done else post
        for entry in passed:
            heapq.heappush(self._heap, entry)
        return found

    def rest(self, voter: int) -> None:
        pass


class Walk:
    """Backwards in time from a random start, round and round, each voter at their own place."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._open: list[int] = []
        self._places: dict[int, int] = {}

    def add(self, post: int) -> None:
        place = bisect_left(self._open, post)
        if place == len(self._open) or self._open[place] != post:
            self._open.insert(place, post)

    def close(self, post: int) -> None:
        del self._open[bisect_left(self._open, post)]

    def next(self, voter: int, done: Container[int]) -> int | None:
        if not self._open:
            return None
        if voter not in self._places:
            self._places[voter] = self._rng.choice(self._open)
        place = bisect_left(self._open, self._places[voter])
        for post in chain(self._open[place:], self._open[:place]):
            if post not in done:
                self._places[voter] = post
                return post
        return None

    def rest(self, voter: int) -> None:
        self._places.pop(voter, None)


class Drawn:
    """Any of them, at random."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._open: list[int] = []
        self._places: dict[int, int] = {}

    def add(self, post: int) -> None:
        if post not in self._places:
            self._places[post] = len(self._open)
            self._open.append(post)

    def close(self, post: int) -> None:
        place, last = self._places.pop(post), self._open.pop()
        if last != post:
            self._open[place], self._places[last] = last, place

    def next(self, voter: int, done: Container[int]) -> int | None:
        for _ in range(20):
            if self._open and (post := self._rng.choice(self._open)) not in done:
                return post
        rest = [post for post in self._open if post not in done]
        return self._rng.choice(rest) if rest else None

    def rest(self, voter: int) -> None:
        pass


def order(
    name: str, closeness: Callable[[int], float], doubt: Callable[[int], float], rng: random.Random
) -> Order:
    """The serving order of that name, one of `ORDERS`."""
    if name == "finish":
        return Ranked(closeness)
    if name == "uncertain":
        return Ranked(doubt)
    return Walk(rng) if name == "backwards" else Drawn(rng)
