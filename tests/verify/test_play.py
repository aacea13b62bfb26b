"""The game's pages: what a turn answers, and what it costs."""

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests import make
from tests.verify.turns import answer, cards
from verify.models import Batch, Dress, Employee, Lease, Post, Vote

pytestmark = pytest.mark.django_db
STATIC = project_settings.BASE_DIR / "dressportal" / "static"


@pytest.fixture
def dresses() -> list[Dress]:
    return [make.make_dress(title=title) for title in ("Ottilie", "Margaux", "Calla")]


@pytest.fixture
def posts(dresses: list[Dress]) -> list[Post]:
    return make.make_open_posts(9, make.make_batch(), dresses)


@pytest.fixture
def client(ann: Employee) -> Client:
    client = Client()
    client.force_login(ann)
    return client


# A turn


def test_the_page_holds_the_card_and_the_three_after(client: Client, posts: list[Post]) -> None:
    page = client.get("/")
    assert len(cards(page)) == 4
    html = page.content.decode()
    for key in ("1", "2", "3", "n", "0", "s", "?"):
        assert f'data-key="{key}"' in html
    assert 'alt="Customer’s photo"' in html
    assert 'alt="Ottilie by Maison Test"' in html
    assert 'data-key="u"' not in html


def test_a_vote_answers_with_the_card_after_those_held(client: Client, posts: list[Post]) -> None:
    first, *held = cards(client.get("/"))
    response = answer(client, first, "not_a_dress", held=held)
    html = response.content.decode()
    assert len(cards(response)) == 1
    assert not {first, *held} & set(cards(response))
    assert "<html" not in html
    assert '<p class="figure" id="today" hx-swap-oob="true"><b>1</b>' in html
    assert 'data-key="u"' in html
    assert Vote.objects.get().answer == "not_a_dress"


def test_each_button_is_its_answer(client: Client, ann: Employee, posts: list[Post]) -> None:
    page = client.get("/").content.decode()
    card = page.split("</article>")[0]
    dress = int(re.search(r'name="choice" value="(\d+)" data-key="2"', card)[1])
    answer(client, cards(client.get("/"))[0], str(dress))
    vote = Vote.objects.get()
    assert (vote.answer, vote.option.dress_id) == ("dress", dress)
    answer(client, cards(client.get("/"))[0], "none_of_these")
    assert Vote.objects.filter(answer="none_of_these").count() == 1
    answer(client, cards(client.get("/"))[0], "skip")
    assert Vote.objects.count() == 2
    assert Lease.objects.filter(outcome="skipped", employee=ann).count() == 1


def test_undo_brings_the_card_back(client: Client, posts: list[Post]) -> None:
    first, *held = cards(client.get("/"))
    held += cards(answer(client, first, "not_a_dress", held=held))
    response = client.post(reverse("undo"), {"lease": first, "held": held}, headers={"HX-Request": "true"})
    assert cards(response) == [first]
    assert not Vote.objects.exists()


def test_undo_is_offered_for_its_time_only(client: Client, posts: list[Post]) -> None:
    first = cards(client.get("/"))[0]
    answer(client, first, "not_a_dress")
    assert 'data-key="u"' in client.get("/").content.decode()
    Vote.objects.update(created_at=timezone.now() - project_settings.UNDO - timedelta(seconds=1))
    assert 'data-key="u"' not in client.get("/").content.decode()
    late = client.post(reverse("undo"), {"lease": first}, headers={"HX-Request": "true"})
    assert late.status_code == 409
    assert "nothing left to undo" in late.content.decode()


def undoable(page: Any) -> str:
    """The card that the page offers to take back."""
    undo = page.content.decode().split('id="undo"')[1].split("</div>")[0]
    return "".join(re.findall(r'name="lease" value="(\d+)"', undo))


def test_only_the_newest_answer_is_taken_back(client: Client, posts: list[Post]) -> None:
    first, second, third, *_ = cards(client.get("/"))
    answer(client, first, "not_a_dress")
    assert undoable(client.get("/")) == str(first)
    answer(client, second, "not_a_dress")
    assert undoable(client.get("/")) == str(second)
    for other in (first, third):
        assert client.post(reverse("undo"), {"lease": other}).status_code == 409
    assert Vote.objects.count() == 2
    answer(client, third, "skip", htmx=False)
    assert undoable(client.get("/")) == ""
    assert client.post(reverse("undo"), {"lease": second}).status_code == 409
    assert Vote.objects.count() == 2


