"""Reads the sources that are due, page by page: each page's posts and the place of the next, in one stroke.

A stop at any point leaves no gap and no duplicate. Where reading goes on is stored in the transaction that
stores the page's posts, posts are unique by their id, and photos by their bytes.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from verify.intake.downloads import Downloads, guarded
from verify.intake.instagram import hashtags, token
from verify.intake.instagram.client import Graph, Page
from verify.intake.instagram.errors import GraphError, Treatment
from verify.intake.instagram.export import export_batches
from verify.intake.posts import Draft, Origin, drafts_of, import_batches, take_in_rows
from verify.intake.rows import FileUnusable, Outcome, Refusal, path_inside
from verify.models import InstagramAccount, Mention, Post, RefusedMedia, Source
from verify.models.instagram import WindowFull
from verify.models.post import INSTAGRAM
from verify.models.source import ATTEMPTS, ClaimLost
from verify.rights_requests import Comment, take_comments

BATCH_ROWS = 200  # of a file

Ask = Callable[[str], Page]


def work_waits(now: datetime) -> bool:
    return readable(now).exists()


def readable(now: datetime) -> Any:
    """Sources that are due, without Instagram's while it is not to be asked."""
    due = Source.objects.due(now)
    if not Source.objects.exclude(kind__in=Source.OF_A_FILE).exists():
        return due
    account = InstagramAccount.load()
    silent = account.stopped_at is not None or account.waits(now) or not token.is_set_up()
    return due.filter(kind__in=Source.OF_A_FILE) if silent else due


def read_next(progress: Callable[[int], object] = bool) -> int:
    """Read a part of the source that has waited longest; returns how many sources that were, 0 or 1.

    Another worker reads another source meanwhile, and never the same one.
    """
    source = readable(timezone.now()).claim_next(timezone.now())
    if source is None:
        return 0
    turn = Turn(source, progress)
    try:
        done = turn.read()
    except ClaimLost as lost:
        getLogger(__name__).warning("%s", lost)
    except GraphError as error:
        _no(source, error)
    except WindowFull as full:
        source.fail(str(full), timezone.now(), full.free_at)
    except (token.NoToken, FileUnusable) as trouble:
        source.fail(str(trouble), timezone.now())
    except Exception as error:  # whatever it is, the next minute does not try it again
        source.fail(f"It could not be read ({type(error).__name__}).", timezone.now())
        raise
    except BaseException:  # we are told to stop
        source.let_go(timezone.now())
        raise
    else:
        source.finish(timezone.now(), turn.place) if done else source.let_go(timezone.now())
    return 1


def _no(source: Source, error: GraphError) -> None:
    """A refusal of the API: for the account, or for this source."""
    now = timezone.now()
    token.refuse(error, now)
    of_the_account = error.treatment in (Treatment.WAIT, Treatment.WAIT_LONG, Treatment.STOP)
    source.fail(str(error), now, now if of_the_account else None)


