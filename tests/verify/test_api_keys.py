"""Keys to the API: shown once, kept as a digest, counted, and ended."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.make import make_api_key
from tests.verify.curation import act, page
from tests.verify.doors import API_KEY
from verify.models import ApiKey, Employee
from verify.models.api_key import LimitReached

pytestmark = pytest.mark.django_db
LATE = datetime(2026, 6, 1, 23, 59, 40, tzinfo=UTC)


def test_an_admin_sees_a_new_key_once_and_nobody_ever_again(client: Client, ada: Employee) -> None:
    answer = client.post(page("apikey", "add"), API_KEY)
    text = re.search(r">(dp_[\w-]+)</textarea>", answer.content.decode())[1]
    key = ApiKey.objects.get()
    assert ApiKey.objects.with_text(text) == key
    assert (key.created_by, key.scopes) == (ada, ["classify"])
    assert "no-store" in answer["Cache-Control"]
    secret = text.removeprefix(f"{key.prefix}_")
    assert len(secret) == 43
    assert not any(secret in str(value) for value in vars(key).values())
    for again in (page("apikey"), page("apikey", "change", key.pk)):
        shown = client.get(again).content.decode()
        assert (key.prefix in shown, secret in shown, key.digest in shown) == (True, False, False)


def test_a_key_without_a_scope_is_not_made(client: Client, ada: Employee) -> None:
    assert " checked" not in client.get(page("apikey", "add")).content.decode()
    client.post(page("apikey", "add"), {**API_KEY, "scopes": []})
    assert not ApiKey.objects.exists()


def test_revoking_is_for_good_and_in_the_history(client: Client, ada: Employee) -> None:
    key, other = make_api_key()[0], make_api_key("till")[0]
    answer = act(client, "apikey", "revoke", key)
    assert b"1 revoked" in answer.content
    key.refresh_from_db()
    assert key.refusal(timezone.now()) == "This key has been revoked."
    assert list(ApiKey.objects.usable(timezone.now())) == [other]
    assert client.post(page("apikey", "change", key.pk), API_KEY).status_code == 403
    assert b"Revoked." in client.get(page("apikey", "history", key.pk)).content


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: f"{text[:-1]}!", str.upper, str.strip]
)
def test_only_the_whole_text_opens(change: object) -> None:
    key, text = make_api_key()
    stranger = f"{key.prefix}_{make_api_key('till')[1][12:]}"
    assert ApiKey.objects.with_text(stranger) is None
    assert ApiKey.objects.with_text(change(text)) == (key if change is str.strip else None)


def test_a_key_works_until_it_expires() -> None:
    key, now = make_api_key(expires_at=LATE)[0], LATE - timedelta(seconds=1)
    assert (key.refusal(now), key.refusal(LATE)) == ("", "This key has expired.")
    assert (ApiKey.objects.usable(now).count(), ApiKey.objects.usable(LATE).count()) == (1, 0)


def test_its_last_use_is_written_once_a_minute() -> None:
    key, _ = make_api_key()
    for seconds, written in ((0, 0), (59, 0), (60, 60)):
        key.used(LATE + timedelta(seconds=seconds))
        key.refresh_from_db()
        assert key.last_used_at == LATE + timedelta(seconds=written)


def test_requests_are_counted_by_the_minute() -> None:
    key, _ = make_api_key(requests_per_minute=2)
    key.count_request(LATE)
    key.count_request(LATE)
    with pytest.raises(LimitReached, match="2 requests a minute") as limit:
        key.count_request(LATE)
    assert limit.value.seconds == 20
    key.count_request(LATE + timedelta(seconds=20))


def test_photos_are_counted_by_the_day_and_all_or_none_of_a_batch() -> None:
    key, _ = make_api_key(photos_per_day=5)
    key.count_photos(4, LATE)
    with pytest.raises(LimitReached, match="1 left today") as limit:
        key.count_photos(2, LATE)
    assert limit.value.seconds == 20
    key.count_photos(1, LATE)
    key.give_back_photos(3, LATE)
    key.refresh_from_db()
    assert key.photos_today(LATE) == 2
    tomorrow = LATE + timedelta(seconds=20)
    assert key.photos_today(tomorrow) == 0
    key.give_back_photos(3, tomorrow)  # of a request that midnight overtook
    key.count_photos(5, tomorrow)
