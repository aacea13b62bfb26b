"""What the worker runs. Each may run twice, at once or after a kill, and finds out by itself what to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from logging import getLogger

from django.conf import settings
from django.utils import timezone
from django_q.models import Success
from django_q.tasks import async_task

from verify import (
    changeover,
    forgetting,
    gating,
    invitations,
    letters,
    measuring,
    recalibration,
    refit,
    retention,
    retraining,
    rotation,
    source_check,
    suggest,
    versions,
    watch,
)
from verify.intake import sources
from verify.intake.instagram import token
from verify.models import Batch, Employee, Heartbeat, Post
from verify.training_export import Choice

WORKER, TRAINING = "worker", "training"
SUCCESSES_KEPT = timedelta(days=1)
PHOTOS_A_NIGHT = 5_000  # from before the gates: a few minutes


def suggest_waiting() -> None:
    """The catalogue first: a post is compared with every dress, or not yet."""
    _take_turns("verify.tasks.suggest_waiting", suggest.embed_catalogue, suggest.suggest_waiting)


def change_version() -> None:
    """The next version learns the catalogue; one that has gone live replaces old proposals."""
    _take_turns("verify.tasks.change_version", changeover.warm, changeover.repropose)


def embed_catalogue() -> None:
    _take_turns("verify.tasks.embed_catalogue", suggest.embed_catalogue)


def tick() -> None:
    """Every minute: a sign of life, and whatever a crash or a lost task left lying."""
    now = timezone.now()
    beat()
    gating.adopt_orphans()
    suggest.propose_anew(Post.objects.outdated(now))
    if suggest.work_waits():
        async_task("verify.tasks.suggest_waiting")
    elif not Batch.objects.open().exists():
        rotation.rotate(now=now)  # the first batch does not wait for the night
    if changeover.lies_idle(now):
        async_task("verify.tasks.change_version")
    rotation.settle_due(now)
    rotation.finish(now)
    token.watch(now)
    if sources.work_waits(now):
        async_task("verify.tasks.read_sources")
    Success.objects.filter(stopped__lt=now - SUCCESSES_KEPT).delete()


def read_sources() -> None:
    """A part of one source, then queue behind the others."""
    sources.read_next(progress=beat)
    if sources.work_waits(timezone.now()):
        async_task("verify.tasks.read_sources")


def warn_admins(text: str) -> None:
    for admin in Employee.objects.filter(is_active=True, is_superuser=True).exclude(email=""):
        async_task("verify.tasks.warn_admin", admin.pk, text)


def warn_admin(employee_pk: int, text: str) -> None:
    for admin in Employee.objects.filter(pk=employee_pk, is_active=True):
        letters.send_warning(admin, text)


def rotate_nightly() -> None:
    rotation.rotate(on=timezone.localdate(timezone=UTC))


def refit_nightly() -> None:
    """And again without those of whom it shows that they don't try; then DeepDress learns from it."""
    refit.refit()
    if watch.watch(recent=watch.MONTH):
        refit.refit()
    async_task("verify.tasks.recalibrate")


def recalibrate() -> None:
    """The photos first that only an earlier version has seen, in turns with others."""
    try:
        if recalibration.embed_settled(4 * settings.SUGGEST_BATCH, beat):
            async_task("verify.tasks.recalibrate")
        else:
            recalibration.recalibrate()
    except versions.NotReady as reason:
        tell_once(str(reason))
    except recalibration.TooEarly as reason:
        getLogger(__name__).info("DeepDress keeps its calibration. %s", reason)


def retrain_weekly() -> None:
    """On a queue of its own, where the portal is set to: it takes hours."""
    if settings.RETRAIN:
        async_task("verify.tasks.retrain", timezone.now(), cluster=TRAINING)


def retrain(asked: datetime) -> None:
    """Not for the second time: the queue brings a training back whose worker was killed."""
    if timezone.now() - asked < timedelta(minutes=settings.RETRAIN_MINUTES):
        choice = Choice(unanswered=settings.TRAIN_ON_UNANSWERED, freeze=True)
        plan = retraining.Plan(minutes=settings.RETRAIN_MINUTES, choice=choice, only_if_worth_it=True)
        retraining.retrain(plan, getLogger(__name__).warning, lambda rows, *_: rows)


def watch_fair_play() -> None:
    watch.watch()


def recheck_sources() -> None:
    """Once a day, where there is something to ask."""
    if still_there := source_check.configured():
        source_check.recheck(still_there, timezone.now(), settings.SOURCE_CHECKS_A_DAY)


def erase_due() -> None:
    """Every hour: what is gone at its source is asked for once more, and then deleted as what else is due."""
    now = timezone.now()
    if still_there := source_check.configured():
        source_check.give_back(still_there, now)
    forgetting.erase_due(now)


def retain_nightly() -> None:
    retention.retain(timezone.now())


def measure_nightly() -> None:
    """Photos from before the quality gates, a part a night."""
    measuring.measure_photos(PHOTOS_A_NIGHT, beat)
    measuring.judge_posts(beat)


def beat(_: int = 0) -> None:
    """Say that the worker lives and which weights it has loaded, which the first time loads them.

    New ones that came with the portal are noticed here, whether anything waits or not.
    """
    try:
        version = versions.live().version.digest
    except versions.NotReady as reason:
        version = ""
        tell_once(str(reason))
    Heartbeat.beat(WORKER, version)


def send_invitations(employee_pks: list[int]) -> None:
    invitations.send(employee_pks)


def send_invitation(employee_pk: int) -> None:
    """To somebody who has not come yet; whom nobody awaits any more gets none."""
    for employee in invitations.waiting().exclude(email="").filter(pk=employee_pk):
        letters.send_invitation(employee)


def send_reset(email: str) -> None:
    """To whoever has the address, if anybody: the portal's page has looked nobody up."""
    for employee in invitations.with_address(email):
        letters.send_reset(employee)


def _take_turns(again: str, *works: Callable[..., int]) -> None:
    """Do a bounded part of the first work that has any, then queue behind the others for the rest."""
    try:
        if any(work(limit=4 * settings.SUGGEST_BATCH, progress=beat) for work in works):
            async_task(again)
    except versions.NotReady as reason:
        tell_once(str(reason))


@lru_cache(maxsize=8)
def tell_once(message: str) -> None:
    """Log a state of affairs once per process, not every minute that it lasts."""
    getLogger(__name__).warning("%s Until then posts wait.", message)