def test_nobody_takes_back_a_colleague_s_answer(client: Client, posts: list[Post]) -> None:
    first = cards(client.get("/"))[0]
    answer(client, first, "not_a_dress")
    other = Client()
    other.force_login(make.make_employee("ben"))
    assert other.post(reverse("undo"), {"lease": first}).status_code == 409
    assert other.post(reverse("undo"), {"lease": "x"}).status_code == 400
    assert Vote.objects.exists()


@pytest.mark.parametrize("door", ["flag", "name", "nominate"])
def test_more_said_leaves_what_is_offered_about_the_last_answer(
    client: Client, posts: list[Post], dresses: list[Dress], door: str
) -> None:
    first, second, *held = cards(client.get("/"))
    answer(client, first, "none_of_these" if door == "name" else "not_a_dress")
    vote = Vote.objects.get()
    facts = {
        "lease": second,
        "reason": "other",
        "vote": vote.pk,
        "dress": dresses[0].pk,
        "post": vote.post_id,
    }
    said = client.post(
        reverse(door), {**facts, "held": held}, headers={"HX-Request": "true"}
    ).content.decode()
    assert 'id="toasts"' in said
    assert 'id="undo"' not in said
    assert 'id="after"' not in said
    plain = client.post(reverse(door), facts)
    assert undoable(plain) == str(first)


def test_a_window_whose_answers_another_sent_asks_for_cards(client: Client, posts: list[Post]) -> None:
    first, *held = cards(client.get("/"))
    answer(client, first, "not_a_dress", held=held)
    response = client.get("/", headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert len(cards(response)) == 4
    assert undoable(response) == str(first)


def test_the_same_answer_sent_twice_counts_once_and_is_no_error(client: Client, posts: list[Post]) -> None:
    first, *held = cards(client.get("/"))
    answer(client, first, "not_a_dress", held=held)
    again = answer(client, first, "not_a_dress", held=held)
    assert (again.status_code, Vote.objects.count()) == (200, 1)


def test_another_answer_to_an_answered_card_is_refused(client: Client, posts: list[Post]) -> None:
    first, *held = cards(client.get("/"))
    answer(client, first, "not_a_dress", held=held)
    again = answer(client, first, "none_of_these", held=held)
    assert again.status_code == 409
    assert "You have answered this one already." in again.content.decode()
    assert len(cards(again)) == 1
    assert Vote.objects.get().answer == "not_a_dress"


def test_a_card_that_is_not_mine_is_refused(client: Client, posts: list[Post]) -> None:
    other = Client()
    other.force_login(make.make_employee("ben"))
    theirs = cards(other.get("/"))[0]
    refused = answer(client, theirs, "not_a_dress")
    assert refused.status_code == 409
    assert "That card is not yours" in refused.content.decode()
    assert not Vote.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"lease": "1"},
        {"lease": "", "choice": "skip"},
        {"lease": "x", "choice": "skip"},
        {"lease": str(2**70), "choice": "skip"},
        {"lease": "1", "choice": "dress"},
        {"lease": "1", "choice": "-4"},
        {"lease": "1", "choice": "9" * 40},
    ],
)
def test_what_is_no_answer_is_a_bad_request(client: Client, posts: list[Post], data: dict[str, str]) -> None:
    response = client.post(reverse("vote"), data, headers={"HX-Request": "true"})
    assert response.status_code == 400
    assert not Vote.objects.exists()


def test_held_cards_may_be_nonsense(client: Client, posts: list[Post]) -> None:
    first = cards(client.get("/"))[0]
    response = client.post(
        reverse("vote"),
        {"lease": first, "choice": "skip", "held": ["", "²", "-1", "x", "9" * 400]},
        headers={"HX-Request": "true"},
    )
    assert response.status_code == 200
    assert len(cards(response)) == 4


def test_nothing_tells_how_others_voted(client: Client, posts: list[Post]) -> None:
    before = client.get("/").content.decode()
    lease = Lease.objects.get(pk=cards(client.get("/"))[0])
    ben = make.make_employee("ben")
    option = lease.suggestion.options.get(rank=0)
    Vote.objects.create(
        post=lease.post,
        employee=ben,
        suggestion=lease.suggestion,
        answer="dress",
        option=option,
        created_at=timezone.now(),
    )
    mask = re.compile(r'csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"')
    assert mask.sub("", client.get("/").content.decode()) == mask.sub("", before)


def test_without_script_a_vote_leads_to_the_page(client: Client, posts: list[Post]) -> None:
    first, second, *_ = cards(client.get("/"))
    response = answer(client, first, "not_a_dress", htmx=False)
    assert (response.status_code, response.url) == (302, f"/?cast={Vote.objects.get().pk}")
    page = client.get(response.url)
    assert cards(page)[0] == second
    refused = answer(client, first, "none_of_these", htmx=False)
    assert refused.status_code == 409
    assert "<html" in refused.content.decode()
    assert "You have answered this one already." in refused.content.decode()
    assert client.post(reverse("undo"), {"lease": first}).url == "/"
    assert cards(client.get("/"))[0] == first


