"""Another answer to an open post, and the dress that somebody names after "none of these"."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.utils import timezone

from tests import make
from verify import consensus, queue, remarks, rotation, second_thoughts
from verify.models import (
    Answer,
    Batch,
    Dress,
    Employee,
    Flag,
    Lease,
    Look,
    Nomination,
    Post,
    Reliability,
    Vote,
)

pytestmark = pytest.mark.django_db
NOT, NONE = Answer.NOT_A_DRESS, Answer.NONE_OF_THESE


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def one(now: datetime) -> Post:
    return make.make_open_posts(1, make.make_batch(opened_at=now - timedelta(hours=1)))[0]


@pytest.fixture
def people() -> list[Employee]:
    return [make.make_employee(name) for name in ("anna", "ben", "cem", "dora")]


@pytest.fixture
def right() -> Dress:
    return make.make_dress(title="Ottilie")


def cast(employee: Employee, answer: str, dress: int | None = None, now: datetime | None = None) -> Vote:
    [lease] = queue.hand_out(employee, ahead=1, now=now)
    return queue.vote(employee, lease.pk, answer, dress, now=now)


def fresh(post: Post) -> Post:
    return Post.objects.get(pk=post.pk)


# Naming


def test_a_named_dress_joins_the_options_of_later_voters(
    one: Post, people: list[Employee], right: Dress
) -> None:
    anna, *others, _ = people
    own = cast(anna, NONE)
    named = second_thoughts.name(anna, own.pk, right)
    assert (named.answer, named.option.dress, named.option.named_by) == ("dress", right, anna)
    for colleague in others:
        [card] = queue.hand_out(colleague, ahead=1)
        assert right in [option.dress for option in card.options]
        queue.vote(colleague, card.pk, Answer.DRESS, named.option.dress_id)
    rotation.settle_due(timezone.now() + 2 * project_settings.UNDO)
    settled = fresh(one)
    assert (settled.state, settled.dress) == ("settled", right)


def test_naming_moves_the_vote_not_the_others(one: Post, people: list[Employee], right: Dress) -> None:
    anna, *_ = people
    second_thoughts.name(anna, cast(anna, NONE).pk, right)
    post = fresh(one)
    assert post.votes_cast == Vote.objects.count() == 1
    assert sum(post.posterior.values()) == pytest.approx(1)
    prior = consensus.joined(consensus.prior(_model_options(one), 0.2), consensus.dress_key(right.pk))
    meant = {consensus.dress_key(right.pk)}
    assert post.posterior == pytest.approx(consensus.updated(prior, meant, 0.88, consensus.VOTE_WEIGHT))


def _model_options(post: Post) -> dict[str, float]:
    offered = post.suggestion.options.filter(named=False)
    return {consensus.dress_key(option.dress_id): option.probability for option in offered}


def test_none_of_these_said_before_supports_the_named_dress_as_well(
    one: Post, people: list[Employee], right: Dress, now: datetime
) -> None:
    anna, ben, *_ = people
    cast(anna, NONE, now=now)
    own = cast(ben, NONE, now=now + timedelta(seconds=5))
    assert fresh(one).settles_at
    second_thoughts.name(ben, own.pk, right, now=now + timedelta(seconds=9))
    post, key = fresh(one), consensus.dress_key(right.pk)
    assert max(post.posterior, key=post.posterior.get) == key
    assert post.posterior[key] > 0.85
    assert (post.votes_needed, post.settles_at) == (1, None)  # one more pair of eyes


def test_a_card_dealt_before_the_naming_means_either(
    one: Post, people: list[Employee], right: Dress, now: datetime
) -> None:
    anna, ben, *_ = people
    [late] = queue.hand_out(ben, ahead=1, now=now)
    own = cast(anna, NONE, now=now)
    second_thoughts.name(anna, own.pk, right, now=now + timedelta(seconds=5))
    before = fresh(one).posterior
    queue.vote(ben, late.pk, NONE, now=now + timedelta(seconds=9))
    after, key = fresh(one).posterior, consensus.dress_key(right.pk)
    assert after[key] / after[NONE] == pytest.approx(before[key] / before[NONE])
    online = fresh(one)
    online.recount(now)
    assert online.posterior == pytest.approx(after)


def test_a_card_in_hand_keeps_the_options_that_it_was_dealt_with(
    one: Post, people: list[Employee], right: Dress, now: datetime
) -> None:
    anna, ben, *_ = people
    [dealt] = queue.hand_out(ben, ahead=1, now=now)
    second_thoughts.name(anna, cast(anna, NONE, now=now).pk, right, now=now + timedelta(seconds=5))
    [reloaded] = queue.hand_out(ben, ahead=1, now=now + timedelta(seconds=6))
    assert (reloaded, reloaded.options) == (dealt, dealt.options)


def test_none_of_these_said_by_a_change_denies_what_was_named_by_then(
    one: Post, people: list[Employee], right: Dress, now: datetime
) -> None:
    anna, ben, *_ = people
    [late] = queue.hand_out(ben, ahead=1, now=now)
    second_thoughts.name(anna, cast(anna, NONE, now=now).pk, right, now=now + timedelta(seconds=5))
    own = queue.vote(ben, late.pk, NOT, now=now + timedelta(seconds=6))
    second_thoughts.change(ben, own.pk, NONE, now=now + timedelta(seconds=9))
    assert Vote.objects.get(pk=own.pk).may_mean(one.suggestion.named()) == {NONE}


def test_naming_an_offered_dress_is_a_vote_for_it(one: Post, people: list[Employee]) -> None:
    anna, *_ = people
    offered = one.suggestion.options.get(rank=1)
    assert second_thoughts.name(anna, cast(anna, NONE).pk, offered.dress).option == offered
    assert one.suggestion.options.count() == 3


@pytest.mark.parametrize("answer", [NOT, Answer.DRESS])
def test_only_none_of_these_is_followed_by_a_name(
    one: Post, people: list[Employee], right: Dress, answer: str
) -> None:
    dress = one.suggestion.options.get(rank=0).dress_id if answer == Answer.DRESS else None
    own = cast(people[0], answer, dress)
    with pytest.raises(second_thoughts.NothingToName):
        second_thoughts.name(people[0], own.pk, right)


def test_nobody_names_for_others_nor_after_the_settling(
    one: Post, people: list[Employee], right: Dress
) -> None:
    anna, ben, *_ = people
    own = cast(anna, NONE)
    with pytest.raises(second_thoughts.NotYours):
        second_thoughts.name(ben, own.pk, right)
    with pytest.raises(second_thoughts.NotYours):
        second_thoughts.name(anna, 2**60, right)
    Post.objects.get(pk=one.pk).override(NOT, None, make.make_admin())
    with pytest.raises(queue.PostAlreadySettled):
        second_thoughts.name(anna, own.pk, right)
    assert not one.suggestion.options.filter(named=True).exists()


# Changing


def test_an_answer_can_be_changed_until_its_post_settles(one: Post, people: list[Employee]) -> None:
    anna, ben, *_ = people
    own = cast(anna, NOT)
    option = one.suggestion.options.get(rank=2)
    changed = second_thoughts.change(anna, own.pk, Answer.DRESS, option.dress_id)
    assert (changed.pk, changed.option) == (own.pk, option)
    post = fresh(one)
    assert post.votes_cast == 1
    assert post.posterior[changed.key] > one.posterior[changed.key]
    rotation.settle_due(timezone.now())
    Post.objects.get(pk=one.pk).override(NOT, None, make.make_admin())
    with pytest.raises(queue.PostAlreadySettled):
        second_thoughts.change(anna, own.pk, NOT)
    with pytest.raises(second_thoughts.NotYours):
        second_thoughts.change(ben, own.pk, NOT)


def test_a_change_can_take_a_decision_back(one: Post, people: list[Employee]) -> None:
    anna, ben, *_ = people
    cast(anna, NOT)
    own = cast(ben, NOT)
    assert fresh(one).settles_at
    second_thoughts.change(ben, own.pk, NONE)
    post = fresh(one)
    assert (post.settles_at, post.votes_needed > 0) == (None, True)


@pytest.mark.parametrize(("answer", "dress"), [("dress", None), ("nonsense", None), ("dress", 2**60)])
def test_only_what_is_offered_can_be_changed_to(
    one: Post, people: list[Employee], answer: str, dress: int | None
) -> None:
    own = cast(people[0], NOT)
    with pytest.raises(queue.OptionNotOffered):
        second_thoughts.change(people[0], own.pk, answer, dress)


def test_the_last_ten_are_listed_newest_first(people: list[Employee], now: datetime) -> None:
    make.make_open_posts(14, make.make_batch())
    anna = people[0]
    votes = [cast(anna, NOT, now=now + timedelta(seconds=number)) for number in range(13)]
    assert second_thoughts.recent(anna) == votes[:2:-1]


def test_the_last_ten_list_the_options_as_the_card_showed_them(people: list[Employee], now: datetime) -> None:
    make.make_open_posts(10, make.make_batch())
    anna, shown = people[0], {}
    for number in range(10):
        [card] = queue.hand_out(anna, ahead=1, now=now)
        shown[card.post_id] = [option.pk for option in card.options]
        queue.vote(anna, card.pk, NOT, now=now + timedelta(seconds=number))
    listed = second_thoughts.recent(anna)
    assert {vote.post_id: [option.pk for option in vote.choices] for vote in listed} == shown
    assert len({vote.choices[0].rank for vote in listed}) > 1


# Whose votes weigh nothing


def test_a_muted_voter_notices_nothing_and_decides_nothing(one: Post, people: list[Employee]) -> None:
    anna, ben, cem, _ = people
    for muted in (anna, ben):
        Reliability.objects.create(employee=muted, muted_at=timezone.now(), muted_because="Too fast.")
        cast(muted, NOT)
    post = fresh(one)
    assert (post.votes_cast, post.posterior) == (0, one.posterior)
    assert Vote.objects.filter(counted=False).count() == 2
    assert queue.progress(anna).today == 1
    cast(cem, NOT)
    fresh(one).recount(timezone.now())
    assert fresh(one).votes_cast == 1


def test_a_vote_weighs_as_much_as_its_voter(one: Post, people: list[Employee]) -> None:
    anna, *_ = people
    Reliability.objects.create(employee=anna, estimate=0.6)
    cast(anna, NOT)
    assert fresh(one).posterior == pytest.approx(
        consensus.updated(one.posterior, NOT, 0.6, consensus.VOTE_WEIGHT)
    )


# Remarks


def test_a_flag_keeps_a_look_from_being_cleared_automatically(
    one: Post, people: list[Employee], settings: Any
) -> None:
    settings.CLEAR_LOOKS_AUTOMATICALLY = True
    other = make.make_open_posts(1, Batch.objects.get())[0]
    anna, *_ = people
    [lease] = [card for card in queue.hand_out(anna, ahead=2) if card.post_id == one.pk]
    remarks.flag(anna, lease.pk, Flag.Reason.CHILD)
    remarks.flag(anna, lease.pk, Flag.Reason.OTHER)
    assert Flag.objects.get().reason == "other"
    for post in (one, other):
        post.override("dress", make.make_dress(), make.make_admin(f"admin{post.pk}"))
    assert Look.objects.get(post=one).clearance == "waiting"
    assert Look.objects.get(post=other).clearance == "cleared"


@pytest.mark.parametrize(
    ("reason", "by_an_admin", "stays"),
    [("child", True, False), ("bad_photo", True, True), ("bad_photo", False, False)],
)
def test_a_flag_takes_what_is_shown_back_to_the_admins(
    one: Post, people: list[Employee], reason: str, by_an_admin: bool, stays: bool
) -> None:
    anna, admin = people[0], make.make_admin()
    [lease] = queue.hand_out(anna, ahead=1)
    one.override("dress", make.make_dress(), admin)
    Post.objects.update(rights="granted")
    look = Look.objects.get()
    look.decide(Look.Clearance.CLEARED, admin if by_an_admin else None)
    assert remarks.flag(anna, lease.pk, Flag.Reason(reason)) is not stays
    assert Look.objects.public().exists() is stays
    look.decide(Look.Clearance.CLEARED, admin)
    assert remarks.flag(anna, lease.pk, Flag.Reason(reason)) is False  # an admin has decided since


def test_a_flag_belongs_to_a_card_of_ones_own(one: Post, people: list[Employee]) -> None:
    anna, ben, *_ = people
    [lease] = queue.hand_out(anna, ahead=1)
    with pytest.raises(queue.LeaseNotFound):
        remarks.flag(ben, lease.pk, Flag.Reason.OTHER)


def test_the_puppy_gets_one_voice_from_each(one: Post, people: list[Employee]) -> None:
    anna, ben, *_ = people
    with pytest.raises(remarks.NotForTheHall):
        remarks.nominate(anna, one.pk)
    cast(anna, NOT)
    remarks.nominate(anna, one.pk)
    remarks.nominate(anna, one.pk)
    assert Nomination.objects.count() == 1
    with pytest.raises(remarks.NotForTheHall):
        remarks.nominate(ben, one.pk)
    Post.objects.get(pk=one.pk).override(NOT, None, make.make_admin())
    remarks.nominate(ben, one.pk)
    assert Nomination.objects.count() == 2


# The audit sample


def test_an_audited_post_always_gets_five_votes(settings: Any, now: datetime) -> None:
    settings.AUDIT_SHARE = 1
    [post] = make.make_open_posts(1, make.make_batch())
    assert post.audit
    for number in range(5):
        assert fresh(post).takes_votes
        cast(make.make_employee(f"voter{number}"), NOT)
    assert fresh(post).settles_at
    assert not Lease.objects.open(timezone.now()).exists()


def test_the_audit_sample_is_drawn_by_share(settings: Any) -> None:
    from verify.models.post import in_audit_sample

    settings.AUDIT_SHARE = 0.02
    assert 300 < sum(in_audit_sample(pk) for pk in range(1, 20_001)) < 500
