"""What tops the lists: on a shop of two tastes, of which a few like things of both."""

import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from recommend import alike, hybrid, neighbours
from recommend.alike import unit
from recommend.ease import EASE, EDLAE, EASEConfig, EDLAEConfig, regressed
from recommend.ensemble import Ensemble, EnsembleConfig, standardised
from recommend.gauss import Gauss
from recommend.hybrid import Blend, Hybrid, HybridConfig, Mixing, blended
from recommend.ials import IALS, IALSConfig, ImplicitMissing
from recommend.liking import liked, liking
from recommend.methods import METHODS
from recommend.pairwise import BPR, WARP, PairwiseConfig
from recommend.ratings import Floats, Ratings, RatingsRefused

GOOD = 4
EVENING, CASUAL = range(10), range(10, 20)
ITEMS = tuple(f"dress-{n}" for n in range(20))
LISTS = {
    "EASE": lambda: EASE(EASEConfig(50, "good", GOOD)),
    "EDLAE": lambda: EDLAE(EDLAEConfig(5, good=GOOD)),
    "IALS": lambda: IALS(IALSConfig(categories=4, lambda_=1, good=GOOD)),
    "WARP": lambda: WARP(PairwiseConfig(categories=4, good=GOOD)),
    "BPR": lambda: BPR(PairwiseConfig(categories=4, maxit=60, good=GOOD)),
    "ENSEMBLE": lambda: Ensemble(EnsembleConfig(lambda_=5, categories=4, good=GOOD)),
    "HYBRID": lambda: Hybrid(HybridConfig(5, good=GOOD)),
}


def shop(*, without: tuple[int, ...] = ()) -> Ratings:
    """60 shoppers, each of whom likes most of one half of the dresses and rated some of the other low."""
    rng = np.random.default_rng(7)
    liked_by = [rng.permutation(EVENING if user % 2 else CASUAL)[:7] for user in range(60)]
    disliked_by = [rng.permutation(CASUAL if user % 2 else EVENING)[:2] for user in range(60)]
    rows = [(user, item, 4 + user % 2) for user, items in enumerate(liked_by) for item in items]
    rows += [(user, item, 1) for user, items in enumerate(disliked_by) for item in items]
    return rated([row for row in rows if row[1] not in without])


def rated(rows: list[tuple[int, int, int]]) -> Ratings:
    users, items, values = zip(*rows, strict=True)
    return Ratings.of([f"user-{u}" for u in users], [ITEMS[i] for i in items], values, catalogue=ITEMS)


MINA = rated([(0, 1, 5), (0, 2, 5), (0, 12, 1)])  # likes evening dresses


@pytest.mark.parametrize("name", LISTS)
def test_a_newcomer_is_recommended_what_is_liked_along_with_their_likes(name: str) -> None:
    mina = LISTS[name]().fit(shop()).fold_in(MINA)
    assert {found.item for found in mina.recommend(0, 6)} <= set(EVENING) - {1, 2}
    assert {found.item for found in mina.similar_items(3, 3)} <= set(EVENING) - {3}


@pytest.mark.parametrize("name", LISTS)
def test_who_is_folded_in_has_the_list_that_they_had_when_fitted(name: str) -> None:
    fitted = LISTS[name]().fit(shop())
    again = fitted.fold_in(shop().by([5, 3]))
    assert np.allclose(again.scores(np.array([0, 1])), fitted.scores(np.array([5, 3])), atol=1e-5)


@pytest.mark.parametrize("name", ["IALS", "WARP", "BPR", "ENSEMBLE"])
def test_the_same_seed_gives_the_same_model(name: str) -> None:
    one, other = (LISTS[name]().fit(shop()).scores(np.arange(5)) for _ in range(2))
    assert np.array_equal(one, other)


def test_ease_is_a_ridge_regression_of_each_item_on_all_others() -> None:
    model = EASE(EASEConfig(10, "rating")).fit(shop())
    ratings = model.known.matrix.toarray().astype(np.float64)
    for item in (0, 13):
        others = np.delete(np.arange(20), item)
        gram = ratings[:, others].T @ ratings[:, others] + 10 * np.eye(19)
        expected = np.linalg.solve(gram, ratings[:, others].T @ ratings[:, item])
        assert np.allclose(model.state["weights"][others, item], expected, atol=1e-5)
        assert model.state["weights"][item, item] == 0


