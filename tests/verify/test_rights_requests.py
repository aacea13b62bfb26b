"""Asking owners, their answers, and the history that nobody can rewrite."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.utils import timezone

from dressportal.demo.fake_graph import TOKEN, USER, FakeGraph, Fault, Refused, World
from tests.make import NOON, make_admin, make_dress, make_employee, make_look, make_post, make_template
from verify.intake.replies import GraphReplies
from verify.models import (
    Employee,
    InstagramAccount,
    Look,
    Mention,
    Post,
    RightsAnswer,
    RightsChange,
    RightsRequest,
)
from verify.rights_requests import (
    Comment,
    NotAsked,
    confirm,
    mark_asked,
    send_request,
    take_captions,
    take_comments,
)

pytestmark = pytest.mark.django_db
WORK = "/admin/verify/post/rights/"


@pytest.fixture
def ada(client: Client) -> Employee:
    ada = make_admin("ada")
    client.force_login(ada)
    return ada


@pytest.fixture
def look() -> Look:
    """A cleared look of Ruby's, whom nobody has asked."""
    return make_look(make_dress(), rights="unknown", username="ruby", source="instagram")


def comment(post: Post, text: str = "sure #yesmaison", by: str = "Ruby", **fields: Any) -> Comment:
    values = {"external_id": "c1", "media_id": post.external_id, "permalink": "", "username": by}
    return Comment(**{**values, "text": text, "at": NOON, **fields})


@pytest.fixture
def instagram(settings: Any, look: Look) -> Iterator[FakeGraph]:
    """A portal with an account, which Instagram has told that Ruby's photo mentions us."""
    Mention.objects.create(media_id=look.post.external_id, received_at=NOON)
    with FakeGraph(World(posts=12)) as server:
        settings.INSTAGRAM_URL, settings.INSTAGRAM_USER, settings.INSTAGRAM_TOKEN = server.url, USER, TOKEN
        yield server


def test_a_mention_is_asked_by_the_api(instagram: FakeGraph, look: Look) -> None:
    template = make_template()
    send_request(look.post, template, GraphReplies())
    [asked] = instagram.world.replies
    assert asked["media_id"] == look.post.external_id
    assert "Hi @ruby, " in asked["message"]
    assert "#YesMaison" in asked["message"]
    assert "comment_id" not in asked
    assert RightsRequest.objects.get().comment_id
    look.post.refresh_from_db()
    assert look.post.rights == "requested"
    with pytest.raises(NotAsked, match="already"):
        send_request(look.post, template, GraphReplies())
    assert len(instagram.world.replies) == 1


def test_a_comment_that_mentions_us_is_what_is_replied_to(instagram: FakeGraph, look: Look) -> None:
    Mention.objects.update(comment_id="17900000000000007")
    send_request(look.post, make_template(), GraphReplies())
    assert [asked["comment_id"] for asked in instagram.world.replies] == ["17900000000000007"]


@pytest.mark.parametrize("code", [190, 4, 1])
def test_a_reply_that_is_refused_asks_nobody(instagram: FakeGraph, look: Look, code: int) -> None:
    instagram.world.faults.append(Fault("/mentions", "error", 1, Refused(code, f"No, {TOKEN}")))
    with pytest.raises(NotAsked) as refused:
        send_request(look.post, make_template(), GraphReplies())
    assert TOKEN not in str(refused.value)
    assert Post.objects.get().rights == "unknown"
    assert not RightsRequest.objects.exists()
    assert bool(InstagramAccount.load().stopped_at) == (code == 190)


def test_what_the_api_cannot_reply_to_is_asked_by_hand(instagram: FakeGraph) -> None:
    look = make_look(make_dress(), rights="unknown", source="instagram")
    with pytest.raises(NotAsked, match="by hand"):
        send_request(look.post, make_template(), GraphReplies())
    assert instagram.world.replies == []


def test_from_asked_to_public(client: Client, ada: Employee, look: Look) -> None:
    template = make_template()
    assert look not in Look.objects.public()
    assert "Hi @ruby, we love your photo!" in client.get(WORK).content.decode()
    asked = {"tab": "ask", "decision": "asked", "row": look.pk, "template": template.pk}
    client.post(WORK, asked)
    assert "Hi @ruby" in client.get(f"{WORK}?tab=asked").content.decode()
    assert take_comments([comment(look.post)]) == 1
    assert look not in Look.objects.public()
    page = client.get(f"{WORK}?tab=answered").content.decode()
    assert "sure #yesmaison" in page
    answer = RightsAnswer.objects.get()
    client.post(WORK, {"tab": "answered", "decision": "granted", "row": answer.pk})
    assert look in Look.objects.public()
    history = [(line.former, line.rights, line.by) for line in RightsChange.objects.order_by("pk")]
    assert history == [("unknown", "requested", ada), ("requested", "granted", ada)]
    told = client.get(f"/admin/verify/post/{look.post_id}/change/").content.decode()
    assert "Answered with #YesMaison" in told


def test_an_admin_lets_the_api_ask(
    client: Client, ada: Employee, look: Look, instagram: FakeGraph, settings: Any
) -> None:
    template, settings.INSTAGRAM_TOKEN = make_template(), ""
    assert "Send as a reply" not in client.get(WORK).content.decode()
    send = {"decision": "send", "row": look.pk, "template": template.pk}
    assert "no token to reply with" in client.post(WORK, send, follow=True).content.decode()
    settings.INSTAGRAM_TOKEN = TOKEN
    assert "Send as a reply" in client.get(WORK).content.decode()
    assert "asked by the API" in client.post(WORK, send, follow=True).content.decode()
    assert len(instagram.world.replies) == 1
    assert RightsChange.objects.get().reason == f"Asked by the API: {template}."


