"""The nightly re-fit: what it learns from the votes, from gold, and from the audit sample."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from tests import make
from tests.verify.office import NONE, NOT, answer_gold, cast
from verify import audit, ballots, consensus, refit, reliability
from verify.models import (
    Answer,
    Batch,
    Dress,
    Employee,
    Option,
    Post,
    Refit,
    Reliability,
    Suggestion,
    Vote,
)
from verify.models.post import RULE

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def batch() -> Batch:
    return make.make_batch(opened_at=timezone.now() - 12 * HOUR)


@pytest.fixture
def dresses() -> list[Dress]:
    return [make.make_dress() for _ in range(3)]


@pytest.fixture
def people() -> list[Employee]:
    return [make.make_employee(name) for name in ("anna", "ben", "cem", "dora", "emil")]


def fresh(post: Post) -> Post:
    return Post.objects.get(pk=post.pk)


# What it learns


def test_nobody_has_answered_anything() -> None:
    row = refit.refit()
    assert (row.votes, row.posts, row.voters, row.reopened, row.vote_weight) == (
        0,
        0,
        0,
        0,
        consensus.VOTE_WEIGHT,
    )
    assert not Reliability.objects.exists()


def test_gold_alone(people: list[Employee]) -> None:
    anna, ben, *_ = people
    answer_gold(anna, 18, 2)
    answer_gold(ben, 0, 5, training=True)
    refit.refit()
    row = Reliability.objects.get()
    assert (row.employee, row.gold_right, row.gold_seen, row.votes) == (anna, 18, 20, 0)
    assert (row.right, row.wrong) == (8 + 18, 1.5 + 2)
    assert row.estimate == pytest.approx(25 / 27.5)
    assert row.low < row.estimate < row.high


def test_an_admins_decision_counts_four_times_an_ordinary_post(
    people: list[Employee], batch: Batch, dresses: list[Dress]
) -> None:
    anna, ben, *others = people
    decided, ordinary = make.make_open_posts(2, batch, dresses)
    cast(decided, anna, dresses[0])
    decided.override(Answer.DRESS, dresses[0], make.make_admin())
    for employee in (ben, *others):
        cast(ordinary, employee, dresses[0])
    refit.refit()
    assert anna.reliability.right == 9
    assert ben.reliability.right == pytest.approx(8.25, abs=0.001)


def test_a_dress_that_was_no_option_makes_none_of_these_right(
    people: list[Employee], batch: Batch, dresses: list[Dress]
) -> None:
    anna, ben, *_ = people
    [post] = make.make_open_posts(1, batch, dresses)
    cast(post, anna, NONE)
    cast(post, ben, dresses[0])
    post.override(Answer.DRESS, make.make_dress(), make.make_admin())
    refit.refit()
    assert (anna.reliability.right, anna.reliability.wrong) == (9, 1.5)
    assert (ben.reliability.right, ben.reliability.wrong) == (8, 2.5)


def test_who_names_the_dress_and_who_did_not_see_it_are_right(
    people: list[Employee], batch: Batch, dresses: list[Dress]
) -> None:
    early, namer, late, *_ = people
    [post] = make.make_open_posts(1, batch, dresses)
    named = make.make_dress()
    cast(post, early, NONE)
    post.suggestion.offer(named, namer, timezone.now() - HOUR / 2)
    cast(post, namer, named)
    cast(post, late, NONE, dealt_at=timezone.now())
    post.override(Answer.DRESS, named, make.make_admin())
    refit.refit()
    assert [employee.reliability.right for employee in (early, namer, late)] == [9, 9, 8]
    assert [employee.reliability.votes for employee in (early, namer, late)] == [1, 1, 1]


def test_a_named_dress_that_is_offered_joins_the_posterior_as_the_portal_has_it(
    people: list[Employee], batch: Batch, dresses: list[Dress]
) -> None:
    anna, ben, cem, *_ = people
    [post] = make.make_open_posts(1, batch, dresses)
    cast(post, anna, NONE)
    post.suggestion.offer(make.make_dress(), ben, timezone.now() - HOUR / 2)
    cast(post, cem, NONE, dealt_at=timezone.now())
    refit.refit()
    assert fresh(post).posterior == pytest.approx(posteriors()[post.pk], abs=2e-3)


def posteriors() -> dict[int, dict[str, float]]:
    """By post, those of the arrays."""
    office = ballots.read()
    shares = refit.estimate(office).fit.posterior
    ends = zip(office.posts.tolist(), office.ballots.first, office.ballots.first[1:], strict=False)
    return {
        pk: {refit._key(office, slot): shares[slot] for slot in range(start, end)} for pk, start, end in ends
    }


def test_open_posts_are_weighed_anew_as_the_fit_has_them(
    people: list[Employee], batch: Batch, dresses: list[Dress]
) -> None:
    """Somebody is muted, somebody is gone, some votes count late: arrays and rows agree on all."""
    rng = np.random.default_rng(1)
    anna, ben, _, dora, emil = people
    answer_gold(anna, 15, 0)
    answer_gold(ben, 5, 10)
    posts = make.make_open_posts(12, batch, dresses)
    for post in posts:
        for employee in people:
            if rng.random() < 0.4:
                cast(post, employee, (*dresses, NOT, NONE)[rng.integers(5)], counted=rng.random() < 0.9)
    dora.delete()
    refit.refit()
    emil.reliability.mute("Clicks.", timezone.now())
    refit.refit()
    expected = posteriors()
    for post in posts:
        if post.votes.exists() and not fresh(post).settles_at:
            assert fresh(post).posterior == pytest.approx(expected[post.pk], abs=5e-3)
    assert Reliability.objects.count() == 4


def test_a_vote_that_missed_its_voters_unmuting_counts_from_that_night_on(
    batch: Batch, dresses: list[Dress], people: list[Employee]
) -> None:
    anna, ben, *_ = people
    Reliability.objects.create(employee=anna)
    Reliability.objects.create(employee=ben, muted_at=timezone.now())
    [post] = make.make_open_posts(1, batch, dresses)
    late, muted = (cast(post, voter, NOT, counted=False) for voter in (anna, ben))
    refit.refit()
    assert list(Vote.objects.filter(counted=True)) == [late]
    assert fresh(post).votes_cast == 1
    assert not Vote.objects.get(pk=muted.pk).counted


FAR = (0.1, 8.0, 0.2, 5.0, 0.25, 4.0, 0.3, 3.0, 0.05, 20.0)  # from 1, and from bin to bin


@pytest.mark.parametrize("factors", [consensus.UNCORRECTED, FAR, FAR[::-1]])
def test_the_prior_of_the_arrays_is_that_of_the_rows(
    dresses: list[Dress], people: list[Employee], factors: tuple[float, ...]
) -> None:
    shares = [
        ((0.5, 0.2, 0.1), 0.1),
        ((1.0, 0.0, 0.0), 0.0),
        ((0.0, 0.0, 0.0), 1.0),
        ((0.4,), 0.6),
        ((0.1, 0.1, 0.1), 0.1),  # "none of these" is the model's favourite
        ((0.25, 0.15, 0.1), 0.05),
        ((), 0.5),
    ]
    for probabilities, not_a_dress in shares:
        post = make.make_post()
        post.open_to_votes(make.make_suggestion(post, dresses, probabilities, not_a_dress))
        for _ in range(len(probabilities) % 3 + 1):
            post.suggestion.offer(make.make_dress(), people[0], timezone.now())
        cast(post, people[0], NOT)
    office = ballots.read()
    first = office.ballots.first
    shares_by_slot = reliability.corrected(office.ballots, factors)
    assert len(office.posts) == len(shares)
    for pk, start, end in zip(office.posts.tolist(), first, first[1:], strict=False):
        prior = {refit._key(office, slot): shares_by_slot[slot] for slot in range(start, end)}
        assert prior == pytest.approx(Post.objects.get(pk=pk).suggestion.prior(factors))


def test_the_same_votes_give_the_same_figures(
    people: list[Employee], batch: Batch, dresses: list[Dress]
) -> None:
    for post in make.make_open_posts(8, batch, dresses):
        for number, employee in enumerate(people):
            cast(post, employee, (dresses[0], NOT, NONE)[(post.pk * number) % 3])

    def figures() -> tuple[list[Any], list[Any]]:
        row = refit.refit()
        numbers = ("employee", "right", "wrong", "estimate", "low", "high", "votes")
        return list(Reliability.objects.order_by("pk").values_list(*numbers)), row.prior_factors

    assert figures() == figures()


def test_the_factors_of_the_prior_are_stored_for_the_next_posts(
    people: list[Employee], batch: Batch, dresses: list[Dress]
) -> None:
    """The model says .5, and everybody says otherwise."""
    for post in make.make_open_posts(25, batch, dresses):
        for employee in people[:3]:
            cast(post, employee, NOT)
    refit.refit()
    factors = Refit.objects.current().prior_factors
    assert factors[consensus.EDGES.index(0.3) + 1] < 0.8
    [post] = make.make_open_posts(1, batch, dresses)
    assert post.posterior[consensus.dress_key(dresses[0].pk)] < 0.5


def test_the_weight_of_a_vote_is_stored_for_the_next_posts(dresses: list[Dress]) -> None:
    [before] = make.make_open_posts(1, None, dresses)
    Refit.objects.create(
        **{"fitted_at": timezone.now(), "votes": 0, "posts": 0, "voters": 0, "seconds": 0.1},
        prior_factors=list(consensus.UNCORRECTED),
        vote_weight=0.2,
    )
    [after] = make.make_open_posts(1, None, dresses)
    assert (after.posterior, after.votes_needed) == (before.posterior, 4)
    assert before.votes_needed == 2
    Post.objects.filter(pk=before.pk).update(settles_at=timezone.now())
    fresh(before).settle(timezone.now())  # decided by a rule that is no longer in force
    assert (fresh(before).state, fresh(before).votes_needed) == (Post.State.PROPOSED, 4)


def test_somebody_without_a_name_counts_as_anybody(
    people: list[Employee], batch: Batch, dresses: list[Dress]
) -> None:
    """Two votes of a post whose people are gone are two people's."""
    [post] = make.make_open_posts(1, batch, dresses)
    anna, ben, *_ = people
    cast(post, anna, dresses[0])
    cast(post, ben, dresses[0])
    anna.delete()
    ben.delete()
    row = refit.refit()
    assert (row.votes, row.posts, row.voters) == (2, 1, 0)
    office = ballots.read()
    assert refit.estimate(office).fit.reliability == pytest.approx([RULE.reliability] * 2, abs=1e-4)
    assert not Reliability.objects.exists()


