"""A training set as files: the catalogue and what people have settled, for `ml.train_embedder` to read.

Photos and ids alone go out: no names, captions or addresses. A photo is named by the SHA-256 of its bytes, so
that it is there once however often it was posted. One whose owner said no, or that is flagged as unfit, stays
at home whatever other post shows it; one whose owner has not answered, unless that is asked for.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac

from verify import export
from verify.fame import UNFIT, WITHDRAWN
from verify.models import Answer, DressPhoto, GoldenPhoto, Look, Photo, Post
from verify.models.post import RULE
from verify.only_one import only_one
from verify.photo_shelf import PhotoShelf, path_of
from verify.splits import Node, Shot, drawn, splits

MANIFEST = "manifest.jsonl"
REVIEWS = ("review", "reviews")  # sources whose posts are reviews in the shop
# A held-out dress costs the training every look of it, so that fewer dresses are held out than people.
DRESSES_TO_PEOPLE = 0.5
# Of the looks that an admin cleared: all of them would leave the training nothing that was ever on show.
CLEARED_TO_TEST = 0.1

Track = Callable[[Iterable[Any], str, int], Iterable[Any]]  # rows, what is done with them, how many


@dataclass(frozen=True, slots=True)
class Labelled:
    """A settled post and what it is said to show; ``shot.content`` names its photo on the shelf."""

    shot: Shot
    dress: str | None
    role: str
    weight: float


@dataclass(frozen=True)
class Choice:
    """What is wanted of an export."""

    held_out: float = 0.1  # share of people that the test keeps, and that validation does
    unanswered: bool = False  # also photos whose owner has not said yes, nor no
    freeze: bool = False  # what is to be tested on now is never to be trained on


@dataclass
class Report:
    """What went out, and what did not."""

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)  # by role and split
    left_out: Counter[str] = field(default_factory=Counter)  # by the reason
    missing: list[str] = field(default_factory=list)  # names in the storage


def write(folder: Path, choice: Choice, track: Track) -> Report:
    """Write the manifest and its photos; what the folder held before is replaced once all is there.

    Raises OSError, and Busy where another export is at work in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with only_one(folder / export.LOCK, "Another export into this folder is at work"):
        return _write(folder, choice, track)


def _write(folder: Path, choice: Choice, track: Track) -> Report:
    report, shelf = Report(), PhotoShelf(folder)
    catalogue = _catalogue(shelf, track, report)
    posts = _posts(shelf, choice, track, report)
    # Asked last: an owner may say no, or a post be deleted, while the photos are being gathered.
    there = set(map(str, Post.objects.values_list("pk", flat=True).iterator(export.CHUNK)))
    posts = [post for post in posts if post.shot.post in there]
    refused = {shelf.digest(name) for name in barred().values_list("large", flat=True).iterator(export.CHUNK)}
    shown = {content for contents in catalogue.values() for content in contents}
    kept, golden = set[str](), list[str]()
    with export.replacing(folder / MANIFEST) as file:
        for row in chain(
            _catalogue_rows(catalogue, choice.held_out, report),
            _post_rows(_trusted(posts, refused, shown, report), choice.held_out, report),
        ):
            file.write(json.dumps({**row, "photo": path_of(row["photo"])}) + "\n")
            report.rows[row["role"], row["split"]] += 1
            kept.add(row["photo"])
            if row["role"] != "catalogue" and row["split"] == "test":
                golden.append(row["photo"])
        if choice.freeze:  # before anybody can train on this manifest's like
            GoldenPhoto.objects.freeze(golden)
    shelf.keep(kept)
    report.missing = shelf.missing
    report.left_out["the photo's file is missing"] = len(shelf.missing)
    return report


def _draw(node: Node) -> float:
    """A number in 0..1 that this portal gives a person, post or dress for ever."""
    return (
        int.from_bytes(salted_hmac("training split", ":".join(node), algorithm="sha256").digest()[:8]) / 2**64
    )


def _dress_split(dress: str, held_out: float) -> str:
    return drawn(_draw(("dress", dress)), held_out * DRESSES_TO_PEOPLE)


# Catalogue


def _catalogue(shelf: PhotoShelf, track: Track, report: Report) -> dict[str, list[str]]:
    """The contents of each dress's photos by its SKU, retired dresses too."""
    photos = DressPhoto.objects.order_by("dress__sku", "position").values_list("dress__sku", "photo__large")
    contents: dict[str, list[str]] = defaultdict(list)
    for sku, name in track(photos.iterator(export.CHUNK), "Catalogue", photos.count()):
        content = shelf.put(name)
        if content and content not in contents[sku]:
            contents[sku].append(content)
    return dict(contents)


def _catalogue_rows(catalogue: dict[str, list[str]], held_out: float, report: Report) -> Iterator[export.Row]:
    """All but the photos that two dresses claim: which of them it shows is not known."""
    claims = Counter(content for contents in catalogue.values() for content in contents)
    for dress, contents in catalogue.items():
        for content in contents:
            if claims[content] > 1:
                report.left_out["a catalogue photo of several dresses"] += 1
            else:
                yield _row(content, dress, "catalogue", _dress_split(dress, held_out), 1.0)


