"""Which database the settings get."""

from pathlib import Path

import pytest

from dressportal import database


def test_without_a_url_it_is_the_embedded_one_and_nothing_is_started_or_written(tmp_path: Path) -> None:
    default = database.configuration(tmp_path / "var", None)
    assert default["ENGINE"] == "dressportal.embedded_postgres"
    assert default["EMBEDDED_DATA"] == str(tmp_path / "var" / "postgres")
    assert not (tmp_path / "var").exists()


def test_two_checkouts_have_two_servers(tmp_path: Path) -> None:
    here, there = (database.configuration(tmp_path / name, None) for name in ("here", "there"))
    assert here["HOST"] != there["HOST"]


def test_a_url_wins_and_keeps_its_own_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRESSPORTAL_POOL", "1")
    url = "postgres://anna:secret@/portal?host=/run/pg&sslmode=require"
    default = database.configuration(tmp_path, url)
    assert default["ENGINE"] == "django.db.backends.postgresql"
    assert (default["NAME"], default["USER"]) == ("portal", "anna")
    assert default["OPTIONS"]["host"] == "/run/pg"
    assert default["OPTIONS"]["sslmode"] == "require"
    assert default["OPTIONS"]["pool"]["max_size"] == 8


def test_the_pool_is_for_the_web_process_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRESSPORTAL_POOL", raising=False)
    alone = database.configuration(tmp_path, "postgres://anna@db/portal")
    assert alone["OPTIONS"] == {}
    assert alone["CONN_MAX_AGE"] == 600
    monkeypatch.setenv("DRESSPORTAL_POOL", "1")
    # Django refuses persistent connections beside a pool.
    assert database.configuration(tmp_path, "postgres://anna@db/portal")["CONN_MAX_AGE"] == 0
