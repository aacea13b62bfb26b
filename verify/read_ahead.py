"""Batches on their way to DeepDress: it looks at the next one while what came of this one is stored.

A batch is whatever waits, up to `SUGGEST_BATCH`: nobody waits for it to fill, and while one is worked off the
next one gathers by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from verify import looking
from verify.looking import InHand
from verify.models import DressPhoto, ModelVersion, Post
from verify.versions import Loaded, NotReady

Row = TypeVar("Row", DressPhoto, Post)
Take = Callable[[ModelVersion, bool], list[Row]]


class Batch(NamedTuple, Generic[Row]):
    """Rows that were taken up together; whoever goes live meanwhile, one version sees them through."""

    rows: list[Row]
    photos: InHand


def read_ahead(
    take: Take[Row], current: Callable[[], Loaded], limit: int | None = None
) -> Iterator[Batch[Row]]:
    """Batches from `take`, until it has none or about `limit` rows are taken.

    `current` says for each batch which version is to look at it; `take(version, fresh_only)` counts a row's
    attempt and returns it as it was before. A row that was tried before may be what ended the process: it is
    in hand alone. Raises NotReady, with nothing in hand.
    """
    taken = 0
    with looking.opened() as eyes:

        def take_up(fresh_only: bool) -> Batch[Row] | None:
            nonlocal taken
            if limit is not None and taken >= limit:
                return None
            loaded = current()
            rows = take(loaded.version, fresh_only)
            taken += len(rows)
            return Batch(rows, looking.begun([row.photo for row in rows], loaded, eyes)) if rows else None

        def ahead_of(batch: Batch[Row]) -> Batch[Row] | None:
            if any(row.attempts for row in batch.rows):
                return None
            try:
                return take_up(fresh_only=True)
            except NotReady:  # said again once the batch in hand is worked off
                return None

        batch = take_up(fresh_only=False)
        while batch:
            ahead = ahead_of(batch)
            yield batch
            batch = ahead or take_up(fresh_only=False)
