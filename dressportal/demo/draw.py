"""Draws the photos of the demo on every core, ready to be stored."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO

from ml.synthetic import Wardrobe, catalogue_photo, negative_photo, street_photo
from verify.intake.copies import Prepared, prepare
from verify.intake.decoder import limits

WARDROBE_SEED = 2026  # of no training set: the demo's dresses are new to DeepDress


@dataclass(frozen=True)
class Order:
    """A photo to draw: a catalogue view of a dress, a street photo of it, or something else."""

    kind: str
    dress: int | None
    size: tuple[int, int]
    seed: int


def draw(order: Order) -> Prepared:
    return prepare(drawn(order), limits())


def drawn(order: Order) -> bytes:
    """A JPEG as a camera would write it."""
    dress = None if order.dress is None else Wardrobe(WARDROBE_SEED).dress(order.dress)
    if order.kind in ("front", "back", "detail"):
        image = catalogue_photo(dress, order.kind, order.size, order.seed)
    elif order.kind == "dress":
        image = street_photo(dress, order.size, order.seed)
    else:
        image = negative_photo(order.kind, order.size, order.seed, dress)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def draw_all(orders: Iterable[Order]) -> Iterator[Prepared]:
    """The photos in the order asked for."""
    spawn = multiprocessing.get_context("spawn")  # this process has a database connection and threads
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawn) as pool:
        yield from pool.map(draw, orders, chunksize=8)