# The audit sample


def audited(count: int, batch: Batch, dresses: list[Dress], people: list[Employee]) -> None:
    """Labelled posts with five votes each: all right, but one in ten where the first three are wrong."""
    admin, at = make.make_admin(), timezone.now() - HOUR
    template = make.make_open_posts(1, batch, dresses)[0]
    settled = {"state": "settled", "answer": "dress", "dress": dresses[0], "settled_at": at, "audit": True}
    settled |= {"batch": batch, "settled_by": admin}
    posts = Post.objects.bulk_create(
        Post(external_id=f"a{number}", posted_at=at, photo=template.photo, **settled)
        for number in range(count)
    )
    version = template.suggestion.model_version
    suggestions = Suggestion.objects.bulk_create(
        Suggestion(post=post, model_version=version, not_a_dress=0.1) for post in posts
    )
    for post, suggestion in zip(posts, suggestions, strict=True):
        post.suggestion = suggestion
    Post.objects.bulk_update(posts, ["suggestion"])
    options = Option.objects.bulk_create(
        Option(suggestion=suggestion, dress=dress, rank=rank, probability=0.5 / 2**rank)
        for suggestion in suggestions
        for rank, dress in enumerate(dresses)
    )
    Vote.objects.bulk_create(
        Vote(
            post=post,
            suggestion=post.suggestion,
            employee=employee,
            answer="dress",
            option=options[3 * number + (number % 10 == 0 and turn < 3)],
            created_at=at + timedelta(seconds=turn),
            dealt_at=at,
        )
        for number, post in enumerate(posts)
        for turn, employee in enumerate(people)
    )


