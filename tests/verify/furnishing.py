"""What stands behind the doors of the portal: rows for every page and every action."""

from datetime import date
from types import SimpleNamespace

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import Model
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success
from django_q.tasks import async_task

from tests import make
from tests.verify.curation import a_vote, make_told
from verify.models import (
    Answer,
    Calibration,
    Dress,
    Employee,
    Heartbeat,
    InstagramAccount,
    Lease,
    Leave,
    ModelVersion,
    Post,
    Source,
)


def furnish(person: Employee | None) -> SimpleNamespace:
    """Rows to look at, and some that every action has something to do with.

    The cards, votes and leave are this person's own; a stranger tries somebody else's.
    """
    own, vera = person or make.make_employee("olaf"), make.make_employee("vera")
    dress, batch = make.make_dress(), make.make_batch()
    in_hand, unnamed, voted, told, _ = posts = make.make_open_posts(5, batch, [dress])
    rows: list[Model] = [make.make_dress(photos=0), make.make_post(), make.make_look(dress, "waiting")]
    rows += [batch, vera, vera.team, posts[0].suggestion.model_version]
    rows += [a_vote(told, Answer.NOT_A_DRESS, employee=vera), *make_told(told, vera), *queue()]
    learnt = {"fitted_at": timezone.now(), "posts": 1, "temperature": 0.1}
    rows.append(Calibration.objects.create(model_version=posts[0].suggestion.model_version, **learnt))
    rows += [make.make_api_key()[0], make.make_recommender_version(), make.make_interaction(dress)]
    rows += [make.make_template()]
    rows += [make.make_opt_out(), make.make_tombstone()]
    rows += [make.make_tally(dress)]
    rows += [make.make_liked_dream()]
    make.make_dreams(range(12))
    (settings.DREAM_WEIGHTS / "film.webp").write_bytes(make.webp())
    for_the_actions(dress)
    a_vote(voted, Answer.NOT_A_DRESS, employee=own)
    return SimpleNamespace(
        of={row._meta.label_lower.replace(".", "_"): row.pk for row in rows},
        dress=dress,
        photo=in_hand.photo,
        look=make.make_look(dress),
        lease=hand(in_hand, own).pk,
        answered=hand(unnamed, own).pk,
        vote=a_vote(unnamed, Answer.NONE_OF_THESE, employee=own).pk,
        leave=Leave.objects.create(employee=own, first_day=date(2026, 7, 1), last_day=date(2026, 7, 2)).pk,
        not_a_dress=voted.pk,
        disputed=make.make_post(state="disputed").pk,
        voter=vera.pk,
        to_ask=make.make_look(dress, "waiting", rights="unknown", username="ruby").pk,
        unmuted=make.make_employee("wanda").pk,
    )


def hand(post: Post, employee: Employee) -> Lease:
    now = timezone.now()
    facts = {"suggestion": post.suggestion, "created_at": now, "expires_at": now + settings.LEASE}
    return Lease.objects.create(post=post, employee=employee, **facts)


def queue() -> list[Model]:
    """One of each of what the queue's pages list."""
    now, work = timezone.now(), {"func": "verify.tasks.tick"}
    async_task(**work)
    return [
        Schedule.objects.create(**work),
        *(
            kind.objects.create(**work, id=kind.__name__, started=now, stopped=now, success=kind is Success)
            for kind in (Success, Failure)
        ),
        OrmQ.objects.get(),
    ]


def for_the_actions(dress: Dress) -> None:
    """Who has left, is invited or locked out; what is retired, granted, set aside, refused or was live."""
    make.make_dress(retired_on=timezone.localdate())
    make.make_post(state="set_aside", rights="granted")
    make.make_post(state="held")
    make.make_look(dress, "refused")
    make.make_employee("gus", is_active=False)
    make.make_employee("ida", email="ida@office.example")
    Employee.objects.filter(username="ida").update(password=make_password(None))
    AccessAttempt.objects.create(username=make.make_employee("lena").username, failures_since_start=5)
    Heartbeat.beat("worker", "f" * 64)
    was_live = make.make_model_version("e" * 64)
    ModelVersion.objects.filter(pk=was_live.pk).update(folder=was_live.digest)  # its weights are its own
    make.make_recommender_version("retired")
    Source.objects.create(kind="mentions", enabled=False)
    InstagramAccount.load().stop("The token has expired.", timezone.now())
