"""What runs when: the one table of schedules, all of it in UTC."""

from typing import NamedTuple

from django.db import connection, transaction
from django_q.models import Schedule


class Planned(NamedTuple):
    name: str
    func: str
    cron: str  # in UTC: Q_CLUSTER["time_zone"] says so


SCHEDULES = [
    Planned("tick", "verify.tasks.tick", "* * * * *"),
    Planned("nightly rotation", "verify.tasks.rotate_nightly", "0 3 * * *"),
    Planned("nightly re-fit", "verify.tasks.refit_nightly", "30 3 * * *"),
    Planned("nightly forgetting", "recommend.tasks.forget_old_interactions", "15 2 * * *"),
    Planned("nightly measuring", "verify.tasks.measure_nightly", "25 2 * * *"),
    Planned("nightly retention", "verify.tasks.retain_nightly", "45 2 * * *"),
    Planned("daily question for sources", "verify.tasks.recheck_sources", "15 1 * * *"),
    Planned("hourly deletion", "verify.tasks.erase_due", "20 * * * *"),
    Planned("hourly tallies", "recommend.tasks.count_hourly", "5 * * * *"),
    Planned("nightly tallies", "recommend.tasks.count_nightly", "35 2 * * *"),
    Planned("nightly recommender", "recommend.tasks.fit_nightly", "45 3 * * *"),
    Planned("weekly training", "verify.tasks.retrain_weekly", "0 4 * * 0"),
    Planned("fair play", "verify.tasks.watch_fair_play", "*/10 * * * *"),
]


@transaction.atomic
def set_up() -> tuple[int, int]:
    """Make the stored schedules those of the table; returns how many were added and removed.

    What is stored already keeps its next run, so that one missed while the worker was down is made up for.
    """
    with connection.cursor() as cursor:  # two starts at once must not both find it missing
        cursor.execute(f'LOCK TABLE "{Schedule._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE')
    missing, stale = set(SCHEDULES), []
    for row in Schedule.objects.order_by("pk"):
        planned = Planned(row.name or "", row.func, row.cron or "")
        if planned in missing and row.schedule_type == Schedule.CRON and row.repeats == -1:
            missing.remove(planned)
        else:
            stale.append(row.pk)
    Schedule.objects.filter(pk__in=stale).delete()
    for planned in sorted(missing):
        Schedule.objects.create(schedule_type=Schedule.CRON, repeats=-1, **planned._asdict())
    return len(missing), len(stale)