class Turn:
    """The reading of one source for a while."""

    def __init__(self, source: Source, progress: Callable[[int], object]) -> None:
        self.source, self.progress = source, progress
        self.ends_at = time.monotonic() + settings.INTAKE_TURN.total_seconds()
        self.signed_at = time.monotonic()
        self.place = ""  # to be remembered of what was read to its end

    def read(self) -> bool:
        """Whether it was read to its end. Raises GraphError, FileUnusable, NoToken, WindowFull, ClaimLost."""
        if self.source.kind in Source.OF_A_FILE:
            return self.read_file()
        with token.graph(timezone.now()) as graph:
            if self.source.kind == Source.Kind.MENTIONS:
                return self.read_mentions(graph)
            return self.read_pages(graph, self.asking(graph))

    def asking(self, graph: Graph) -> Ask:
        kind = Source.Kind(self.source.kind)
        if kind == Source.Kind.TAGGED:
            return graph.tagged
        number = hashtags.number_of(self.source.hashtag, graph, timezone.now())
        edge = graph.recent_media if kind == Source.Kind.HASHTAG_RECENT else graph.top_media
        return partial(edge, number)

    # Pages

    def read_pages(self, graph: Graph, ask: Ask) -> bool:
        source, first = self.source, ""
        # Of a day's posts there are few pages, and their cursor may be the same for all of them.
        after = "" if source.kind == Source.Kind.HASHTAG_RECENT else source.cursor
        if not after and source.pages:
            source.begin_again()
        while True:
            page = self.ask_for(ask, after)
            InstagramAccount.load().answered()
            begins = str(page.media[0].get("id")) if page.media else ""
            rows = named_rows(page.media)
            ends = (
                not page.next or not begins or begins == first or source.pages + 1 >= settings.INSTAGRAM_PAGES
            )
            ends = ends or self.all_known(rows)
            repeats = page.next == after  # then it says nothing of the place
            self.store(rows, "" if ends or repeats else page.next)
            if ends:
                return True
            first, after = first or begins, page.next
            if graph.use.full:
                raise GraphError(
                    Treatment.WAIT, f"{graph.use.percent:.0f}% of a limit", None, graph.use.minutes
                )
            if self.is_over():
                return False

    def ask_for(self, ask: Ask, after: str) -> Page:
        """A stored place that is not known any more is one to begin again from."""
        try:
            return ask(after)
        except GraphError as error:
            if not after or error.treatment != Treatment.SKIP:
                raise
            self.source.begin_again()
            return ask("")

    def all_known(self, rows: "Rows") -> bool:
        """What follows is known, too: newest come first, and all up to here was read before."""
        source = self.source
        if source.thorough or source.kind != Source.Kind.TAGGED:
            return False
        return set(rows.ids.values()) <= known_ids(rows.drafts) | self.given_up(rows)

    def store(self, rows: "Rows", cursor: str, along: Callable[[bool], object] = bool) -> None:
        """Take a page in: its posts, its refusals and the place of the next page, or none of it.

        ``along`` is called in the transaction, with whether something is to be tried again.
        """
        given_up = self.given_up(rows)
        drafts = [row for row in rows.drafts if row.external_id not in given_up]
        known = known_ids(drafts, with_photo=True)
        addresses = [row.url for row in drafts if row.url and row.external_id not in known]

        def stored(outcomes: list[Outcome]) -> None:
            left = note(self.source, outcomes, rows.ids)
            new = sum(outcome.kind == "new" for outcome in outcomes)
            seen = len(rows.drafts) + len(rows.refusals)
            self.source.advance(timezone.now(), seen, new, cursor, left)
            along(left)

        with Downloads(guarded(), addresses, self.sign) as downloads:
            take_in_rows([*drafts, *rows.refusals], Origin(INSTAGRAM, Path(), None, downloads, True), stored)

    def given_up(self, rows: "Rows") -> set[str]:
        """Tried so often that they are not worth a download."""
        refused = RefusedMedia.objects.filter(source=self.source, attempts__gte=ATTEMPTS)
        return set(refused.filter(external_id__in=rows.ids.values()).values_list("external_id", flat=True))

    # Mentions

    def read_mentions(self, graph: Graph) -> bool:
        for mention in Mention.objects.waiting():
            self.read_mention(mention, graph)
            if self.is_over():
                return False
        return True

    def read_mention(self, mention: Mention, graph: Graph) -> None:
        done = Mention.objects.filter(pk=mention.pk)
        comment: dict[str, Any] = {}
        try:
            if mention.comment_id:
                comment = graph.mentioned_comment(mention.comment_id)
                medium = comment["media"]
            else:
                medium = graph.mentioned_media(mention.media_id)
        except GraphError as error:
            if error.treatment != Treatment.SKIP:
                raise
            done.update(done_at=timezone.now(), trouble=str(error)[:300])
            return
        medium = {**medium, "id": medium.get("id") or mention.media_id}

        def taken_in(left: bool) -> None:
            if not left:
                done.update(done_at=timezone.now())
                take_comments(said_in(mention, comment, medium))

        self.store(named_rows([medium]), "", taken_in)

    # Files

    def read_file(self) -> bool:
        """From the line or the picture that it stands at, as long as the file is the same; else nothing."""
        path = file_of(self.source)
        state = path.stat()
        print_of_it = f"{state.st_size}-{state.st_mtime_ns}"
        of_which, _, place = self.source.cursor.partition(":")
        self.place = f"{print_of_it}:end"
        if self.source.cursor == self.place:
            return True
        after = int(place) if of_which == print_of_it and place.isdigit() else 0

        def stored(outcomes: list[Outcome]) -> None:
            left = note(self.source, outcomes, {})
            new = sum(outcome.kind == "new" for outcome in outcomes)
            last = max(outcome.line for outcome in outcomes)
            self.source.advance(timezone.now(), len(outcomes), new, f"{print_of_it}:{last}", left)

        return all(not self.is_over() for _ in self.batches(path)(BATCH_ROWS, after, stored))

    def batches(self, path: Path) -> Callable[..., Iterable[list[Outcome]]]:
        rights = self.source.rights or None
        if self.source.kind == Source.Kind.EXPORT:
            return partial(export_batches, path, rights)
        fetching: Callable[[str], bytes] = guarded()

        def fetch(address: str) -> bytes:
            self.sign()
            return fetching(address)

        return partial(import_batches, path, Origin(INSTAGRAM, path.parent, rights, fetch))

    # Time

    def is_over(self) -> bool:
        self.sign()
        return time.monotonic() > self.ends_at

    def sign(self) -> None:
        """Tell that we live, to who would take the source over and to who would restart the worker."""
        if time.monotonic() - self.signed_at > settings.INTAKE_CLAIM.total_seconds() / 6:
            self.source.keep_claim(timezone.now())
            self.progress(0)
            self.signed_at = time.monotonic()