def test_with_fewer_than_three_hundred_labels_it_is_too_early(
    batch: Batch, dresses: list[Dress], people: list[Employee]
) -> None:
    audited(audit.ENOUGH - 1, batch, dresses, people)
    row = refit.refit()
    assert (row.audited, row.vote_weight, row.diagram) == (299, consensus.VOTE_WEIGHT, [])


def test_from_three_hundred_on_the_weight_of_a_vote_is_fitted(
    batch: Batch, dresses: list[Dress], people: list[Employee]
) -> None:
    """People who err together weigh less each, so that the portal is as often right as it says."""
    audited(audit.ENOUGH, batch, dresses, people)
    row = refit.refit()
    assert row.audited == 300
    assert 0.2 < row.vote_weight < consensus.VOTE_WEIGHT
    assert sum(each["count"] for each in row.diagram) == 300
    assert all(RULE.threshold <= each["stated"] for each in row.diagram)
    assert set(row.diagram[0]) == {"stated", "real", "count", "low", "high"}
    assert Refit.objects.current().vote_weight == row.vote_weight


def test_the_diagram_shows_where_the_portal_would_have_been_wrong(
    batch: Batch, dresses: list[Dress], people: list[Employee], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every vote in full, three who agree settle it; one post in ten is then wrong."""
    monkeypatch.setattr(reliability, "fit_vote_weight", lambda *args, **kwargs: 1.0)
    audited(audit.ENOUGH, batch, dresses, people)
    diagram = refit.refit().diagram
    assert sum(each["real"] * each["count"] for each in diagram) == pytest.approx(270)


# The command
