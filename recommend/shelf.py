"""A fitted model as the portal serves it: what was learnt of the items, mapped, and nothing of any person.

One file an array, so that all web processes share one copy of each in memory, and read of it what they need.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommend.alike import unit
from recommend.methods import METHODS
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import ModelRefused, Recommender, those

ABOUT, STATE = "about.json", "state."
BESIDE = "alike", "alike_weights", "fans", "looks"
ALIKE = 48  # kept of each item's most alike: enough are left once some are out of stock


class Shelved(NamedTuple):
    """A model without users, and what need not be computed at every request."""

    model: Recommender
    columns: dict[str, int]  # of each item
    alike: Ints  # (items, ALIKE) liked by the same people, most so first; -1 where there are no more
    alike_weights: Floats  # (items, ALIKE)
    fans: Floats  # (items,) how many people liked each
    looks: Floats  # (items, d) unit vectors, or zeros; (items, 0) where nothing is known
    style: Floats  # (d,) what most people's dresses look like

    def shopper(self, columns: npt.ArrayLike, values: npt.ArrayLike) -> Recommender:
        """The model for one person, of whom nothing else is known."""
        found, order = np.unique(np.asarray(columns, np.int64), return_index=True)
        parts = (np.asarray(values, np.float32)[order], found.astype(np.int32), np.array([0, len(found)]))
        items = self.model.known.items
        return self.model.fold_in(Ratings(csr_array(parts, shape=(1, len(items))), ("shopper",), items))


def put(model: Recommender, looks: Floats, folder: Path) -> None:
    """Write what is served to a folder that there is not yet."""
    put_model(model, folder)
    alike, weights = _alike(model)
    _save(folder, {"alike": alike, "alike_weights": weights, "fans": _fans(model), "looks": looks})


def put_model(model: Recommender, folder: Path) -> None:
    """Write the model alone, which is enough to be judged by, to a folder that there is not yet."""
    folder.mkdir(parents=True)
    _save(folder, {f"{STATE}{name}": value for name, value in model.state.items()})
    about = {"method": model.name, "config": asdict(model.config), "items": model.known.items}
    (folder / ABOUT).write_text(json.dumps(about))


def take(folder: Path) -> Shelved:
    """What `put` wrote. Raises ModelRefused, which names what is wrong."""
    model = take_model(folder)
    items = model.known.items
    try:
        beside = {name: _mapped(folder / f"{name}.npy") for name in BESIDE}
    except (OSError, ValueError) as error:
        raise ModelRefused(f"{folder}: no model that can be served ({error!r})") from error
    if any(len(array) != len(items) for array in beside.values()):
        raise ModelRefused(f"{folder}: its arrays are not of its {len(items)} items")
    style = unit((beside["fans"] @ beside["looks"])[None])[0]
    return Shelved(model, {item: column for column, item in enumerate(items)}, **beside, style=style)


def take_model(folder: Path) -> Recommender:
    """What `put_model` wrote, or the model alone of what `put` wrote. Raises ModelRefused."""
    try:
        about = json.loads((folder / ABOUT).read_text())
        made = METHODS[about["method"]]
        model, items = made(made.config_class(**about["config"])), tuple(about["items"])
        model.state = those({path.stem: _mapped(path) for path in folder.glob(f"{STATE}*.npy")}, STATE)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRefused(f"{folder}: no model that can be served ({error!r})") from error
    model.known = Ratings(csr_array((0, len(items)), dtype=np.float32), (), items)
    return model


def _save(folder: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    for name, value in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(value), allow_pickle=False)


def _mapped(path: Path) -> npt.NDArray[Any]:
    """As numpy's plain array: of its own kind for mapped files, every slice takes longer."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _fans(model: Recommender) -> Floats:
    """(items,) how many people each is known of; of a method that keeps none of them, as it counted them."""
    known = model.known
    if known.users:
        return np.bincount(known.matrix.indices, minlength=len(known.items)).astype(np.float32)
    return np.asarray(model.state.get("counts", np.zeros(len(known.items))), np.float32)


def _alike(model: Recommender) -> tuple[Ints, Floats]:
    count = len(model.known.items)
    items, weights = np.full((count, ALIKE), -1), np.zeros((count, ALIKE), np.float32)
    for item in range(count):
        found = model.similar_items(item, ALIKE)
        items[item, : len(found)] = [other.item for other in found]
        weights[item, : len(found)] = [other.score for other in found]
    return items, weights
