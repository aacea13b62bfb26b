from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize
import scipy.stats  # both at their first use otherwise, which would be past some example's deadline  # noqa: F401
from django.core.cache import cache
from django.core.management.commands import flush
from django.db.backends.postgresql.operations import DatabaseOperations

from recommend.spark_session import SparkRefused, check_spark, session
from verify import looking

MADE_BY_MIGRATING = {"django_content_type", "auth_permission"}


def _delete_all(operations: DatabaseOperations, style: Any, tables: list[str], **options: Any) -> list[str]:
    """In a tenth of the time of TRUNCATE, which makes new files for a hundred tables and their indices."""
    filled = [operations.quote_name(table) for table in tables if table not in MADE_BY_MIGRATING]
    return ["SET LOCAL session_replication_role = replica", *(f"DELETE FROM {table}" for table in filled)]


@pytest.fixture(autouse=True, scope="session")
def quickly_emptied() -> Iterator[None]:
    """What a test with transactions of its own leaves in the database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", _delete_all)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_: None)  # they are there still
        yield


@pytest.fixture(autouse=True)
def media_of_its_own(settings: pytest.FixtureRequest, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.RECOMMENDERS_FOLDER = tmp_path / "recommenders"
    settings.DREAM_WEIGHTS, settings.DREAMS_FOLDER = tmp_path / "dream", tmp_path / "dreams"
    cache.clear()


@pytest.fixture(autouse=True)
def nobody_is_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """So nobody is waited for."""
    monkeypatch.setattr("verify.classifier.client.STARTING", 0.0)


@pytest.fixture(autouse=True)
def waited_for() -> Iterator[None]:
    """What a test looks at does not wait until no other test wants the processor."""
    with looking.waited_for():
        yield


@pytest.fixture(autouse=True)
def quick_passwords(settings: pytest.FixtureRequest) -> None:
    """The real hashers are slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def static_files_when_asked_for(settings: pytest.FixtureRequest) -> None:
    """Otherwise each client that a test makes reads them all at its first request."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def no_chance(settings: pytest.FixtureRequest) -> None:
    """No card of known answer and no audited post but where a test asks for them."""
    settings.GOLD_SHARE = settings.AUDIT_SHARE = 0


DRIVERS = (  # of Postgres, for Java: Debian's, and Maven's
    *Path("/usr/share/java").glob("postgresql.jar"),
    *(Path.home() / ".m2/repository/org/postgresql/postgresql").glob("*/*.jar"),
)
DRIVER = next(iter(DRIVERS), None)


@pytest.fixture(autouse=True)
def open_gates(settings: pytest.FixtureRequest) -> None:
    """Drawn in one colour, most tests' photos would be kept back; tests of the gates close them."""
    settings.GATES = {}


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    try:
        check_spark()
    except SparkRefused as reason:
        pytest.skip(str(reason))
    with session(DRIVER) as running:
        yield running


@pytest.fixture(autouse=True)
def one_spark(request: pytest.FixtureRequest) -> None:
    """Of all tests that need it: to start one takes ten seconds."""
    if request.node.get_closest_marker("spark"):
        request.getfixturevalue("spark")
