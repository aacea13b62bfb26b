"""Numbers of hashtags, and the thirty places in seven days that asking for them takes."""

from datetime import datetime

from verify.intake.instagram.client import Graph
from verify.models import Hashtag


def number_of(hashtag: Hashtag, graph: Graph, now: datetime) -> str:
    """Instagram's number of it, asked for once; a question about it counts either way.

    Raises WindowFull and GraphError, and then Instagram was not asked about it.
    """
    if not hashtag.counts(now):
        note_others(graph, now)
        hashtag.ask(now)
    if not hashtag.graph_id:
        hashtag.graph_id = graph.hashtag_id(hashtag.name)
        hashtag.save(update_fields=["graph_id"])
    return hashtag.graph_id


def note_others(graph: Graph, now: datetime) -> None:
    """Take in what other tools of the account have asked for: it takes places, too."""
    known = {row.graph_id: row for row in Hashtag.objects.exclude(graph_id="")}
    for number in graph.recently_searched():
        hashtag = known.get(number) or _named(number, graph)
        if not hashtag.counts(now):
            hashtag.asked_since = now  # at the latest: it was asked before, and leaves its place earlier
            hashtag.save(update_fields=["asked_since"])


def _named(number: str, graph: Graph) -> Hashtag:
    name = graph.hashtag_name(number).lower() or f"number_{number}"
    hashtag, _ = Hashtag.objects.get_or_create(name=name)
    hashtag.graph_id = number
    hashtag.save(update_fields=["graph_id"])
    return hashtag