@pytest.mark.django_db(transaction=True)
def test_a_vote_costs_ten_statements_and_two_commits(client: Client, posts: list[Post]) -> None:
    first, second, *held = cards(client.get("/"))
    held += cards(answer(client, first, "not_a_dress", held=(second, *held)))  # the day's first: the streak
    with CaptureQueriesContext(connection) as queries:
        response = answer(client, second, "not_a_dress", held=held)
    statements = [query["sql"] for query in queries]
    work = [sql for sql in statements if not re.match(r"BEGIN|COMMIT|SAVEPOINT|RELEASE", sql)]
    writes = [sql for sql in work if re.match(r"INSERT|UPDATE|DELETE", sql)]
    commits = [sql for sql in statements if sql == "COMMIT"]
    assert response.status_code == 200
    assert len(cards(response)) == 1
    assert len(work) <= 10, "\n".join(work)
    assert len(commits) <= 2
    assert not [sql for sql in writes if "django_session" in sql]


# When there is no card


def test_the_first_day_says_what_will_happen(client: Client) -> None:
    html = client.get("/").content.decode()
    assert "The first photos are on their way." in html
    assert "today’s dresses settled" not in html


def test_between_batches_it_says_when_to_come_back(client: Client) -> None:
    now = timezone.now()
    make.make_batch(state=Batch.State.CLOSED, opened_at=now, frozen_at=now, closed_at=now)
    assert "The next dresses are being pressed." in client.get("/").content.decode()


def test_a_batch_that_needs_nobody_is_celebrated(client: Client, posts: list[Post]) -> None:
    Post.objects.update(settles_at=timezone.now(), votes_needed=0)
    html = client.get("/").content.decode()
    assert "That was the last one." in html
    assert "<b>100%</b>" in html


def test_who_has_seen_everything_is_told_to_look_again(client: Client, posts: list[Post]) -> None:
    response = client.get("/")
    for _ in posts:
        response = answer(client, cards(client.get("/"))[0], "skip")
    html = response.content.decode()
    assert "You have seen all that needs you." in html
    assert 'id="finale" hx-swap-oob="innerHTML"' in html


# The rest


def test_log_in_and_out(ann: Employee) -> None:
    client = Client()
    wrong = client.post(reverse("login"), {"username": "ann", "password": "x"})
    assert wrong.status_code == 200
    assert "form-error" in wrong.content.decode()
    right = client.post(reverse("login"), {"username": "ann", "password": "a-long-passphrase"})
    assert (right.status_code, right.url) == (302, "/")
    assert client.get(reverse("login")).url == "/"
    assert client.post(reverse("logout")).url == "/login/"
    assert client.get("/").status_code == 302


def test_only_a_demo_shows_a_log_in(settings: Any, tmp_path: Any) -> None:
    settings.VAR = tmp_path
    assert "This is a demo" not in Client().get(reverse("login")).content.decode()
    (tmp_path / "demo-accounts.txt").write_text("admin  root  no\nemployee  amara  lunchbreak\n")
    html = Client().get(reverse("login")).content.decode()
    assert "<b>amara</b> with <b>lunchbreak</b>" in html
    settings.PRODUCTION = True
    assert "This is a demo" not in Client().get(reverse("login")).content.decode()


def test_errors_are_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = client.get("/nowhere/")
    assert missing.status_code == 404
    assert "Nothing hangs here" in missing.content.decode()
    monkeypatch.setattr("verify.queue.hand_out", lambda *args, **kwargs: 1 / 0)
    client.raise_request_exception = False
    broken = client.get("/")
    assert broken.status_code == 500
    assert "A seam has come undone" in broken.content.decode()


def test_pages_need_no_inline_script_or_style(client: Client, posts: list[Post]) -> None:
    for response in (client.get("/"), client.get(reverse("leaderboard")), Client().get(reverse("login"))):
        html = response.content.decode()
        assert "unsafe" not in response["Content-Security-Policy"]
        assert "<style" not in html
        assert not re.search(r'<script(?![^>]* src=)|\sstyle="|\son\w+="', html)


def test_the_voting_page_is_light(client: Client, posts: list[Post]) -> None:
    html = client.get("/").content.decode()
    files = re.findall(r'(?:src|rel="stylesheet" href)="/static/([^"]+)"', html)
    assert {"portal.js", "portal.css", "tokens.css"} <= set(files)
    assert sum(len(gzip.compress((STATIC / file).read_bytes())) for file in files) < 60_000