def test_a_revocation_hides_at_once(ada: Employee) -> None:
    look = make_look(make_dress())
    assert look in Look.objects.public()
    RightsChange.objects.make([look.post], "revoked", "Wrote to us.", ada)
    assert look not in Look.objects.public()


def test_somebody_elses_comment_is_no_answer(look: Look) -> None:
    make_template()
    assert take_comments([comment(look.post, by="pearl")]) == 0


def test_a_comment_counts_once_and_by_the_address_too(look: Look) -> None:
    make_template()
    again = comment(look.post, media_id="", permalink=look.post.permalink.rstrip("/"))
    assert [take_comments([each]) for each in (comment(look.post), again, comment(look.post))] == [1, 0, 0]


def test_where_the_owner_is_unknown_anybodys_hashtag_is_shown_to_an_admin() -> None:
    make_template()
    post = make_post(username="")
    assert take_comments([comment(post, by="pearl")]) == 1
    assert RightsAnswer.objects.get().username == "pearl"


def test_a_caption_with_the_hashtag_is_an_answer() -> None:
    make_template()
    said, silent = make_post(caption="At last! #YesMaison"), make_post(caption="#YesMaisonLunch")
    assert [take_captions([said, silent]) for _ in range(2)] == [1, 1]
    assert RightsAnswer.objects.get().post == said


def test_an_answer_after_a_no_is_not_confirmed(ada: Employee, look: Look) -> None:
    make_template()
    take_comments([comment(look.post)])
    RightsChange.objects.make([look.post], "refused", "Said no.", ada)
    assert confirm(RightsAnswer.objects.get(), True, ada) is False
    assert Post.objects.get().rights == "refused"
    with pytest.raises(NotAsked, match="refused"):
        mark_asked(look.post, make_template(), ada)


def test_no_answer_leaves_the_post_to_be_asked(client: Client, ada: Employee, look: Look) -> None:
    make_template()
    take_comments([comment(look.post)])
    answer = RightsAnswer.objects.get()
    client.post(WORK, {"tab": "answered", "decision": "no_answer", "row": answer.pk})
    assert Post.objects.get().rights == "unknown"
    assert "Nothing to confirm" in client.get(f"{WORK}?tab=answered").content.decode()


@pytest.mark.parametrize("sent", [{}, {"row": "x"}, {"row": "1", "decision": "sold"}, {"tab": "nowhere"}])
def test_nonsense_is_refused_in_a_sentence(client: Client, ada: Employee, sent: dict[str, str]) -> None:
    assert client.post(WORK, sent).status_code == 400


def test_without_a_template_nobody_is_asked(client: Client, ada: Employee, look: Look) -> None:
    assert "Write one" in client.get(WORK).content.decode()
    page = client.post(WORK, {"decision": "asked", "row": look.pk}, follow=True).content.decode()
    assert "Choose a template first." in page


def test_the_list_says_how_far_a_source_reaches(client: Client, ada: Employee) -> None:
    make_look(make_dress(), rights="unknown", source="instagram", username="")
    page = client.get(WORK).content.decode()
    assert "Hashtags reach back a day" in page
    assert "Ask by hand" in page
    assert "No user name known" in page


def test_history_cannot_be_rewritten(ada: Employee) -> None:
    cleo = make_employee("cleo", is_staff=True)
    post = make_post()
    RightsChange.objects.make([post], "granted", "Said yes.", cleo)
    with pytest.raises(ProgrammingError, match="only ever added to"), transaction.atomic():
        RightsChange.objects.update(reason="Said so twice.")
    with pytest.raises(ProgrammingError), transaction.atomic():
        RightsChange.objects.update(by=ada)
    cleo.delete()
    assert RightsChange.objects.get().by is None


def test_what_changes_nothing_adds_no_line(ada: Employee) -> None:
    post = make_post(rights="granted")
    assert RightsChange.objects.make([post], "granted", "Again.", ada) == []
    assert not RightsChange.objects.exists()


@pytest.mark.parametrize(
    ("policy", "shown"), [("granted", {"granted"}), ("unless_refused", {"unknown", "requested", "granted"})]
)
def test_the_policy_says_which_states_are_public(settings: Any, policy: str, shown: set[str]) -> None:
    settings.RIGHTS_POLICY = policy
    dress = make_dress()
    for rights in Post.Rights.values:
        make_look(dress, rights=rights)
    assert set(Look.objects.public().values_list("post__rights", flat=True)) == shown


def test_what_is_hidden_is_public_nowhere(client: Client) -> None:
    look = make_look(make_dress())
    photo = look.post.photo.large_url
    answer = client.get(photo)
    assert (answer.status_code, len(b"".join(answer)) > 0) == (200, True)
    Post.objects.filter(pk=look.post_id).hide(Post.Hidden.GONE, timezone.now(), timezone.now() + timedelta(1))
    assert client.get(photo).status_code == 404
    assert client.get(f"/api/v1/dresses/{look.dress.sku}/looks/").json()["count"] == 0
    assert client.get(f"/api/v1/looks/{look.pk}/shop/").status_code == 404
    Post.objects.show_again()
    assert look in Look.objects.public()


def test_what_was_public_before_there_was_a_history_stays_so_and_says_why() -> None:
    granted, unknown = make_look(make_dress()), make_post()
    migration = import_module("verify.migrations.0015_rights_have_a_history")
    with connection.cursor() as cursor:
        cursor.execute(migration.FIRST_LINES)
    [line] = RightsChange.objects.all()
    assert (line.post, line.rights, line.by) == (granted.post, "granted", None)
    assert line.reason == "published before rights were tracked"
    assert not unknown.rights_changes.exists()
    assert granted in Look.objects.public()
