"""What the worker runs for recommendations. Each may run twice without harm."""

from datetime import UTC, datetime, time, timedelta
from logging import getLogger

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from recommend import looks, nightly
from recommend.models import Interaction, Tally
from recommend.models.tally import CREDIT
from verify.only_one import Busy
from verify.tasks import TRAINING

LONGEST = 3600  # seconds; the queue ends a task that takes longer


def forget_old_interactions() -> None:
    Interaction.objects.forget_old(timezone.now())


def count_hourly() -> None:
    """Today and yesterday; all that there is, the first time."""
    _count(_whole(1) if Tally.objects.exists() else settings.INTERACTIONS_KEPT.days)


def count_nightly() -> None:
    """A month back: a shop's server may tell late."""
    _count(_whole(31))


def _whole(days: int) -> int:
    """So many days back, or as many as can be counted again: nothing of them is forgotten yet.

    Nor is a look that was opened some days before them, unless so little is kept that yesterday has none.
    """
    kept: int = settings.INTERACTIONS_KEPT.days - 1
    return min(days, kept, max(1, kept - CREDIT.days))


def _count(days: int) -> None:
    now = timezone.now()
    first = now.astimezone(UTC).date() - timedelta(days=days)
    Tally.objects.count_anew(datetime.combine(first, time.min, UTC))
    looks.order_looks(now)


def fit_nightly() -> None:
    """Where there is a second worker, on its queue, so that no post waits for it."""
    if settings.RECOMMEND_METHOD == "off":
        return
    where = {"cluster": TRAINING} if settings.RETRAIN else {"timeout": LONGEST}
    async_task("recommend.tasks.fit", **where)


def fit() -> None:
    """The queue brings a long one back while it is still at work."""
    log = getLogger(__name__)
    try:
        nightly.fit(settings.RECOMMEND_METHOD, log.info)
    except Busy as reason:
        log.info("%s", reason)
