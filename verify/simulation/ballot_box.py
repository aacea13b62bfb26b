"""All votes of a campaign, as the nightly re-fit takes them."""

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from verify.reliability import Ballots
from verify.simulation.office import OPTIONS

SLOTS = OPTIONS + 2  # answers that a post may have


class BallotBox:
    """Flat arrays that only grow. Post i has the slots from ``i * SLOTS``."""

    def __init__(self, voters: int) -> None:
        self.gold_right, self.gold_seen = np.zeros(voters), np.zeros(voters)
        self._slots, self._voters = array("q"), array("q")

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, post: int, slot: int, voter: int) -> None:
        self._slots.append(post * SLOTS + slot)
        self._voters.append(voter)

    def add_gold(self, voter: int, right: bool) -> None:
        self.gold_seen[voter] += 1
        self.gold_right[voter] += right

    def votes_on(self, post: int) -> list[tuple[int, int]]:
        """(slot of the post, voter) in the order in which they were cast."""
        return [
            (slot % SLOTS, voter)
            for slot, voter in zip(self._slots, self._voters, strict=True)
            if slot // SLOTS == post
        ]

    def votes_by(self) -> NDArray[np.int64]:
        """(voters,)"""
        return np.bincount(np.array(self._voters, np.int64), minlength=len(self.gold_seen))

    def ballots(self, priors: NDArray[np.float64], truths: Sequence[int], muted: Sequence[bool]) -> Ballots:
        """Of the first posts: ``priors`` is (posts, SLOTS), ``truths`` their slots, -1 where nobody knows.

        No vote of a ``muted`` voter counts, whenever it was cast.
        """
        starts = np.arange(len(priors) + 1) * SLOTS
        known, voters = np.array(truths), np.array(self._voters, np.int64)
        return Ballots(
            first=starts,
            prior=priors.ravel(),
            slot=np.array(self._slots, np.int64),
            voter=voters,
            voters=len(self.gold_seen),
            truth=np.where(known >= 0, starts[:-1] + known, -1),
            gold_right=self.gold_right,
            gold_seen=self.gold_seen,
            counted=~np.array(muted)[voters],
        )
