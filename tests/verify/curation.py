"""Rows and addresses for the tests of the admin."""

from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import make
from tests.make import make_employee, make_post, make_suggestion
from verify import consensus
from verify.models import (
    Dress,
    Employee,
    Flag,
    GoldAnswer,
    Hashtag,
    Heartbeat,
    InstagramAccount,
    Look,
    Mention,
    Nomination,
    Notice,
    Post,
    Refit,
    RefusedMedia,
    Reliability,
    RightsChange,
    Source,
    Vote,
)

TOLD = ["flag", "nomination", "goldanswer", "reliability", "refit", "notice", "heartbeat"]  # read-only lists
TOLD += ["rightschange", "hashtag", "mention", "refusedmedia"]
MODELS = ["dress", "post", "look", "batch", "vote", "employee", "team", "apikey"]
MODELS += ["modelversion", "calibration", "rightstemplate", "optout", "tombstone", *TOLD]
MODELS += ["source", "instagramaccount"]


def a_settled_post(dress: Dress, rights: str = "granted") -> Post:
    post = make_post(rights=rights, state="settled", answer="dress", dress=dress, settled_at=timezone.now())
    make_look(post, dress)
    return post


def make_look(post: Post, dress: Dress) -> Look:
    return Look.objects.create(post=post, dress=dress, published_at=timezone.now())


def a_vote(post: Post, answer: str, option: Any = None, employee: Employee | None = None) -> Vote:
    return Vote.objects.create(
        post=post,
        employee=employee or make_employee(),
        suggestion=post.suggestion,
        answer=answer,
        option=option,
        created_at=timezone.now(),
    )


def a_proposed_post(dresses: list[Dress], **fields: Any) -> Post:
    post = make_post(**fields)
    post.open_to_votes(make_suggestion(post, dresses))
    return post


def looks_to_clear(count: int) -> list[Look]:
    dress = make.make_dress()
    return [make.make_look(dress, "waiting") for _ in range(count)]


def flag(look: Look) -> None:
    Flag.objects.create(
        post=look.post, employee=make_employee(), reason=Flag.Reason.CHILD, created_at=timezone.now()
    )


def clear(client: Client, decision: str, *looks: Look, view: str = "one") -> Any:
    data = {"decision": decision, "look": [look.pk for look in looks], "view": view}
    return client.post(reverse("admin:verify_clear"), data, follow=True)


def make_told(post: Post, employee: Employee) -> list[Any]:
    """One row of each list of `TOLD`."""
    now, about = timezone.now(), {"post": post, "employee": employee}
    factors = list(consensus.UNCORRECTED)
    counts = {"votes": 1, "posts": 1, "voters": 1, "seconds": 0.1}
    return [
        Flag.objects.create(**about, reason=Flag.Reason.CHILD, created_at=now),
        Nomination.objects.create(**about, created_at=now),
        GoldAnswer.objects.create(**about, training=False, answer="not_a_dress", right=True, created_at=now),
        Reliability.objects.create(employee=employee, muted_at=now),
        Refit.objects.create(fitted_at=now, prior_factors=factors, **counts),
        Notice.objects.tell(Notice.Kind.VOTER_MUTED, "Muted.", now, **about),
        Heartbeat.objects.create(name=f"part {post.pk}", beat_at=now),
        RightsChange.objects.create(post=post, former="unknown", rights="granted", at=now, reason="Said so."),
        *make_sources(),
    ]


def make_sources() -> list[Any]:
    """A source and what hangs on it, and the account."""
    now, number = timezone.now(), Hashtag.objects.count()
    hashtag = Hashtag.objects.create(name=f"ottilie{number}", asked_since=now)
    source = Source.objects.create(kind=Source.Kind.HASHTAG_TOP, hashtag=hashtag)
    return [
        hashtag,
        Mention.objects.create(media_id=str(number), received_at=now),
        RefusedMedia.objects.create(source=source, external_id="1", reason="Damaged.", last_at=now),
        source,
        InstagramAccount.load(),
    ]


def act(client: Client, model: str, action: str, *rows: Any, **more: str) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return client.post(reverse(f"admin:verify_{model}_changelist"), data, follow=True)


def page(model: str, name: str = "changelist", *args: int) -> str:
    return reverse(f"admin:verify_{model}_{name}", args=args)
