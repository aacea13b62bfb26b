"""The client and the fake, over HTTP: what is asked, what is tried again, what is given up."""

import logging
from typing import Any

import pytest

from dressportal.demo.fake_graph import TOKEN, USER, FakeGraph, Fault, Refused, World, hashtag_id
from verify.intake.instagram.client import ATTEMPTS, Graph
from verify.intake.instagram.errors import GraphError, Treatment
from verify.intake.instagram.pacing import SLOWEST, Usage


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def graph(instagram: FakeGraph, pauses: list[float]) -> Any:
    with Graph(instagram.url, TOKEN, USER, sleep=pauses.append, timeout=0.5) as opened:
        yield opened


def test_hashtags_have_numbers(graph: Graph) -> None:
    number = graph.hashtag_id("dress")
    assert number == hashtag_id("dress")
    assert graph.hashtag_name(number) == "dress"
    assert graph.recently_searched() == [number]
    with pytest.raises(GraphError, match="24") as refusal:
        graph.hashtag_id("unknownthing")
    assert refusal.value.treatment == Treatment.SKIP


def test_pages_follow_until_there_is_no_next(graph: Graph, world: World) -> None:
    world.grow(100)
    number, after, ids, nexts = graph.hashtag_id("dress"), "", [], []
    while True:
        page = graph.recent_media(number, after)
        ids += [medium["id"] for medium in page.media]
        nexts.append(page.next)
        if not page.next:
            break
        after = page.next
    assert len(ids) == len(set(ids)) == 112
    assert nexts[0] == nexts[1]  # the same cursor, and no end
    assert TOKEN not in "".join(nexts)


def test_every_documented_field_is_asked_for(graph: Graph) -> None:
    number = graph.hashtag_id("dress")
    fields = set().union(*(medium.keys() for medium in graph.top_media(number).media))
    documented = {"caption", "comments_count", "id", "like_count", "media_type", "media_url", "permalink"}
    assert fields == documented | {"timestamp"}
    assert "username" in graph.tagged().media[0]


def test_mentions_are_read_and_answered(graph: Graph, world: World) -> None:
    number = world.stored_as(4)[0]
    assert graph.mentioned_media(number)["username"] == "customer.4"
    assert graph.mentioned_comment(number)["media"]["id"] == number
    assert graph.reply_to_mention(number, "May we show it? #YesDress")
    assert world.replies[0]["message"] == "May we show it? #YesDress"
    with pytest.raises(GraphError, match="does not exist"):
        graph.mentioned_media("18000000000999990")


@pytest.mark.parametrize("kind", ["hang up", "status", "cut"])
def test_what_passes_is_tried_again_with_growing_pauses(
    graph: Graph, world: World, pauses: list[float], kind: str
) -> None:
    world.faults.append(Fault("/tags", kind, times=ATTEMPTS - 1))
    assert len(graph.tagged().media) == 12
    assert len(pauses) == ATTEMPTS - 1
    assert all(0 <= pause <= 2**number for number, pause in enumerate(pauses, 0))


def test_a_slow_answer_is_tried_again(graph: Graph, world: World, pauses: list[float]) -> None:
    world.faults.append(Fault("/tags", "slow", seconds=0.8))
    assert len(graph.tagged().media) == 12
    assert len(pauses) == 1


@pytest.mark.parametrize("code", [1, 2])
def test_errors_that_pass_are_given_up_after_a_few(graph: Graph, world: World, code: int) -> None:
    world.faults.append(Fault("/tags", "error", 99, Refused(code, "Please retry", status=500)))
    with pytest.raises(GraphError) as refusal:
        graph.tagged()
    assert (refusal.value.treatment, refusal.value.code) == (Treatment.RETRY, code)
    assert world.faults[0].times == 99 - ATTEMPTS


@pytest.mark.parametrize(
    "code", [3, 4, 10, 17, 18, 24, 32, 100, 102, 190, 200, 299, 341, 368, 506, 613, 80002]
)
def test_errors_that_do_not_pass_are_asked_for_once(graph: Graph, world: World, code: int) -> None:
    world.faults.append(Fault("/tags", "error", 99, Refused(code, "No.", status=400)))
    with pytest.raises(GraphError):
        graph.tagged()
    assert world.faults[0].times == 98


def test_a_reply_is_sent_once(graph: Graph, world: World) -> None:
    world.faults.append(Fault("/mentions", "cut"))
    with pytest.raises(GraphError):
        graph.reply_to_mention(world.stored_as(4)[0], "Hello")
    assert len(world.replies) == 1


def test_the_pace_follows_the_use(instagram: FakeGraph, world: World, pauses: list[float]) -> None:
    told: list[Usage] = []
    world.calls_allowed = 100
    with Graph(instagram.url, TOKEN, USER, sleep=pauses.append, told=told.append) as graph:
        for _ in range(100):
            graph.tagged()
        with pytest.raises(GraphError) as refusal:
            graph.tagged()
    assert refusal.value.treatment == Treatment.WAIT
    assert [use.percent for use in told[:100]] == list(range(1, 101))
    assert len(pauses) == 50  # from the second half on
    assert pauses == sorted(pauses)
    assert pauses[-1] == SLOWEST


def test_minutes_to_wait_are_handed_on(graph: Graph, world: World) -> None:
    told = {
        "X-Business-Use-Case-Usage": '{"1": [{"call_count": 100, "estimated_time_to_regain_access": 31}]}'
    }
    fault = Fault("/tags", "error", 1, Refused(80002, "There have been too many calls"), headers=told)
    world.faults.append(fault)
    with pytest.raises(GraphError) as refusal:
        graph.tagged()
    assert refusal.value.minutes == 31


def test_the_token_is_in_no_address_no_log_and_no_error(
    instagram: FakeGraph, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Graph(instagram.url, "EAAwrongtoken0001", USER, "secret-of-the-app") as graph:
        with pytest.raises(GraphError) as refusal:
            graph.tagged()
        with pytest.raises(GraphError) as exchange:
            graph.exchange("app")
        told = f"{refusal.value!r} {exchange.value!r} {graph!r}"
    assert refusal.value.treatment == exchange.value.treatment == Treatment.STOP
    for secret in ("EAAwrongtoken0001", "secret-of-the-app"):
        assert secret not in caplog.text + told
    assert refusal.value.__cause__ is None


def test_a_server_that_is_not_there(world: World) -> None:
    graph = Graph("http://127.0.0.1:9", TOKEN, USER, sleep=lambda seconds: None)
    with graph, pytest.raises(GraphError, match="connection failed"):
        graph.tagged()
