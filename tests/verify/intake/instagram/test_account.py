"""The account: its token kept secret and exchanged in time, its limits and blocks obeyed, the admins told."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ

from dressportal.demo.fake_graph import TOKEN, FakeGraph, Fault, Refused, World
from tests.make import make_admin, make_employee
from tests.verify.intake.instagram.portal import expected_ids, make_due, make_source, read_all, stored_ids
from verify import tasks
from verify.intake import sources
from verify.intake.instagram import token
from verify.intake.instagram.client import Granted
from verify.models import Hashtag, InstagramAccount, Notice
from verify.models.instagram import WindowFull

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_pages", "no_pauses")]


def kinds() -> list[str]:
    return list(Notice.objects.open().values_list("kind", flat=True))


def work_off() -> None:
    """What is queued, as the worker does it."""
    while rows := list(OrmQ.objects.order_by("pk")):
        for row in rows:
            row.delete()
            getattr(tasks, row.func().rpartition(".")[2])(*row.args())


# The token


def test_a_token_is_stored_encrypted_and_read_again(instagram: FakeGraph, settings: Any) -> None:
    now = timezone.now()
    assert token.current(now) == TOKEN
    account = InstagramAccount.load()
    assert TOKEN not in account.token + account.seed
    settings.INSTAGRAM_TOKEN = ""
    assert token.current(now) == TOKEN
    settings.INSTAGRAM_TOKEN_KEY = "another key"
    with pytest.raises(token.NoToken, match="another key"):
        token.current(now)


def test_another_token_in_the_environment_replaces_the_stored_one(
    instagram: FakeGraph, settings: Any
) -> None:
    now = timezone.now()
    token.current(now)
    token.keep(Granted("EAAexchanged1", 5_000_000), now)
    assert token.current(now) == "EAAexchanged1"  # the environment's is what it came from
    settings.INSTAGRAM_TOKEN = "EAAanother001"
    assert token.current(now) == "EAAanother001"


def test_a_token_is_exchanged_at_once_and_then_ahead_of_its_end(
    instagram: FakeGraph, world: World, settings: Any
) -> None:
    world.app_secret = settings.INSTAGRAM_APP_SECRET = "of-the-app"
    settings.INSTAGRAM_APP_ID = "1"
    now = timezone.now()
    token.watch(now)
    account = InstagramAccount.load()
    assert account.end_stated
    assert 59 <= (account.expires_at - now).days <= 60
    exchanges = [call for call in world.calls if "oauth" in call]
    for days in (1, 20, 29):
        token.watch(now + timedelta(days=days))
    assert [call for call in world.calls if "oauth" in call] == exchanges
    token.watch(now + timedelta(days=31))
    assert len([call for call in world.calls if "oauth" in call]) == 2
    assert kinds() == []


def test_admins_are_warned_ten_days_before_the_end_once(
    instagram: FakeGraph, mailoutbox: list[mail.EmailMessage]
) -> None:
    make_admin("ada", email="ada@office.example")
    make_employee("cleo", is_staff=True, email="cleo@office.example")
    now = timezone.now()
    token.current(now)  # without an app's secret it cannot be exchanged
    ends = InstagramAccount.load().expires_at
    token.watch(ends - timedelta(days=10, hours=1))
    assert kinds() == []
    for days in (10, 9, 8):
        token.watch(ends - timedelta(days=days))
    assert kinds() == [Notice.Kind.TOKEN_EXPIRES]
    work_off()
    [letter] = mailoutbox
    assert letter.to == ["ada@office.example"]
    assert f"{ends:%-d %B %Y}" in letter.body
    assert "/admin/" in letter.body
    assert "/password/set/" not in letter.body
    token.keep(Granted("EAAfresh00001", 5_000_000), now)
    assert kinds() == []


def test_a_dead_token_stops_everything_until_there_is_another(
    instagram: FakeGraph, world: World, mailoutbox: list[mail.EmailMessage]
) -> None:
    make_admin("ada", email="ada@office.example")
    source, other = make_source("tagged"), make_source("hashtag_top", "dress")
    world.tokens[TOKEN] = 0
    assert read_all() == 1  # the second is not even tried
    account = InstagramAccount.load()
    assert "expired" in account.stopped_because
    make_due()
    tasks.tick()
    assert sources.read_next() == 0
    assert kinds() == [Notice.Kind.INSTAGRAM_STOPPED]
    work_off()
    assert len(mailoutbox) == 1
    source.refresh_from_db()
    assert "190" in source.last_error

    world.tokens["EAAnewtoken001"] = float("inf")
    token.keep(Granted("EAAnewtoken001", None), timezone.now())
    assert kinds() == []
    read_all()
    assert set(stored_ids()) == expected_ids(world)
    other.refresh_from_db()
    assert other.last_error == ""


def test_no_token_is_anywhere_after_every_failure(
    instagram: FakeGraph, world: World, settings: Any, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    """In no row of any table, no log line, nothing printed; the fake puts the token into its errors."""
    caplog.set_level(logging.DEBUG)
    world.app_secret = settings.INSTAGRAM_APP_SECRET = "secret-of-the-app"
    settings.INSTAGRAM_APP_ID = "1"
    world.mixed = False
    world.grow(13)
    make_admin("ada", email="ada@office.example")
    make_source("tagged")
    codes = [1, 2, 3, 4, 10, 17, 24, 32, 100, 102, 190, 200, 341, 368, 613, 80002]
    for code in codes:
        # a page comes in, so that a place is stored; then it fails
        world.faults = [
            Fault("/tags", "error", 1, Refused(code, f"Bad token {TOKEN} of ?access_token={TOKEN}"))
        ]
        sources.read_next()
        token.watch(timezone.now())
        InstagramAccount.load().go_on()
        make_due()
    work_off()
    for kind in ("cut", "hang up", "status"):
        world.faults = [Fault("/tags", kind, 9)]
        make_due()
        sources.read_next()
    fresh = token.current(timezone.now())
    told = caplog.text + "".join(capfd.readouterr())
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            told += str(list(model._default_manager.values()))
    assert fresh != TOKEN
    for secret in (TOKEN, fresh, "secret-of-the-app"):
        assert secret not in told


# Limits


@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80002])
def test_who_has_asked_too_much_waits_and_goes_on_where_it_was(
    instagram: FakeGraph, world: World, code: int
) -> None:
    source = make_source("tagged")
    world.faults.append(Fault("/tags", "error", 1, Refused(code, "Too many calls")))
    read_all()
    now, account = timezone.now(), InstagramAccount.load()
    assert timedelta(minutes=14) < account.waits_until - now < timedelta(minutes=24)
    assert account.stopped_at is None
    assert not sources.work_waits(now)
    source.refresh_from_db()
    assert str(code) in source.last_error
    make_due()
    read_all()
    assert set(stored_ids()) == expected_ids(world)
    assert InstagramAccount.load().refusals == 0
    assert kinds() == []


def test_who_is_blocked_waits_a_day_and_the_admins_know(instagram: FakeGraph, world: World) -> None:
    make_source("tagged")
    world.faults.append(Fault("/tags", "error", 1, Refused(368, "Temporarily blocked")))
    read_all()
    assert InstagramAccount.load().waits_until - timezone.now() > timedelta(hours=23)
    assert kinds() == [Notice.Kind.INSTAGRAM_STOPPED]


@pytest.mark.parametrize("code", [3, 10, 102, 190, 200, 299])
def test_what_only_people_can_mend_stops_it(instagram: FakeGraph, world: World, code: int) -> None:
    make_source("tagged")
    world.faults.append(Fault("/tags", "error", 1, Refused(code, "No.")))
    read_all()
    assert InstagramAccount.load().stopped_at
    assert kinds() == [Notice.Kind.INSTAGRAM_STOPPED]


@pytest.mark.parametrize("code", [1, 2])
def test_what_never_passes_fails_the_source_with_growing_pauses(
    instagram: FakeGraph, world: World, code: int
) -> None:
    source, pauses = make_source("tagged", every_minutes=10), []
    world.faults.append(Fault("/tags", "error", 99, Refused(code, "Later", status=500)))
    for _ in range(3):
        make_due()
        read_all()
        source.refresh_from_db()
        pauses.append(round((source.next_run_at - timezone.now()).total_seconds() / 60))
    assert pauses == [10, 20, 40]
    assert InstagramAccount.load().waits_until is None


def test_a_nearly_full_limit_makes_it_wait_before_it_is_refused(instagram: FakeGraph, world: World) -> None:
    world.mixed = False
    world.grow(33)
    headers = {"X-App-Usage": '{"call_count": 97}'}
    world.faults.append(Fault("/tags", "headers", 1, headers=headers))
    source = make_source("tagged")
    read_all()
    source.refresh_from_db()
    assert len(stored_ids()) == 10  # what came is kept
    assert "97%" in source.last_error
    assert InstagramAccount.load().usage == 97
    make_due()
    read_all()
    assert set(stored_ids()) == expected_ids(world)


# Thirty hashtags in seven days


def test_the_thirty_first_hashtag_waits_for_a_place(instagram: FakeGraph, world: World) -> None:
    now = timezone.now()
    for number in range(30):
        Hashtag.objects.create(name=f"tag{number}", asked_since=now - timedelta(days=6, hours=number % 5))
    source = make_source("hashtag_top", "onemore")
    read_all()
    source.refresh_from_db()
    assert "30 other hashtags" in source.last_error
    assert timedelta(hours=19) < source.next_run_at - now < timedelta(hours=21)
    assert not any("media" in call or "search" in call for call in world.calls if "recently" not in call)
    known = Hashtag.objects.get(name="tag3")
    known.ask(now)  # it has a place
    assert known.asked_since < now - timedelta(days=6)
    Hashtag.objects.filter(name="tag4").update(asked_since=now - timedelta(days=8))
    make_due()
    read_all()
    assert set(stored_ids()) == expected_ids(world)


def test_what_other_tools_have_asked_for_takes_places(instagram: FakeGraph, world: World) -> None:
    from dressportal.demo.fake_graph import hashtag_id

    for number in range(30):
        hashtag_id(f"elsewhere{number}")
        world.searched[f"elsewhere{number}"] = world.now()
    source = make_source("hashtag_recent", "dress")
    read_all()
    source.refresh_from_db()
    assert "30 other hashtags" in source.last_error
    assert Hashtag.objects.in_window(timezone.now()).count() == 30
    assert Hashtag.objects.filter(name="elsewhere7").exists()


def test_a_hashtag_s_number_is_asked_for_once(instagram: FakeGraph, world: World) -> None:
    make_source("hashtag_recent", "dress")
    make_source("hashtag_top", "dress")
    for _ in range(3):
        make_due()
        read_all()
    assert sum("ig_hashtag_search" in call for call in world.calls) == 1


def test_two_at_once_take_the_last_place_once() -> None:
    from tests.verify.players import at_once

    now = timezone.now()
    for number in range(29):
        Hashtag.objects.create(name=f"tag{number}", asked_since=now)
    others = [Hashtag.objects.create(name=f"late{number}") for number in range(4)]

    def ask(hashtag: Hashtag) -> bool:
        try:
            hashtag.ask(now)
        except WindowFull:
            return False
        return True

    assert sorted(at_once([lambda one=one: ask(one) for one in others])) == [False, False, False, True]


def test_the_command_says_what_failed(instagram: FakeGraph, world: World) -> None:
    from django.core.management import CommandError

    make_source("tagged")
    make_source("hashtag_top", "unknowntag")
    with pytest.raises(CommandError, match=r"unknowntag.*24"):
        call_command("read_sources", now=True)
    assert set(stored_ids()) == expected_ids(world)