def test_edlae_is_ease_on_likes_dropped_at_random() -> None:
    rng, signals = np.random.default_rng(1), liking(shop(), GOOD, 2).toarray().astype(np.float64)
    likes = liked(shop(), GOOD).toarray()
    gram, cross, draws = np.zeros((20, 20)), np.zeros((20, 20)), 4000
    for _ in range(draws):
        kept = signals * (rng.random(signals.shape) < 0.5) / 0.5
        gram, cross = gram + kept.T @ kept / draws, cross + kept.T @ likes / draws
    inverse = np.linalg.inv(gram + 10 * np.eye(20))
    expected = inverse @ cross
    expected -= inverse * np.diag(expected) / np.diag(inverse)
    model = EDLAE(EDLAEConfig(10, dropout=0.5, good=GOOD)).fit(shop())
    assert np.allclose(model.state["weights"], expected, atol=0.02)


def test_a_regression_of_all_pairs_takes_no_more_than_its_inverse_and_its_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alike, "COLUMNS", 20)
    items = 400
    likes = csr_array((np.random.default_rng(2).random((60, items)) < 0.3).astype(np.float32))
    tracemalloc.start()
    regressed(likes, likes, np.full(items, 10.0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    inverse, weights = 8 * items**2, 4 * items**2
    assert peak < 1.4 * (inverse + weights)


def test_a_like_is_graded_and_the_ratings_are_left_as_they_were() -> None:
    ratings = rated([(0, item, value) for item, value in enumerate((1, 2, 3, 4, 5))])
    assert liking(ratings, GOOD, 2).toarray()[0, :5].tolist() == [0, 0, 0.5, 1, 1.5]
    assert liked(ratings, GOOD).toarray()[0, :5].tolist() == [0, 0, 0, 1, 1]
    assert ratings.matrix.toarray()[0, :5].tolist() == [1, 2, 3, 4, 5]


def test_an_explanation_adds_up_to_the_score() -> None:
    mina = LISTS["EASE"]().fit(shop()).fold_in(MINA)
    reasons = mina.explain(0, 3)
    assert {reason.item for reason in reasons} == {1, 2}
    assert sum(reason.weight for reason in reasons) == pytest.approx(
        mina.scores(np.array([0]))[0, 3], abs=1e-6
    )


def test_ials_solves_users_as_the_library_does() -> None:
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    model = LISTS["IALS"]().fit(shop())
    with threadpool_limits(1, "blas"):
        theirs = AlternatingLeastSquares(factors=4, regularization=1, alpha=10)
        theirs.item_factors = model.state["theta"]
        solved = theirs.recalculate_user(np.arange(60), csr_matrix(liked(shop(), GOOD)))
    assert np.allclose(model.taste["x"], solved, atol=1e-4)


def test_ials_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "implicit.cpu.als", None)
    with pytest.raises(ImplicitMissing, match="pip install implicit"):
        LISTS["IALS"]().fit(shop())


def test_the_ensemble_is_the_weighted_sum_of_both_methods_scores() -> None:
    alone = [
        Ensemble(EnsembleConfig(share, 5, categories=4, good=GOOD)).fit(shop()).scores(np.arange(3))
        for share in (0, 1, 0.25)
    ]
    assert np.allclose(alone[2], 0.75 * alone[0] + 0.25 * alone[1], atol=1e-5)
    edlae = LISTS["EDLAE"]().fit(shop()).scores(np.arange(3))
    assert np.allclose(alone[0], standardised(edlae), atol=1e-5)


def test_a_dress_that_nobody_has_seen_is_found_by_its_looks() -> None:
    rng = np.random.default_rng(3)
    looks = rng.normal(0, 0.2, (20, 6)) + np.repeat(np.eye(2, 6), 10, axis=0)
    new = (0, 15)
    mina = Hybrid(HybridConfig(5, good=GOOD)).with_content(looks).fit(shop(without=new)).fold_in(MINA)
    scores = mina.scores(np.array([0]))[0]
    assert np.isfinite(scores).all()
    assert scores[0] > max(scores[10:])
    assert 0 in [found.item for found in mina.similar_items(1, 9)]


def test_the_likes_of_a_new_dress_count_too() -> None:
    looks = np.repeat(np.eye(2), 10, axis=0)
    noor = rated([(0, 0, 5)])
    model = Hybrid(HybridConfig(5, good=GOOD)).with_content(looks).fit(shop(without=(0,))).fold_in(noor)
    assert {found.item for found in model.recommend(0, 9)} == set(EVENING) - {0}


def test_a_blend_is_fitted_to_so_many_people_at_most_and_to_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks, hits, people = np.random.default_rng(3).normal(size=(20, 6)), Hybrid._hits, list[int]()

    def noted(model: Hybrid, scores: Floats, known: Ratings, sought: Ratings) -> float:
        people.append(len(scores))
        return hits(model, scores, known, sought)

    monkeypatch.setattr(Hybrid, "_hits", noted)
    config = HybridConfig(5, good=GOOD, held_out=0.9)
    whole = Hybrid(config).with_content(looks).fit(shop())
    blends = len(people)
    monkeypatch.setattr(neighbours, "AT_ONCE", 2 * len(ITEMS))
    in_parts = Hybrid(config).with_content(looks).fit(shop())
    assert max(people[blends:]) == 2
    assert np.allclose(in_parts.state["weights"], whole.state["weights"], atol=1e-6)
    people.clear()
    monkeypatch.setattr(hybrid, "MOST_HELD_OUT", 6)
    Hybrid(config).with_content(looks).fit(shop())
    assert sum(people) < 15 * blends


def test_scores_of_a_blend_are_those_of_its_weights() -> None:
    """For each liked item alone; what it says of itself is never listed."""
    rng, likes = np.random.default_rng(0), np.array([3, 0, 2, 5, 0])
    weights = rng.normal(size=(5, 5)).astype(np.float32)
    vectors, others = unit(rng.normal(size=(5, 2))), ~np.eye(5, dtype=bool)
    mixing = Mixing.of(likes, vectors, ridge=1.0, trust=2.0)
    scores = mixing.onto(mixing.over(np.eye(5, dtype=np.float32)) @ weights)
    served = blended(weights, likes, vectors, Blend(1.0, 2.0, boost=1.0))
    assert scores[others] == pytest.approx(served[others], abs=1e-5)


def test_without_content_the_hybrid_is_edlae() -> None:
    hybrid, edlae = LISTS["HYBRID"]().fit(shop()), LISTS["EDLAE"]().fit(shop())
    assert np.array_equal(hybrid.state["weights"], edlae.state["weights"])


@pytest.mark.parametrize(
    ("vectors", "complaint"),
    [(np.ones((3, 2)), r"\(3, 2\) for 20 items"), (np.full((20, 2), np.nan), "'dress-0' is not finite")],
)
def test_content_that_is_not_of_these_items_is_refused(vectors: np.ndarray, complaint: str) -> None:
    with pytest.raises(RatingsRefused, match=complaint):
        Hybrid(HybridConfig(5, good=GOOD)).with_content(vectors).fit(shop())


def test_gauss_expects_of_a_newcomer_what_those_alike_gave() -> None:
    mina = Gauss().fit(shop()).fold_in(MINA)
    evening, casual = mina.predict([0, 0], [3, 13])
    assert 3.5 < evening <= 5
    assert 1 <= casual < evening


def test_gauss_of_equal_ratings_predicts_them() -> None:
    model = Gauss().fit(rated([(user, item, 3) for user in range(4) for item in range(5)]))
    assert np.allclose(model.predict([0, 1], [2, 19]), 3)


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (EASEConfig, {"lambda_": 0}),
        (EASEConfig, {"weight": "bad"}),
        (EDLAEConfig, {"dropout": 1}),
        (IALSConfig, {"alpha": -1}),
        (PairwiseConfig, {"tries": 0}),
        (EnsembleConfig, {"share": 2}),
    ],
)
def test_options_that_make_no_sense_are_refused(config: type, options: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        config(**options)


@pytest.mark.parametrize("name", ["EASE", "EDLAE", "ENSEMBLE", "GAUSS", "HYBRID"])
def test_more_items_than_pairs_are_kept_of_are_refused_and_what_takes_them_is_named(name: str) -> None:
    catalogue = [str(number) for number in range(20_001)]
    ratings = Ratings.of(["Mina", "Omar"], ["0", "20000"], [4, 5], catalogue=catalogue)
    with pytest.raises(
        RatingsRefused, match=r"of 20,000 items at most, and there are 20,001\. IALS and WARP"
    ):
        METHODS[name]().fit(ratings)
