"""A fitted model as the portal serves it: what was learnt of the items, mapped, and nothing of any person.

One file an array, so that all web processes share one copy of each in memory, and read of it what they need.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommend.methods import METHODS
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import ModelRefused, Recommender, those

ABOUT = "about.json"
ALIKE = 48  # kept of each item's most alike: enough are left once some are out of stock


class Shelved(NamedTuple):
    """A model without users, and what need not be computed at every request."""

    model: Recommender
    columns: dict[str, int]  # of each item
    alike: Ints  # (items, ALIKE) liked by the same people, most so first; -1 where there are no more
    alike_weights: Floats  # (items, ALIKE)
    fans: Floats  # (items,) how many people liked each
    looks: Floats  # (items, d) unit vectors, or zeros; (items, 0) where nothing is known

    def shopper(self, columns: npt.ArrayLike, values: npt.ArrayLike) -> Recommender:
        """The model for one person, of whom nothing else is known."""
        found, order = np.unique(np.asarray(columns, np.int64), return_index=True)
        parts = (np.asarray(values, np.float32)[order], found.astype(np.int32), np.array([0, len(found)]))
        items = self.model.known.items
        return self.model.fold_in(Ratings(csr_array(parts, shape=(1, len(items))), ("shopper",), items))


def put(model: Recommender, looks: Floats, folder: Path) -> None:
    """Write it to a folder that there is not yet."""
    folder.mkdir(parents=True)
    alike, weights = _alike(model)
    fans = np.bincount(model.known.matrix.indices, minlength=len(model.known.items)).astype(np.float32)
    arrays = {"alike": alike, "alike_weights": weights, "fans": fans, "looks": looks}
    arrays |= {f"state.{name}": value for name, value in model.state.items()}
    for name, value in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(value), allow_pickle=False)
    about = {"method": model.name, "config": asdict(model.config), "items": model.known.items}
    (folder / ABOUT).write_text(json.dumps(about))


def take(folder: Path) -> Shelved:
    """What `put` wrote. Raises ModelRefused, which names what is wrong."""
    try:
        about = json.loads((folder / ABOUT).read_text())
        made = METHODS[about["method"]]
        model, items = made(made.config_class(**about["config"])), tuple(about["items"])
        arrays = {
            path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in folder.glob("*.npy")
        }
        beside = {name: arrays.pop(name) for name in ("alike", "alike_weights", "fans", "looks")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRefused(f"{folder}: no model that can be served ({error!r})") from error
    if any(len(array) != len(items) for array in beside.values()):
        raise ModelRefused(f"{folder}: its arrays are not of its {len(items)} items")
    model.known = Ratings(csr_array((0, len(items)), dtype=np.float32), (), items)
    model.state = those(arrays, "state.")
    return Shelved(model, {item: column for column, item in enumerate(items)}, **beside)


def _alike(model: Recommender) -> tuple[Ints, Floats]:
    count = len(model.known.items)
    items, weights = np.full((count, ALIKE), -1), np.zeros((count, ALIKE), np.float32)
    for item in range(count):
        found = model.similar_items(item, ALIKE)
        items[item, : len(found)] = [other.item for other in found]
        weights[item, : len(found)] = [other.score for other in found]
    return items, weights
