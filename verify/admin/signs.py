"""Signs of the portal's health on the admin's first page."""

from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.timesince import timesince

from verify import dashboard
from verify.admin.source import access_in_words
from verify.intake.instagram import token
from verify.models import Employee, InstagramAccount, Refit, Source


class Sign(NamedTuple):
    """One line on the portal's health."""

    name: str
    words: str
    url: str
    bad: bool = False


def signs(health: dashboard.Health, user: Employee, now: datetime) -> list[Sign]:
    beats = reverse("admin:verify_heartbeat_changelist")
    parts = [
        Sign(part.name, f"{timesince(part.beat_at)} ago{weights(part)}", beats, part.silent)
        for part in health.parts
    ]
    return [
        *(parts or [Sign("worker", "never seen: start it with manage.py serve or qcluster", beats, True)]),
        Sign("queue", tasks_in_words(health.queued, "waiting"), queue_url(user, "ormq")),
        Sign(
            "failures",
            tasks_in_words(health.failed, "in a day"),
            queue_url(user, "failure", stopped__gte=(now - dashboard.DAY).isoformat()),
            health.failed > 0,
        ),
        last_refit(health.refit),
        *sources(now),
    ]


def sources(now: datetime) -> list[Sign]:
    """Of posts, where there are any."""
    switched_on = Source.objects.filter(enabled=True)
    if not switched_on.exists():
        return []
    url, failed = reverse("admin:verify_source_changelist"), switched_on.filter(failures__gt=0).count()
    words = f"{failed} of {switched_on.count()} failed last" if failed else f"{switched_on.count()} read"
    found = [Sign("sources", words, url, failed > 0)]
    if switched_on.exclude(kind__in=Source.OF_A_FILE).exists():
        troubled = InstagramAccount.load().stopped_at is not None or not token.is_set_up()
        found.append(Sign("Instagram", access_in_words(now), url, troubled))
    return found


def broken_promise() -> list[Sign]:
    """A line only where there is something to worry about; the figure tells of the rest."""
    if not (nights := dashboard.promises(1)) or not nights[0].broken:
        return []
    words = "less than promised: more dresses than we allow for are missing from DeepDress’s sets"
    return [Sign("options", words, reverse("admin:verify_calibration_changelist"), bad=True)]


def weights(part: dashboard.Part) -> str:
    return f", with the weights {part.model_version[:8]}" if part.model_version else ""


def tasks_in_words(count: int, when: str) -> str:
    return f"{count:,} task{'' if count == 1 else 's'} {when}"


def queue_url(user: Employee, model: str, **filters: str) -> str:
    """Of the queue's own lists, which Django's permissions guard."""
    if not user.has_perm(f"django_q.view_{model}"):
        return ""
    return f"{reverse(f'admin:django_q_{model}_changelist')}?{urlencode(filters)}".rstrip("?")


def last_refit(refit: Refit | None) -> Sign:
    url = reverse("admin:verify_refit_changelist")
    if refit is None:
        return Sign("re-fit", "none yet: it comes at night", url)
    reopened = f", {refit.reopened:,} posts reopened" if refit.reopened else ""
    words = f"{timesince(refit.fitted_at)} ago, {refit.votes:,} votes in {refit.seconds:.1f} s{reopened}"
    return Sign("re-fit", words, url)