def _row(content: str, dress: str | None, role: str, split: str, weight: float) -> export.Row:
    return {"photo": content, "dress": dress, "role": role, "split": split, "weight": weight}


# Posts


def barred() -> QuerySet[Photo]:
    """Photos that must not be used: who posted them said no, or they are hidden, or flagged as unfit."""
    unwanted = Q(rights__in=WITHDRAWN) | Q(hidden_at__isnull=False) | Q(flags__reason__in=UNFIT)
    return Photo.objects.filter(Exists(Post.objects.filter(unwanted, photo=OuterRef("pk"))))


def _posts(shelf: PhotoShelf, choice: Choice, track: Track, report: Report) -> list[Labelled]:
    """Every post settled as a dress or as none whose photo may be used and is there."""
    # A customer's word for the dress counts once an admin has seen the photo.
    unseen = Q(review__isnull=False) & ~Q(look__clearance=Look.Clearance.CLEARED)
    settled = export.settled().exclude(unseen)
    usable = settled.exclude(photo__in=barred())
    answered = usable if choice.unanswered else usable.filter(rights=Post.Rights.GRANTED)
    total, unbarred = answered.count(), usable.count()
    counts = Post.objects.aggregate(
        unsettled=Count("pk", filter=~Q(state=Post.State.SETTLED)),
        none=Count("pk", filter=Q(answer=Answer.NONE_OF_THESE)),
    )
    report.left_out["not settled"] = counts["unsettled"]
    report.left_out["settled as none of the dresses offered"] = counts["none"]
    report.left_out["the owner said no, or flagged as unfit"] = settled.count() - unbarred
    report.left_out["the owner has not said yes"] = unbarred - total
    values = answered.values(
        *("pk", "source", "username", "photo__large", "dress__sku"),
        *("confidence", "settled_by", "audit", "was_disputed", "look__clearance", "look__cleared_by"),
    )
    golden = GoldenPhoto.objects.contents()
    found = (_labelled(post, shelf, golden) for post in track(values.iterator(export.CHUNK), "Posts", total))
    return [post for post in found if post]


def _labelled(post: dict[str, Any], shelf: PhotoShelf, golden: set[str]) -> Labelled | None:
    """An admin's word weighs 1, the voters' what they are sure of; None if the photo is missing."""
    content = shelf.put(post["photo__large"])
    if content is None:
        return None
    by_admin = post["settled_by"] is not None
    frozen = content in golden or post["audit"] or (_vouched(post) and not post["was_disputed"])
    dress = post["dress__sku"]
    role = "negative" if dress is None else "review" if post["source"] in REVIEWS else "look"
    weight = 1.0 if by_admin else round(post["confidence"] or RULE.threshold, 4)
    # One name is one person wherever they post; a stranger of the same name does no harm here.
    shot = Shot(str(post["pk"]), post["username"].strip().casefold(), content, frozen)
    return Labelled(shot, dress, role, weight)


def _vouched(post: dict[str, Any]) -> bool:
    """Whether an admin decided the post, or cleared its look and the draw has chosen it to be tested on."""
    cleared = post["look__clearance"] == Look.Clearance.CLEARED and post["look__cleared_by"] is not None
    drawn_too = cleared and _draw(("cleared", str(post["pk"]))) < CLEARED_TO_TEST
    return post["settled_by"] is not None or drawn_too


def _trusted(
    posts: Iterable[Labelled], barred: set[str | None], catalogue: set[str], report: Report
) -> Iterator[Labelled]:
    """Posts whose photo may be used, is not the shop's own, and is said to show one thing alone."""
    said: dict[str, list[Labelled]] = defaultdict(list)
    for post in posts:
        said[post.shot.content].append(post)
    for content, same in said.items():
        if content in barred:
            report.left_out["the owner said no, or flagged as unfit"] += len(same)
        elif content in catalogue:
            report.left_out["a catalogue photo, posted"] += len(same)
        elif len({post.dress for post in same}) > 1:
            report.left_out["the same photo settled as different things"] += len(same)
        else:
            yield from same


def _post_rows(posts: Iterable[Labelled], held_out: float, report: Report) -> Iterator[export.Row]:
    """A row for each photo, of the surest of its posts."""
    posts = list(posts)
    surest: dict[str, tuple[Labelled, str]] = {}
    for post, split in zip(posts, splits([post.shot for post in posts], _draw, held_out), strict=True):
        best = surest.setdefault(post.shot.content, (post, split))
        if post.weight > best[0].weight:
            surest[post.shot.content] = post, split
    report.left_out["the same photo, posted again"] = len(posts) - len(surest)
    for post, split in surest.values():
        if split == "train" and post.dress and _dress_split(post.dress, held_out) != "train":
            report.left_out["of a dress held out, by somebody who is not"] += 1
        else:
            yield _row(post.shot.content, post.dress, post.role, split, post.weight)