def said_in(mention: Mention, comment: dict[str, Any], medium: dict[str, Any]) -> list[Comment]:
    """The comment that mentions us, which may be an owner's answer. The API does not say who wrote it."""
    link, text = str(medium.get("permalink") or ""), str(comment.get("text") or "")
    said = Comment(mention.comment_id, medium["id"], link, "", text, mention.received_at)
    return [said] if mention.comment_id and text else []


@dataclass(frozen=True)
class Rows:
    """A page's media as posts to be, numbered through, each id once."""

    drafts: list[Draft]
    refusals: list[Refusal]
    ids: dict[int, str]  # by number, of both


def named_rows(media: list[dict[str, Any]]) -> Rows:
    drafts: dict[str, Draft] = {}
    refusals: list[Refusal] = []
    ids: dict[int, str] = {}
    number = 0
    for medium in media:
        for row in drafts_of(medium, 0, keeps_videos=True):
            name = row.external_id if isinstance(row, Draft) else str(medium.get("id", ""))[:120]
            if name in drafts:
                continue
            ids[number := number + 1] = name
            if isinstance(row, Draft):
                drafts[name] = replace(row, line=number)
            else:
                refusals.append(replace(row, line=number))
    return Rows(list(drafts.values()), refusals, ids)


def known_ids(drafts: list[Draft], with_photo: bool = False) -> set[str]:
    posts = Post.objects.filter(source=INSTAGRAM, external_id__in=[draft.external_id for draft in drafts])
    posts = posts.filter(photo__isnull=False) if with_photo else posts
    return set(posts.values_list("external_id", flat=True))


def note(source: Source, outcomes: list[Outcome], ids: dict[int, str]) -> bool:
    """Keep the refusals, and forget those that have come in since; whether any is to be tried again."""
    now = timezone.now()
    refused = {ids.get(o.line, f"line {o.line}"): o for o in outcomes if isinstance(o, Refusal)}
    came = [ids.get(o.line, f"line {o.line}") for o in outcomes if not isinstance(o, Refusal)]
    source.refused.filter(external_id__in=came).delete()
    rows = [
        RefusedMedia(source=source, external_id=name, reason=outcome.reason[:300], last_at=now, attempts=0)
        for name, outcome in refused.items()
    ]
    RefusedMedia.objects.bulk_create(rows, ignore_conflicts=True)
    told = source.refused.filter(external_id__in=refused)
    told.update(attempts=F("attempts") + 1, last_at=now)
    for_good = [name for name, outcome in refused.items() if not outcome.again]
    source.refused.filter(external_id__in=for_good, attempts__lt=ATTEMPTS).update(attempts=ATTEMPTS)
    return told.filter(attempts__lt=ATTEMPTS).exists()


def file_of(source: Source) -> Path:
    """Raises FileUnusable."""
    try:
        return path_inside(settings.INTAKE_FOLDER, source.file)
    except ValueError as error:
        raise FileUnusable(f"{source.file}: {error}, in {settings.INTAKE_FOLDER}.") from error
