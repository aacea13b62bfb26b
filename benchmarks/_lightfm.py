"""lightfm's WARP for recommend.py, run by a Python that has it: `_lightfm.py DATA.npz SCORES.npz`.

lightfm takes in nobody new: whoever is tested is among those fitted to, with what is known of them. DATA has
likes (`users`, `items`), the `shape` of all, the users `tested`, and the `options` of each fit as JSON.
"""

import json
import sys

import numpy as np
from lightfm import LightFM
from scipy.sparse import coo_matrix


def main(data: str, out: str) -> None:
    with np.load(data) as told:
        likes = coo_matrix(
            (np.ones(len(told["users"]), np.float32), (told["users"], told["items"])), told["shape"]
        )
        tested, options = told["tested"], json.loads(str(told["options"]))
    np.savez(out, *(scores(likes, tested, **each) for each in options))


def scores(likes: coo_matrix, tested: np.ndarray, epochs: int, **options: float) -> np.ndarray:
    """(tested, items)."""
    model = LightFM(loss="warp", random_state=0, **options).fit(likes, epochs=epochs, num_threads=1)
    item_biases, items = model.get_item_representations()
    _, users = model.get_user_representations()
    return np.asarray(users[tested] @ items.T + item_biases, np.float32)


if __name__ == "__main__":
    main(*sys.argv[1:])
