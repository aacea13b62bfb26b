"""Who may open and send what: every address, every person. A new page needs a row in `tests.verify.doors`."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.verify.doors import CURATION, PERSON, Door, doors
from tests.verify.furnishing import furnish

pytestmark = pytest.mark.django_db
Rows = dict[type[Model], list[dict[str, Any]]]


def routes(resolver: URLResolver, names: str = "", path: str = "") -> Iterator[str]:
    """The full name of every address, or its whole pattern where it has none."""
    for pattern in resolver.url_patterns:
        whole = path + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield f"{names}{pattern.name}" if pattern.name else whole
        else:
            yield from routes(pattern, names + (f"{pattern.namespace}:" if pattern.namespace else ""), whole)


def test_every_address_has_a_row() -> None:
    known = list(routes(get_resolver()))
    assert len(known) == len(set(known))
    assert {door.name for door in doors(furnish(None)) if not door.page} == set(known)


def test_every_action_has_a_row() -> None:
    offered = {
        f"{model._meta.app_label}_{model._meta.model_name}": {name for _, name, _ in page._get_base_actions()}
        for model, page in admin.site._registry.items()
    }
    assert {model: {*may.actions, "delete_selected"} for model, may in CURATION.items()} == offered


def everything() -> Rows:
    """Stored values, but for sessions and the dates of log-ins."""
    models = [model for model in apps.get_models() if model is not Session and not model._meta.proxy]
    return {model: stored(model) for model in models}


def stored(model: type[Model]) -> list[dict[str, Any]]:
    rows = model._default_manager.order_by("pk").values()
    return [{name: value for name, value in row.items() if name != "last_login"} for row in rows]


def knock(client: Client, door: Door) -> HttpResponse:
    kind = "application/json" if door.as_json else MULTIPART_CONTENT
    answer = client.get(door.url) if door.sent is None else client.post(door.url, door.sent, kind)
    b"".join(answer)  # a photo's file is closed at its end
    return answer


def is_refused(answer: HttpResponse) -> bool:
    led_to = answer.get("Location", "").partition("?")[0]
    return answer.status_code in (401, 403, 404) or led_to in (reverse("login"), reverse("admin:login"))


def opens(client: Client, door: Door, before: Rows) -> bool:
    """Whether there is an answer and what was sent is stored; afterwards all is as before."""
    with transaction.atomic():
        answer = knock(client, door)
        done = not door.stores or any(stored(model) != rows for model, rows in before.items())
        transaction.set_rollback(True)
    return done and answer.status_code < 400 and not is_refused(answer)


@pytest.mark.parametrize("who", PERSON)
def test_who_may_what(client: Client, who: str) -> None:
    person = PERSON[who]()
    table = doors(furnish(person))
    if person:
        client.force_login(person)
    before, cookies = everything(), client.cookies
    closed = [door for door in table if who not in door.who]
    assert [door for door in closed if not is_refused(knock(client, door)) and who not in door.page] == []
    assert everything() == before
    for door in table:
        client.cookies = SimpleCookie(cookies)  # some doors log out
        assert who not in door.who or opens(client, door, before), door
