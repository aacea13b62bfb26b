"""Right or wrong, points and badges, once a post has its verdict."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import make
from verify import consensus, verdicts
from verify.models import Badge, Dress, Employee, GoldAnswer, Option, Post, Reliability, Vote

pytestmark = pytest.mark.django_db
NOT, NONE = "not_a_dress", "none_of_these"
SECOND = timedelta(seconds=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now().replace(hour=12)


@pytest.fixture
def dresses() -> list[Dress]:
    return [make.make_dress(title=title) for title in ("Ottilie", "Margaux", "Calla")]


@pytest.fixture
def post(dresses: list[Dress]) -> Post:
    return make.make_open_posts(1, make.make_batch(), dresses)[0]


@pytest.fixture
def people() -> list[Employee]:
    return [make.make_employee(name) for name in ("ann", "ben", "cem", "dee")]


def vote(post: Post, employee: Employee | None, said: Dress | str, at: datetime, **fields: Any) -> Vote:
    """A stored vote, as it stands before a verdict."""
    option = post.suggestion.options.get(dress=said) if isinstance(said, Dress) else None
    answer = said if isinstance(said, str) else "dress"
    values = {"suggestion": post.suggestion, "answer": answer, "option": option, "dealt_at": at, **fields}
    return Vote.objects.create(post=post, employee=employee, created_at=at, **values)


def settle(post: Post, verdict: Dress | str) -> None:
    """As votes or an admin would."""
    dress = verdict if isinstance(verdict, Dress) else None
    answer = "dress" if dress else verdict
    Post.objects.filter(pk=post.pk).update(
        state="settled",
        answer=answer,
        dress=dress,
        confidence=0.99,
        settled_at=timezone.now(),
        settles_at=None,
    )
    post.refresh_from_db()


def outcomes(post: Post) -> dict[str, tuple[bool | None, int | None]]:
    votes = post.votes.select_related("employee")
    return {vote.employee.username: (vote.right, vote.points) for vote in votes}


def settled_posts(count: int, verdict: str, employee: Employee, at: datetime) -> list[Post]:
    """Posts on which this person was right, each with one vote."""
    posts = make.make_open_posts(count)
    for number, one in enumerate(posts):
        vote(one, employee, verdict, at + number * SECOND)
        settle(one, verdict)
    return posts


# Right and wrong


def test_a_verdict_tells_who_was_right(
    post: Post, people: list[Employee], dresses: list[Dress], now: datetime
) -> None:
    ann, ben, cem, dee = people
    for employee, said in ((ann, dresses[0]), (ben, dresses[1]), (cem, NONE), (dee, dresses[0])):
        vote(post, employee, said, now)
    settle(post, dresses[0])
    assert verdicts.confirm(post, now) == 4
    assert outcomes(post) == {"ann": (True, 17), "ben": (False, 0), "cem": (False, 0), "dee": (True, 17)}
    assert set(post.votes.values_list("confirmed_at", flat=True)) == {now}


def test_none_of_these_is_right_where_the_dress_was_not_offered(
    post: Post, people: list[Employee], now: datetime
) -> None:
    ann, ben, cem, _ = people
    elsewhere = make.make_dress(title="Elsewhere")
    vote(post, ann, NONE, now)
    named_at = now + SECOND
    Option.objects.create(
        suggestion=post.suggestion,
        dress=elsewhere,
        rank=3,
        probability=0,
        named=True,
        named_by=cem,
        created_at=named_at,
    )
    vote(post, ben, NONE, named_at + SECOND)  # who saw it on the card
    vote(post, cem, elsewhere, named_at, dealt_at=now)
    settle(post, elsewhere)
    verdicts.confirm(post, now)
    assert {name: right for name, (right, _) in outcomes(post).items()} == {
        "ann": True,
        "ben": False,
        "cem": True,
    }


def test_a_model_s_options_are_on_the_card_whenever_they_were_stored(
    post: Post, people: list[Employee], dresses: list[Dress], now: datetime
) -> None:
    vote(post, people[0], NONE, now - timedelta(days=9))
    settle(post, dresses[2])
    verdicts.confirm(post, now)
    assert outcomes(post)["ann"] == (False, 0)


def test_the_lone_right_answer_has_a_bonus(
    post: Post, people: list[Employee], dresses: list[Dress], now: datetime
) -> None:
    for employee, said in zip(people, (dresses[0], dresses[1], NOT, dresses[0]), strict=True):
        vote(post, employee, said, now, counted=employee.username != "dee")
    settle(post, dresses[0])
    verdicts.confirm(post, now)
    assert outcomes(post) == {"ann": (True, 37), "ben": (False, 0), "cem": (False, 0), "dee": (True, None)}


def test_who_is_muted_by_now_earns_nothing_and_keeps_nobody_company(
    post: Post, people: list[Employee], dresses: list[Dress], now: datetime
) -> None:
    """Though their vote, cast before, counted then."""
    for employee, said in zip(people, (dresses[0], dresses[1], NOT, dresses[0]), strict=True):
        vote(post, employee, said, now)
    muted = Reliability.objects.create(employee=people[3], muted_at=now + SECOND)
    settle(post, dresses[0])
    verdicts.confirm(post, now)
    assert (outcomes(post)["ann"], outcomes(post)["dee"]) == ((True, 37), (True, None))
    muted.unmute(now)
    verdicts.confirm(post, now)
    assert (outcomes(post)["ann"], outcomes(post)["dee"]) == ((True, 17), (True, 17))


def test_a_deleted_voter_s_vote_is_judged_all_the_same(post: Post, now: datetime) -> None:
    orphan = vote(post, None, NOT, now)
    settle(post, NOT)
    assert verdicts.confirm(post, now) == 1
    orphan.refresh_from_db()
    assert orphan.right is True


# Again and anew


def test_confirming_twice_changes_nothing(post: Post, people: list[Employee], now: datetime) -> None:
    vote(post, people[0], NOT, now)
    settle(post, NOT)
    verdicts.confirm(post, now)
    assert verdicts.confirm(post, now + SECOND) == 0
    assert post.votes.get().confirmed_at == now


def test_an_overruled_verdict_is_corrected_and_a_badge_stays(
    post: Post, people: list[Employee], dresses: list[Dress], now: datetime
) -> None:
    ann, ben, *_ = people
    vote(post, ann, NOT, now)
    vote(post, ben, dresses[1], now)
    settle(post, NOT)
    verdicts.confirm(post, now)
    settle(post, dresses[1])
    assert verdicts.confirm(post, now + SECOND) == 2
    assert outcomes(post) == {"ann": (False, 0), "ben": (True, 17)}
    assert list(Badge.objects.order_by("pk").values_list("employee__username", "earned_at")) == [
        ("ann", now),
        ("ben", now + SECOND),
    ]


def test_a_post_that_is_open_again_leaves_its_votes_open(
    post: Post, people: list[Employee], now: datetime
) -> None:
    vote(post, people[0], NOT, now)
    settle(post, NOT)
    verdicts.confirm(post, now)
    Post.objects.filter(pk=post.pk).update(state="disputed", answer="", settled_at=None)
    assert verdicts.confirm(post, now) == 1
    assert post.votes.filter(right=None, points=None, confirmed_at=None).count() == 1


def test_what_is_stored_counts_and_not_what_a_caller_holds(
    post: Post, people: list[Employee], dresses: list[Dress], now: datetime
) -> None:
    vote(post, people[0], NOT, now)
    stale = Post.objects.get(pk=post.pk)
    settle(post, NOT)
    verdicts.confirm(stale, now)
    assert outcomes(post)["ann"][0] is True


# The day's cap


def test_votes_beyond_the_cap_are_not_scored(people: list[Employee], settings: Any, now: datetime) -> None:
    settings.SCORED_VOTES_A_DAY = 2
    ann = people[0]
    settled_posts(1, NOT, ann, now - timedelta(days=1))
    posts = settled_posts(3, NOT, ann, now)
    settled_posts(1, NOT, people[1], now)
    assert verdicts.confirm_all(Post.objects.filter(state="settled").order_by("-pk"), now) == 5
    points = list(ann.votes.order_by("created_at").values_list("points", flat=True))
    assert points == [17, 17, 17, None]
    assert posts[2].votes.get().right is True


def test_known_cards_count_towards_the_cap_and_training_does_not(
    people: list[Employee], settings: Any, now: datetime
) -> None:
    settings.SCORED_VOTES_A_DAY = 2
    ann = people[0]
    for number, known in enumerate(make.make_open_posts(4)):
        at = now - (number + 1) * SECOND if number else now - timedelta(days=1)
        facts = {"employee": ann, "answer": NOT, "right": True, "created_at": at}
        GoldAnswer.objects.create(post=known, training=number > 1, **facts)
    verdicts.confirm_all(settled_posts(2, NOT, ann, now), now)
    assert list(ann.votes.order_by("created_at").values_list("points", flat=True)) == [17, None]


@pytest.mark.parametrize(("zone", "scored"), [("UTC", [17, None]), ("Pacific/Auckland", [17, 17])])
def test_a_day_is_the_office_s(people: list[Employee], settings: Any, zone: str, scored: list[int]) -> None:
    settings.TIME_ZONE, settings.SCORED_VOTES_A_DAY = zone, 1
    at = datetime.fromisoformat("2026-06-01T11:59:00+00:00")
    for minutes in (0, 2):  # midnight in Auckland between them
        settled_posts(1, NOT, people[0], at + timedelta(minutes=minutes))
    verdicts.confirm_all(Post.objects.all(), at)
    assert list(people[0].votes.order_by("created_at").values_list("points", flat=True)) == scored


# Badges


def kinds(employee: Employee) -> set[str]:
    return set(employee.badges.values_list("kind", flat=True))


def test_ten_times_right_not_a_dress(people: list[Employee], now: datetime) -> None:
    ann = people[0]
    posts = settled_posts(10, NOT, ann, now)
    verdicts.confirm_all(posts[:9], now)
    assert kinds(ann) == {"first_stitch"}
    verdicts.confirm(posts[9], now)
    assert kinds(ann) == {"first_stitch", "impostor", "fine_needle"}  # the model gave its favourite 50%
    verdicts.confirm_all(posts, now + SECOND)
    assert ann.badges.count() == 3


def test_a_wrong_answer_breaks_a_run_and_an_uncounted_one_does_not(
    people: list[Employee], post: Post, now: datetime
) -> None:
    ann = people[0]
    vote(post, ann, NONE, now + 12 * SECOND, counted=False)
    settle(post, NOT)
    posts = settled_posts(20, NOT, ann, now)
    verdicts.confirm_all([*posts, post], now)
    assert "seamless" in kinds(ann)
    Badge.objects.all().delete()
    Vote.objects.filter(post=posts[3]).update(answer=NONE, confirmed_at=None)
    verdicts.confirm_all([*posts[4:], posts[3]], now)
    awarded = {badge.kind for badge in verdicts.award([ann.pk], now)}
    assert awarded == {"first_stitch", "impostor", "fine_needle"}


def test_who_named_the_dress_and_not_who_followed(post: Post, people: list[Employee], now: datetime) -> None:
    ann, ben, *_ = people
    found = make.make_dress()
    named = {"suggestion": post.suggestion, "dress": found, "rank": 3, "probability": 0, "named": True}
    Option.objects.create(**named, named_by=ann, created_at=now)
    vote(post, ann, found, now)
    vote(post, ben, found, now)
    settle(post, found)
    verdicts.confirm(post, now)
    assert "first_name" in kinds(ann)
    assert kinds(ben) == {"first_stitch"}


def test_gold_counts_without_training(post: Post, people: list[Employee], now: datetime) -> None:
    ann = people[0]
    for number, known in enumerate(make.make_open_posts(25)):
        GoldAnswer.objects.create(
            post=known, employee=ann, training=number < 5, answer=NOT, right=number != 9, created_at=now
        )
    assert [badge.kind for badge in verdicts.award([ann.pk], now)] == ["gold_thread"]


def test_nobody_earns_anything_for_a_wrong_answer(post: Post, people: list[Employee], now: datetime) -> None:
    vote(post, people[0], NONE, now)
    settle(post, NOT)
    verdicts.confirm(post, now)
    assert not Badge.objects.exists()
    assert verdicts.award([], now) == []


# What it costs


def statements(posts: list[Post], now: datetime) -> int:
    with CaptureQueriesContext(connection) as queries:
        verdicts.confirm_all(posts, now)
    return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in queries)


def test_many_posts_take_as_many_statements_as_one(people: list[Employee], now: datetime) -> None:
    one, many = settled_posts(1, NOT, people[0], now), settled_posts(30, NOT, people[1], now)
    assert statements(one, now) == statements(many, now) == 10
    assert statements(many, now) == 4


def test_verdicts_are_named_as_consensus_names_them(post: Post, dresses: list[Dress]) -> None:
    assert verdicts.verdict_key(post) is None
    settle(post, dresses[0])
    assert verdicts.verdict_key(post) == consensus.dress_key(dresses[0].pk)
    settle(post, NOT)
    assert verdicts.verdict_key(post) == consensus.NOT_A_DRESS
