"""Which photos train, validate and test: a person's go together, and so do those of the same content.

Nothing that a model has learnt from is then asked of it under another name. Everybody draws a split by a
number that never changes; who shares a photo shares the split that is held out most. So posts added later
may move others from training towards the test, and never out of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

SPLITS = ("train", "validation", "test")  # those held out most come last
Node = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Shot:
    """What tells who took a photo and what is in it."""

    post: str
    person: str  # empty: unknown, so that the post stands for itself
    content: str
    frozen: bool = False  # always to be tested on

    @property
    def owner(self) -> Node:
        return ("person", self.person) if self.person else ("post", self.post)


def drawn(number: float, held_out: float) -> str:
    """The split for a number in 0..1; ``held_out`` (at most .5) goes to the test, as much to validation."""
    return "test" if number < held_out else "validation" if number < 2 * held_out else "train"


def splits(shots: Sequence[Shot], draw: Callable[[Node], float], held_out: float) -> list[str]:
    """The split of each of ``shots``; ``draw`` gives a person, or a post of nobody, a number in 0..1."""
    leaders = _leaders(shots)
    furthest: dict[Node, int] = {}
    for shot in shots:
        own = "test" if shot.frozen else drawn(draw(shot.owner), held_out)
        leader = _leader(leaders, shot.owner)
        furthest[leader] = max(furthest.get(leader, 0), SPLITS.index(own))
    return [SPLITS[furthest[_leader(leaders, shot.owner)]] for shot in shots]


def _leaders(shots: Sequence[Shot]) -> dict[Node, Node]:
    """Owners and contents joined into groups, each node pointing towards its group's leader."""
    leaders: dict[Node, Node] = {}
    for shot in shots:
        leaders[_leader(leaders, ("content", shot.content))] = _leader(leaders, shot.owner)
    return leaders


def _leader(leaders: dict[Node, Node], node: Node) -> Node:
    while (above := leaders.setdefault(node, node)) != node:
        leaders[node] = leaders[above]  # halves the way for who comes next
        node = above
    return node
