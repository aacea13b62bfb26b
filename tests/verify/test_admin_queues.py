"""The queues that admins work by keys. Without JavaScript they are plain forms."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.make import make_admin, make_dress, make_employee
from tests.verify.curation import a_proposed_post, a_vote, clear, flag, looks_to_clear
from verify.models import Dress, Employee, Post

pytestmark = pytest.mark.django_db
DECIDE, CLEAR = reverse("admin:verify_decide"), reverse("admin:verify_clear")


@pytest.fixture
def dresses() -> list[Dress]:
    return [make_dress(title=title) for title in ("Zinnia", "Bellis", "Calla")]


@pytest.fixture
def disputed(dresses: list[Dress]) -> list[Post]:
    """Three posts for an admin to decide, in the order of the queue."""
    posts = [a_proposed_post(dresses) for _ in range(3)]
    for post in posts:
        post.dispute("Skipped by 3 people.")
    return posts


def an_audited_post(dresses: list[Dress]) -> Post:
    """Of the audit sample: five votes, settled by them."""
    post = a_proposed_post(dresses)
    for _ in range(5):
        a_vote(post, "dress", post.suggestion.options.get(dress=dresses[1]))
    post.audit = True
    post.save(update_fields=["audit"])
    post.recount(timezone.now())
    post.settle(timezone.now())
    return post


def shown(answer: Any) -> Post | None:
    case = answer.context["case"]
    return case and case.post


def decide(client: Client, post: Post, choice: str, **more: str) -> Any:
    return client.post(DECIDE, {"post": post.pk, "choice": choice, **more}, follow=True)


# Posts to decide


def test_a_decision_settles_the_post_and_shows_the_next_one(
    client: Client, ada: Employee, dresses: list[Dress], disputed: list[Post]
) -> None:
    assert shown(client.get(DECIDE)) == disputed[0]
    answer = decide(client, disputed[0], f"dress:{dresses[2].pk}")
    assert shown(answer) == disputed[1]
    post = Post.objects.get(pk=disputed[0].pk)
    assert (post.state, post.dress, post.settled_by) == ("settled", dresses[2], ada)
    assert post.look.dress == dresses[2]
    assert LogEntry.objects.get().change_message == f"Verdict: {dresses[2]}."
    assert shown(decide(client, disputed[1], "not_a_dress")) == disputed[2]
    assert shown(decide(client, disputed[2], "none_of_these")) is None
    answers = Post.objects.order_by("pk").values_list("answer", flat=True)
    assert list(answers) == ["dress", "not_a_dress", "none_of_these"]


def test_keys_stand_for_the_same_answers_as_in_the_game(
    client: Client, ada: Employee, dresses: list[Dress], disputed: list[Post]
) -> None:
    case = client.get(DECIDE).context["case"]
    assert [choice.key for choice in [*case.dresses, *case.others]] == ["1", "2", "3", "n", "0"]
    html = client.get(DECIDE).content.decode()
    for key in ("1", "2", "3", "n", "0", "l"):
        assert f'data-key="{key}"' in html
    assert 'data-focus="/"' in html


def test_an_admin_sees_who_voted_for_what(
    client: Client, ada: Employee, dresses: list[Dress], disputed: list[Post]
) -> None:
    a_vote(disputed[0], "dress", disputed[0].suggestion.options.first(), make_employee("vera"))
    html = client.get(DECIDE).content.decode()
    assert "Vera" in html
    assert "after the votes" in html
    assert "Skipped by 3 people." in html


def test_later_goes_on_and_round(client: Client, ada: Employee, disputed: list[Post]) -> None:
    answer, seen = client.get(DECIDE), []
    for _ in range(4):
        seen.append(shown(answer))
        answer = client.get(answer.context["later"])
    assert seen == [*disputed, disputed[0]]
    assert not LogEntry.objects.exists()


def test_the_dress_can_be_set_by_search(client: Client, ada: Employee, disputed: list[Post]) -> None:
    other = make_dress("XY-77", title="Aurora", designer="Maison Nord")
    for words in ("aurora", "xy-77", "nord aur"):
        answer = client.get(DECIDE, {"post": disputed[0].pk, "q": words})
        assert [choice.label for choice in answer.context["found"]] == ["Aurora"]
        assert shown(answer) == disputed[0]
    assert "No dress matches" in client.get(DECIDE, {"q": "%"}).content.decode()
    decide(client, disputed[0], f"dress:{other.pk}")
    assert Post.objects.get(pk=disputed[0].pk).dress == other


def test_the_last_decision_can_be_changed(
    client: Client, ada: Employee, dresses: list[Dress], disputed: list[Post]
) -> None:
    answer = decide(client, disputed[0], "not_a_dress")
    assert answer.context["last"] == disputed[0].pk
    again = client.get(DECIDE, {"post": disputed[0].pk})
    assert again.context["case"].again
    decide(client, disputed[0], f"dress:{dresses[0].pk}", again="yes")
    assert Post.objects.get(pk=disputed[0].pk).dress == dresses[0]


def test_what_a_colleague_has_decided_meanwhile_stays(
    client: Client, ada: Employee, dresses: list[Dress], disputed: list[Post]
) -> None:
    disputed[0].override("not_a_dress", None, make_admin("bo"))
    answer = decide(client, disputed[0], f"dress:{dresses[0].pk}")
    assert "Somebody else has decided that one." in answer.content.decode()
    assert shown(answer) == disputed[1]
    assert Post.objects.get(pk=disputed[0].pk).answer == "not_a_dress"


@pytest.mark.parametrize(
    "choice", ["", "dress", "dress:", "dress:x", "dress:999999", "dress:-1", f"dress:{10**30}"]
)
def test_an_answer_that_is_none_is_refused(
    client: Client, ada: Employee, disputed: list[Post], choice: str
) -> None:
    assert client.post(DECIDE, {"post": disputed[0].pk, "choice": choice}).status_code == 400
    assert client.post(DECIDE, {"post": "x", "choice": "not_a_dress"}).status_code == 400
    assert Post.objects.get(pk=disputed[0].pk).state == "disputed"


@pytest.mark.parametrize(
    "query", ["tab=none", "after=x", "after=²", f"after={'9' * 40}", "post=999999999", "last=-1"]
)
def test_a_strange_address_is_no_error(
    client: Client, ada: Employee, disputed: list[Post], query: str
) -> None:
    assert client.get(f"{DECIDE}?{query}").status_code in (200, 400)
    assert client.get(f"{CLEAR}?{query}").status_code == 200


def test_a_post_without_options_can_be_decided(client: Client, ada: Employee) -> None:
    post = a_proposed_post([])
    Post.objects.filter(pk=post.pk).update(suggestion=None)
    Post.objects.get(pk=post.pk).dispute("Nobody knows.")
    assert shown(client.get(DECIDE)) == post
    decide(client, post, "not_a_dress")
    assert Post.objects.get(pk=post.pk).answer == "not_a_dress"


def test_nothing_to_decide(client: Client, ada: Employee) -> None:
    assert "Nothing to decide." in client.get(DECIDE).content.decode()
    assert "Nothing to label" in client.get(DECIDE, {"tab": "audit"}).content.decode()


# The audit sample


def test_the_audit_sample_is_judged_blind(client: Client, ada: Employee, dresses: list[Dress]) -> None:
    post = an_audited_post(dresses)
    answer = client.get(DECIDE, {"tab": "audit"})
    assert shown(answer) == post
    case = answer.context["case"]
    assert case.evidence is None
    assert [choice.label for choice in case.dresses] == [
        "Bellis",
        "Calla",
        "Zinnia",
    ]  # not as the model ranks
    html = answer.content.decode()
    for told in ("after the votes", "model 5", "Employee", "decided:"):
        assert told not in html[html.index('id="queue"') :]


def test_a_label_takes_the_post_off_the_sample_to_label(
    client: Client, ada: Employee, dresses: list[Dress]
) -> None:
    post = an_audited_post(dresses)
    posterior = Post.objects.get(pk=post.pk).posterior
    answer = decide(client, post, f"dress:{dresses[1].pk}", tab="audit")
    assert shown(answer) is None
    post = Post.objects.get(pk=post.pk)
    assert (post.settled_by, post.dress, post.posterior) == (ada, dresses[1], posterior)


def a_disputed_audited_post(dresses: list[Dress]) -> Post:
    post = a_proposed_post(dresses)
    post.audit = True
    post.save(update_fields=["audit"])
    post.dispute("Skipped by 3 people.")
    return post


def test_a_dispute_of_the_audit_sample_is_judged_blind_alone(
    client: Client, ada: Employee, dresses: list[Dress]
) -> None:
    post = a_disputed_audited_post(dresses)
    assert shown(client.get(DECIDE)) is None
    assert client.get(DECIDE, {"post": post.pk}).context["case"].evidence is None
    for more in ({}, {"again": "yes"}):
        decide(client, post, "not_a_dress", **more)
        assert Post.objects.get(pk=post.pk).state == "disputed"
    decide(client, post, "not_a_dress", tab="audit")
    assert Post.objects.get(pk=post.pk).settled_by == ada
    assert client.get(DECIDE, {"post": post.pk}).context["case"].evidence


def test_the_form_of_a_post_to_label_says_so_and_folds_the_evidence_away(
    client: Client, ada: Employee, dresses: list[Dress]
) -> None:
    post = a_disputed_audited_post(dresses)
    form = reverse("admin:verify_post_change", args=[post.pk])
    html = client.get(form).content.decode()
    assert "judge it without the votes" in html
    assert "<summary>Evidence</summary>" in html
    decide(client, post, "not_a_dress", tab="audit")
    html = client.get(form).content.decode()
    assert "judge it without the votes" not in html
    assert "<h2>Evidence</h2>" in html


# Both queues


def test_a_link_puts_no_words_into_the_portals_mouth(client: Client, ada: Employee) -> None:
    for url in (DECIDE, f"{DECIDE}?tab=audit", CLEAR, f"{CLEAR}?view=grid"):
        html = client.get(url, {"said": "Settled as a lie."}, follow=True).content.decode()
        assert "Settled as a lie." not in html


def test_what_was_done_is_said_once_where_a_screen_reader_hears_it(
    client: Client, ada: Employee, disputed: list[Post]
) -> None:
    [look] = looks_to_clear(1)
    said = re.compile(r'<(?:p|span)[^>]* role="status">(.*?)</', re.S)
    for url, words, answer in (
        (DECIDE, "Settled as not a dress.", decide(client, disputed[0], "not_a_dress")),
        (CLEAR, "1 look cleared.", clear(client, "cleared", look)),
    ):
        html = answer.content.decode()
        assert said.search(html)[1].split("<")[0].strip() == words
        assert html.count(words) == 1
        assert words not in client.get(url).content.decode()


def test_longer_queues_ask_no_more_of_the_database(
    client: Client, ada: Employee, dresses: list[Dress], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    def more() -> None:
        post = a_proposed_post(dresses)
        post.dispute("Nobody knows.")
        for look in looks_to_clear(2):
            flag(look)
        looks_to_clear(1)

    more()
    for url in (DECIDE, CLEAR, f"{CLEAR}?view=grid"):
        client.get(url)
        with django_assert_max_num_queries(25) as first:
            client.get(url)
        for _ in range(3):
            more()
        with django_assert_max_num_queries(len(first)):
            client.get(url)
