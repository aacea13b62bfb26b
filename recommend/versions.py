"""Versions of the recommender: where their files lie, which of them serves, and what is kept."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from recommend.models import RecommenderVersion
from verify.models import Employee

State = RecommenderVersion.State
SERVED, JUDGED, REPORT = "served", "judged", "report.html"  # in the folder of a version
KEPT = 3  # versions that serve or served, with their files
REMEMBERED = 60  # rows of nights


class Unchanged(Exception):
    """A version cannot be made live, or need not be; the text is for whoever tried."""


def shelf() -> Path:
    folder = Path(settings.RECOMMENDERS_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def folder_of(version: RecommenderVersion) -> Path:
    return Path(settings.RECOMMENDERS_FOLDER) / version.folder


def has_files(version: RecommenderVersion) -> bool:
    return bool(version.folder) and (folder_of(version) / SERVED).is_dir()


def publish(version: RecommenderVersion, reason: str, by: Employee | None = None) -> None:
    """Let it serve from the next request on. Raises Unchanged."""
    try:
        with transaction.atomic():
            version = RecommenderVersion.objects.to_change(version)
            if version.state == State.LIVE:
                raise Unchanged(f"{version} serves already.")
            if not has_files(version):
                raise Unchanged(f"The files of {version} are gone.")
            version.go_live(timezone.now(), by, reason)
    except IntegrityError as error:
        raise Unchanged("Another version was published at the same moment: look which.") from error


def roll_back(by: Employee | None = None) -> tuple[RecommenderVersion, RecommenderVersion]:
    """From the live version to the one that served before it: (from, to). Raises Unchanged.

    What was gone back from is refused, so that going back again leads further back.
    """
    with transaction.atomic():
        live = RecommenderVersion.objects.live()
        if live is None:
            raise Unchanged("No version serves: what is popular is recommended already.")
        before = next(filter(has_files, RecommenderVersion.objects.retired()), None)
        if before is None:
            raise Unchanged("No other version ever served whose files are still there.")
        publish(before, f"Back from {live}.", by)
        live.refuse(f"Taken back in favour of {before}.")
    return live, before


def clear_away() -> None:
    """Keep the files of the last three that served and of the newest other; forget the oldest nights."""
    rows = RecommenderVersion.objects.exclude(folder="")
    served = rows.filter(state__in=[State.LIVE, State.RETIRED]).order_by("-live_since", "-pk")
    others = rows.exclude(state__in=[State.LIVE, State.RETIRED]).order_by("-pk")
    for version in [*served[KEPT:], *others[1:]]:
        shutil.rmtree(folder_of(version), ignore_errors=True)
        version.lose_files()
    forgotten = RecommenderVersion.objects.filter(folder="").order_by("-pk")[REMEMBERED:]
    RecommenderVersion.objects.filter(pk__in=[version.pk for version in forgotten]).delete()


def report_of(version: RecommenderVersion) -> str | None:
    """The page of its night; None where there was none, or it was thrown away."""
    try:
        return (folder_of(version) / REPORT).read_text(encoding="utf-8") if version.folder else None
    except OSError:
        return None


def has_report(version: RecommenderVersion) -> bool:
    return bool(version.folder) and (folder_of(version) / REPORT).is_file()


def newest_with_report() -> RecommenderVersion | None:
    rows = RecommenderVersion.objects.exclude(folder="").order_by("-fitted_at", "-pk")
    return next((row for row in rows if has_report(row)), None)
