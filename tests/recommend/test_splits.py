"""Who is learnt from and who is tested: nobody both, and so many ratings known as was said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommend.ratings import Ratings, RatingsRefused
from recommend.splits import Scheme, SchemeRefused, splits


def ratings_of(counts: list[int]) -> Ratings:
    """User n has rated the first counts[n] items, with a rating that tells user and item."""
    pairs = [(user, item) for user, count in enumerate(counts) for item in range(count)]
    names = [f"u{user}" for user, _ in pairs], [f"i{item}" for _, item in pairs]
    return Ratings.of(*names, [100 * user + item for user, item in pairs])


@settings(deadline=None, max_examples=30)
@given(
    counts=st.lists(st.integers(1, 9), min_size=8, max_size=30),
    kind=st.sampled_from(["split", "cross-validation", "bootstrap"]),
    known=st.sampled_from([1, 3, -1, -2]),
    seed=st.integers(0, 9),
)
def test_nobody_is_tested_who_was_learnt_from_and_no_rating_is_lost(
    counts: list[int], kind: str, known: int, seed: int
) -> None:
    ratings = ratings_of([*counts, 9, 9, 9, 9, 9])
    scheme = Scheme(kind, train=0.5, folds=3, given=known, seed=seed)  # type: ignore[arg-type]
    made = splits(ratings, scheme)
    assert made.left_out == sum(count < abs(known) + 1 for count in counts)
    tested: list[str] = []
    for split in made:
        assert not set(split.train.users) & set(split.known.users)
        assert split.known.users == split.unknown.users
        together, both = split.known.matrix + split.unknown.matrix, split.known.users
        whole = ratings.by([ratings.users.index(user) for user in both]).matrix
        assert (together != whole).nnz == 0
        sizes = np.diff((split.known if known > 0 else split.unknown).matrix.indptr)
        assert set(sizes) == {abs(known)}
        tested += both
    if kind == "cross-validation":
        assert sorted(tested) == sorted(made.ratings.users)


def test_the_seed_alone_decides() -> None:
    ratings = ratings_of([6] * 20)
    first, again, other = (next(iter(splits(ratings, Scheme(given=2, seed=seed)))) for seed in (1, 1, 2))
    assert first.known.users == again.known.users != other.known.users
    assert (first.known.matrix != again.known.matrix).nnz == 0


def test_what_is_known_is_drawn_of_all_ratings_alike() -> None:
    """As recommenderlab 1.0.7's are not, whose `given` is a mask over the wrong order."""
    [split] = splits(ratings_of([10] * 400), Scheme(train=0.01, given=3))
    shares = np.bincount(split.known.matrix.indices) / len(split.known.users)
    assert np.abs(shares - 0.3).max() < 0.1


def test_a_bootstrap_draws_people_again() -> None:
    [split] = splits(ratings_of([3] * 50), Scheme("bootstrap", given=1))
    assert len(split.train.users) == 45 > len(set(split.train.users))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "halves"}, "is no scheme"),
        ({"train": 1.0}, "cannot be learnt from"),
        ({"kind": "cross-validation", "folds": 1}, "too few"),
        ({"given": 0}, "given = 0"),
    ],
)
def test_a_scheme_that_does_not_hold_together_is_refused(changes: dict, said: str) -> None:
    with pytest.raises(SchemeRefused, match=said):
        Scheme(**changes)


def test_too_few_people_are_said() -> None:
    with pytest.raises(RatingsRefused, match="1 of 3 users have 5 ratings: too few for split with 4 given"):
        splits(ratings_of([5, 4, 4]), Scheme(given=4))
