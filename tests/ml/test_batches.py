"""Batches hold pairs and negatives, follow from seed and step, and bring look-alikes together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.batches import Batches, in_groups, look_alikes
from ml.training_set import NO_DRESS
from tests.ml.small_training import small_set


def batches(seed: int = 0) -> Batches:
    return Batches(small_set(), seed, pairs=3, negatives=4)


def test_a_batch_holds_pairs_of_the_same_dresses_and_negatives() -> None:
    made = batches()
    batch, data = made.at(0), made.data
    assert data.dress[batch.rows].tolist() == batch.classes.tolist()
    assert batch.classes[:3].tolist() == batch.classes[3:6].tolist()
    assert set(data.role[batch.rows[:3]]) == {"catalogue"}
    assert set(data.role[batch.rows[3:6]]) == {"look"}
    assert batch.classes[6:].tolist() == [NO_DRESS] * 4


def test_an_epoch_shows_every_dress_once() -> None:
    made = batches()
    for epoch in range(3):
        shown = np.concatenate([made.at(2 * epoch + place).classes[:3] for place in range(len(made))])
        assert sorted(shown) == list(range(6))


def test_seed_and_step_decide_a_batch() -> None:
    assert batches().at(7).rows.tolist() == batches().at(7).rows.tolist()
    assert batches().at(7).rows.tolist() != batches(seed=1).at(7).rows.tolist()
    assert batches().at(7).rows.tolist() != batches().at(8).rows.tolist()


def test_a_photo_of_no_weight_to_speak_of_is_hardly_ever_drawn() -> None:
    made = batches()
    made.data.weight[made.data.rows("train", catalogue=False)[1::3]] = 1e-9
    drawn = np.concatenate([made.at(step).rows for step in range(20)])
    assert not np.isin(drawn, np.flatnonzero(made.data.weight < 1)).any()


def test_photos_that_were_given_a_name_are_drawn_as_often_as_it_is_sure() -> None:
    made = batches()
    looks = made.data.rows("train", catalogue=False)
    given, unsure, others = looks[0], looks[1], looks[2:]
    made.name(np.array([unsure, given]), np.array([3, 5]), np.array([1e-9, 1000.0]))
    drawn = [made.at(step) for step in range(20)]
    partners = {int(c): set() for c in range(6)}
    for batch in drawn:
        for place in range(batch.pairs, 2 * batch.pairs):
            partners[int(batch.classes[place])].add(int(batch.rows[place]))
    assert partners[5] == {given}
    assert partners[3] <= set(others)
    made.name(np.array([], np.int64), np.array([], np.int64), np.array([]))
    assert made.at(3).rows.tolist() == batches().at(3).rows.tolist()


def test_look_alikes_meet_in_a_batch() -> None:
    made = batches()
    made.group(np.array([[1], [0], [3], [2], [5], [4]]))
    for step in range(len(made)):
        classes = made.at(step).classes[:3].tolist()
        assert any(classes[place] ^ 1 == classes[place + 1] for place in range(2))


@given(st.integers(2, 40), st.integers(0, 1000))
def test_groups_keep_every_dress(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    neighbours = look_alikes(rng.normal(size=(count, 4)).astype(np.float32))
    grouped = in_groups(rng.permutation(count), neighbours, rng)
    assert sorted(grouped) == list(range(count))


def test_look_alikes_are_the_nearest_others() -> None:
    angles = np.array([0, 0.1, 1, 1.1, 2.5], np.float32)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert look_alikes(vectors, k=1).tolist() == [[1], [0], [3], [2], [3]]
