"""What `manage.py check` finds wrong with this installation, each with what to do about it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django_q.models import Schedule

from dressportal.schedules import SCHEDULES
from recommend.methods import KeepsPeople, UnknownMethod, method_to_serve
from verify import vector_search
from verify.dreaming import shelf
from verify.models import ModelVersion
from verify.versions import FILES, config_of, digest_of, folder_of

LONGEST_SOCKET = 107  # bytes of a path


@register("dressportal")
def model_files(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """A warning, because a portal without DeepDress still shows what it has; it only proposes nothing."""
    files = [Path(settings.DEEPDRESS_WEIGHTS) / name for name in FILES]
    missing = [path for path in files if not _readable(path)]
    return [
        Warning(
            f"DeepDress's file {path} is missing or unreadable: no post gets proposals.",
            hint="Restore it, train anew (python -m ml.train_embedder), or set DRESSPORTAL_WEIGHTS.",
            id="dressportal.W001",
        )
        for path in missing
    ]


@register("dressportal")
def dream_weights(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """By the small files beside the weights alone: it runs at every command's start."""
    folder = Path(settings.DREAM_WEIGHTS)
    missing = [path for name in FILES[:2] if not _readable(path := folder / name)]
    digest = str(config_of(folder).get("deepdress", ""))
    if missing:
        wrong = f"{missing[0]} is missing or unreadable: nothing dreams."
        hint = "Restore it, or train others (docs/dream.md)."
    elif not shelf.know_tastes():
        wrong = f"The weights in {folder} know no tastes: nothing dreams near a dress."
        hint = "Train others with --condition embedding (docs/dream.md)."
    elif digest and not _deepdress_is_here(digest):
        wrong = f"The DeepDress {digest[:8]} that the dream weights have learnt tastes from is not here."
        hint = f"Restore it in {settings.DEEPDRESS_SHIPPED}, or train others with another (docs/dream.md)."
    else:
        return []
    return [Warning(wrong, hint=hint, id="dressportal.W013")]


def _deepdress_is_here(digest: str) -> bool:
    folders = (settings.DEEPDRESS_WEIGHTS, settings.DEEPDRESS_SHIPPED)
    told = {config_of(Path(folder)).get("weights_sha256") for folder in folders}
    return digest in told or (Path(settings.MODELS_FOLDER) / digest).is_dir()


@register("dressportal")
def media_folder(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    nearest = _nearest(Path(settings.MEDIA_ROOT))
    if settings.MEDIA_BUCKET or (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        return []
    return [
        Error(
            f"Photos cannot be stored in {settings.MEDIA_ROOT}: this user may not write there.",
            hint="Give the folder to the portal's user, or set DRESSPORTAL_VAR or DRESSPORTAL_MEDIA_BUCKET.",
            id="dressportal.E002",
        )
    ]


@register("dressportal", deploy=True)
def production_secrets(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """Beside Django's own checks of the secret key and the hosts."""
    found: list[CheckMessage] = []
    if not settings.PRODUCTION:
        hint = "It demands DRESSPORTAL_SECRET_KEY, DRESSPORTAL_ALLOWED_HOSTS and DATABASE_URL."
        found.append(Error("DRESSPORTAL_ENV is not 'production'.", hint=hint, id="dressportal.E003"))
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Name the hosts in DRESSPORTAL_ALLOWED_HOSTS, separated by commas."
        found.append(Error("Requests for any host are answered.", hint=hint, id="dressportal.E004"))
    if "EMBEDDED_DATA" in settings.DATABASES["default"]:
        hint = "Set DATABASE_URL: the embedded Postgres has neither backups nor replicas."
        found.append(Error("The database is the embedded one.", hint=hint, id="dressportal.E005"))
    return found


@register("dressportal", deploy=True)
def method_of_recommending(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """Not at every command's start: some methods take seconds to load."""
    try:
        if settings.RECOMMEND_METHOD != "off":
            method_to_serve(settings.RECOMMEND_METHOD)
    except (UnknownMethod, KeepsPeople) as error:
        return [
            Error(
                f"No night can fit a recommender: {error}",
                hint="Set DRESSPORTAL_RECOMMEND_METHOD to another method, or to off.",
                id="dressportal.E012",
            )
        ]
    return []


@register(Tags.database)
def schedules(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Asks the database, so it runs with `check --database default`; silent before the first migrate."""
    try:
        stored = set(Schedule.objects.values_list("name", flat=True)) if databases else None
    except DatabaseError:
        stored = None  # no tables yet
    if stored is None or not (missing := sorted({planned.name for planned in SCHEDULES} - stored)):
        return []
    hint = "Run manage.py setup_schedules."
    return [Warning(f"Not scheduled: {', '.join(missing)}.", hint=hint, id="dressportal.W006")]


@register(Tags.database)
def live_weights(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Of a version that was trained here; the shipped ones are asked after whatever the database says."""
    try:
        live = ModelVersion.objects.live() if databases else None
    except DatabaseError:
        live = None
    if live is None or not live.folder or digest_of(folder_of(live)) == live.digest:
        return []
    return [
        Warning(
            f"The weights of the live {live} in {folder_of(live)} are missing or altered.",
            hint="Restore them from a backup. Until then the portal falls back to what was live before.",
            id="dressportal.W008",
        )
    ]


@register(Tags.database)
def vector_search_extension(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Where the graph is wanted and pgvector is not there; exact search goes on."""
    try:
        if not databases or not vector_search.wanted() or vector_search.available():
            return []
    except DatabaseError:
        return []  # no tables yet
    return [
        Warning(
            "This Postgres lacks pgvector: every photo is compared with every catalogue photo.",
            hint="Install pgvector and run CREATE EXTENSION vector; or set DRESSPORTAL_VECTOR_SEARCH=exact.",
            id="dressportal.W010",
        )
    ]


@register("dressportal")
def mail_server(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    if settings.EMAIL_URL or not settings.PRODUCTION:
        return []
    return [
        Warning(
            f"E-mails are written to {settings.EMAIL_FILE_PATH}: nobody receives invitations.",
            hint="Set DRESSPORTAL_EMAIL_URL, such as smtp+tls://user:password@mail.example:587.",
            id="dressportal.W007",
        )
    ]


@register("dressportal")
def fetching_from_here(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """Production does not do it whatever is set; but who set it expects something."""
    if not (settings.PRODUCTION and settings.FETCH_LOOPBACK):
        return []
    hint = "Unset DRESSPORTAL_FETCH_LOOPBACK: it is for tests and the demo."
    return [Error("Photos may be fetched from this machine.", hint=hint, id="dressportal.E011")]


@register("dressportal")
def classifier_socket(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    path = os.fsencode(settings.CLASSIFIER_SOCKET)
    if len(path) <= LONGEST_SOCKET:
        return []
    return [
        Warning(
            f"The classifier's socket has a path of {len(path)} bytes, and may have {LONGEST_SOCKET}.",
            hint="Set DRESSPORTAL_CLASSIFIER_SOCKET to a shorter one; until then the API names no photos.",
            id="dressportal.W009",
        )
    ]


def _readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)


def _nearest(path: Path) -> Path:
    """The path itself, or what it would be made in."""
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())
