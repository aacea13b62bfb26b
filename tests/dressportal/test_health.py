"""Alive, and ready: what a load balancer asks."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import RequestFactory
from django.utils import timezone

from dressportal import health
from verify.models import Heartbeat


def ready(rf: RequestFactory) -> tuple[int, dict]:
    response = health.readyz(rf.get("/readyz"))
    return response.status_code, json.loads(response.content)


def test_alive_needs_no_database(rf: RequestFactory) -> None:
    # pytest-django refuses every connection in a test that does not ask for one.
    response = health.healthz(rf.get("/healthz"))
    assert response.status_code == 200
    assert "no-cache" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready_when_every_part_is(rf: RequestFactory) -> None:
    Heartbeat.beat("worker", "abc123")
    status, parts = ready(rf)
    assert (status, parts["status"]) == (200, "ready")
    assert set(parts) == {"status", "database", "migrations", "worker", "model"}


@pytest.mark.django_db
def test_a_worker_never_seen_and_one_fallen_silent_are_told_apart(rf: RequestFactory) -> None:
    assert ready(rf)[0] == 503
    assert "never seen" in ready(rf)[1]["worker"]
    Heartbeat.beat("worker", "abc123")
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(minutes=3, seconds=1))
    status, parts = ready(rf)
    assert status == 503
    assert parts["worker"].startswith("silent for 18")
    assert parts["model"] == "ok"


@pytest.mark.django_db
def test_a_worker_without_its_model_is_not_ready(rf: RequestFactory) -> None:
    Heartbeat.beat("worker")
    status, parts = ready(rf)
    assert status == 503
    assert (parts["worker"], parts["model"]) == ("ok", "not loaded by the worker")


@pytest.mark.django_db
def test_an_unapplied_migration_is_counted(rf: RequestFactory) -> None:
    Heartbeat.beat("worker", "abc123")
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    status, parts = ready(rf)
    assert status == 503
    assert parts["migrations"].startswith("1 not applied")


@pytest.mark.django_db
def test_an_unreachable_database_is_said_without_its_address(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError("connection to db.internal as anna failed")

    monkeypatch.setattr(connection, "cursor", refuse)
    status, parts = ready(rf)
    assert status == 503
    assert parts["database"] == "unknown: OperationalError"
    assert "anna" not in str(parts)
