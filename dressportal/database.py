"""Which database: the one `DATABASE_URL` names, or the Postgres that comes with the portal."""

import os
from pathlib import Path
from typing import Any

import dj_database_url

from dressportal.embedded_postgres.server import USER, Server

EMBEDDED_ENGINE = "dressportal.embedded_postgres"


def configuration(var: Path, url: str | None = None) -> dict[str, Any]:
    """One entry of Django's DATABASES.

    `var` is the folder that the embedded server lives under; it is created and started by the first
    connection, never here, so that commands without a database do not start one. With a `url` nothing is
    embedded. The pool is for the web process alone (`DRESSPORTAL_POOL=1`): it breaks in the worker's forks.

    Raises ValueError or dj_database_url's own errors for a malformed `url`.
    """
    parsed = dict(dj_database_url.parse(url)) if url else _embedded(var)
    options = {**parsed.get("OPTIONS", {})}
    pooled = os.environ.get("DRESSPORTAL_POOL") == "1"
    if pooled:
        options["pool"] = {"min_size": 2, "max_size": 8, "timeout": 5}
        # Prepared at their fifth use: planning a vote's statements takes Postgres longer than running them.
        # Not in imports and the like, whose statements have more parameters than this allows.
        options |= {"server_side_binding": True, "prepare_threshold": 5}
    return {
        **parsed,
        "OPTIONS": options,
        "CONN_MAX_AGE": 0 if pooled else 600,
        "CONN_HEALTH_CHECKS": True,
    }


def leave(default: dict[str, Any], patience: float) -> bool:
    """Ends this process's use of the database.

    Waits up to `patience` seconds for the embedded server to stop. False if it has not: others use it.
    """
    if default["ENGINE"] != EMBEDDED_ENGINE:
        return True
    return Server(Path(default["EMBEDDED_DATA"])).leave(patience)


def _embedded(var: Path) -> dict[str, Any]:
    server = Server(var.resolve() / "postgres")
    return {
        "ENGINE": EMBEDDED_ENGINE,
        "NAME": USER,
        "USER": USER,
        "HOST": str(server.socket_folder),
        "PORT": "5432",  # only the socket's name: nothing listens on TCP
        "EMBEDDED_DATA": str(server.data),
    }
