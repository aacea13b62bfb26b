"""Is the portal alive, and is it ready? For load balancers, and for whoever wonders why nothing happens."""

from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from verify.models import Heartbeat

WORKER_SILENCE = timedelta(minutes=3)  # it beats every minute


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers; touches nothing else."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when everything works, else 503; either way a word on each part: "ok", or what is wrong with it."""
    parts: dict[str, Callable[[], str]] = {
        "database": _database,
        "migrations": _migrations,
        "worker": _worker,
        "model": _model,
    }
    words = {name: _word(check) for name, check in parts.items()}
    ready = all(word == "ok" for word in words.values())
    body = {"status": "ready" if ready else "not ready", **words}
    return JsonResponse(body, status=200 if ready else 503)


def _word(check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError as error:
        # The class alone: the message may name hosts and users, and anyone may ask.
        return f"unknown: {type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied: run manage.py migrate" if missing else "ok"


def _worker() -> str:
    heartbeat = Heartbeat.objects.filter(name="worker").first()
    if heartbeat is None:
        return "never seen: run manage.py qcluster"
    silence = timezone.now() - heartbeat.beat_at
    return "ok" if silence < WORKER_SILENCE else f"silent for {int(silence.total_seconds())} s"


def _model() -> str:
    heartbeat = Heartbeat.objects.filter(name="worker").first()
    return "ok" if heartbeat and heartbeat.model_version else "not loaded by the worker"
