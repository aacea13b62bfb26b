"""What `manage.py check` says about an installation."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.utils import timezone

from dressportal import checks
from tests.verify.tiny_weights import a_trained_version
from verify.intake.downloads import guarded
from verify.intake.fetch import fetch
from verify.versions import FILES


def ids(messages: list) -> list[str]:
    return [message.id for message in messages]


def test_missing_model_files_are_named(settings: Any, tmp_path: Path) -> None:
    settings.DEEPDRESS_WEIGHTS = tmp_path
    (tmp_path / "config.json").write_text("{}")
    found = checks.model_files(None)
    assert ids(found) == ["dressportal.W001"] * 2
    assert str(tmp_path / "weights.safetensors") in found[0].msg
    for name in FILES:
        (tmp_path / name).touch()
    assert checks.model_files(None) == []


def test_dream_weights_that_dream_nothing_or_near_nothing_are_warned_about(
    settings: Any, tmp_path: Path
) -> None:
    def said() -> str:
        return "".join(each.msg for each in checks.dream_weights(None) if each.id == "dressportal.W013")

    def tell(folder: Path, **told: Any) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "weights.safetensors").touch()  # never read
        (folder / "config.json").write_text(json.dumps(told))
        return folder

    settings.MODELS_FOLDER = tmp_path / "models"
    settings.DEEPDRESS_WEIGHTS = tell(tmp_path / "own", weights_sha256="a" * 64)
    settings.DEEPDRESS_SHIPPED = tell(tmp_path / "shipped", weights_sha256="b" * 64)
    assert f"{settings.DREAM_WEIGHTS / 'weights.safetensors'} is missing" in said()
    for condition in ("none", "class"):
        tell(settings.DREAM_WEIGHTS, generator={"condition": condition}, deepdress="a" * 64)
        assert "know no tastes" in said()
    for digest, expected in (("", ""), ("a" * 64, ""), ("b" * 64, ""), ("c" * 64, "cccccccc that the dream")):
        tell(settings.DREAM_WEIGHTS, generator={"condition": "embedding"}, deepdress=digest)
        assert expected in said()
        assert bool(expected) == bool(said())
    tell(tmp_path / "models").joinpath("c" * 64).mkdir()
    assert said() == ""


def test_the_weights_that_are_shipped_dream_near_dresses(settings: Any) -> None:
    settings.DREAM_WEIGHTS = settings.BASE_DIR / "ml" / "weights" / "dream"
    assert checks.dream_weights(None) == []


def test_a_media_folder_that_does_not_exist_yet_is_fine_where_it_can_be_made(
    settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "var" / "media"
    assert checks.media_folder(None) == []


def test_an_unwritable_media_folder_is_an_error_unless_photos_go_to_a_bucket(
    settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "media"  # where not even root may write
    assert ids(checks.media_folder(None)) == ["dressportal.E002"]
    settings.MEDIA_BUCKET = "photos"
    assert checks.media_folder(None) == []


def test_deployment_demands_production_hosts_and_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    lax = {"PRODUCTION": False, "ALLOWED_HOSTS": ["*"], "DATABASES": {"default": {"EMBEDDED_DATA": "/var"}}}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(**lax))
    assert ids(checks.production_secrets(None)) == [f"dressportal.E00{n}" for n in (3, 4, 5)]
    strict = {"PRODUCTION": True, "ALLOWED_HOSTS": ["portal.example"], "DATABASES": {"default": {}}}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(**strict))
    assert checks.production_secrets(None) == []


def test_production_without_a_mail_server_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    for production, url, expected in (
        (False, "", []),
        (True, "smtp://mail.example", []),
        (True, "", ["dressportal.W007"]),
    ):
        here = {"PRODUCTION": production, "EMAIL_URL": url, "EMAIL_FILE_PATH": "/srv/var/mail"}
        monkeypatch.setattr(checks, "settings", SimpleNamespace(**here))
        assert ids(found := checks.mail_server(None)) == expected
    assert "/srv/var/mail" in found[0].msg
    assert "DRESSPORTAL_EMAIL_URL" in found[0].hint


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("EASE:lambda=500", ""),
        ("off", ""),
        ("FOLLY", "'FOLLY' is no method"),
        ("EASE:lambda=0", "lambda=0: expected more than 0"),
        ("UBCF", "UBCF keeps what single people did"),
    ],
)
def test_a_method_that_no_night_could_fit_is_an_error(told: str, said: str, settings: Any) -> None:
    settings.RECOMMEND_METHOD = told
    found = [each for each in run_checks(include_deployment_checks=True) if each.id == "dressportal.E012"]
    assert [said in each.msg for each in found] == [True] * bool(said)


def test_production_fetches_nothing_from_its_own_machine(settings: Any) -> None:
    for production, loopback, expected in (
        (False, True, []),
        (True, False, []),
        (True, True, ["dressportal.E011"]),
    ):
        settings.PRODUCTION, settings.FETCH_LOOPBACK = production, loopback
        assert ids(checks.fetching_from_here(None)) == expected
        assert (guarded() is fetch) == (production or not loopback)


def test_a_socket_whose_path_is_too_long_is_warned_about(settings: Any) -> None:
    for length, expected in ((107, []), (108, ["dressportal.W009"])):
        settings.CLASSIFIER_SOCKET = Path("/" + "s" * (length - 1))
        assert ids(checks.classifier_socket(None)) == expected


@pytest.mark.django_db
def test_missing_schedules_are_found_and_set_up_by_the_command_in_the_hint() -> None:
    found = checks.schedules(None, databases=["default"])
    assert ids(found) == ["dressportal.W006"]
    assert "nightly rotation" in found[0].msg
    call_command("setup_schedules", verbosity=0)
    assert checks.schedules(None, databases=["default"]) == []


@pytest.mark.django_db
def test_altered_weights_of_the_live_version_are_found(settings: Any, tmp_path: Path) -> None:
    settings.MODELS_FOLDER = tmp_path
    live = a_trained_version()
    live.go_live(timezone.now(), repropose=False)
    assert checks.live_weights(None, databases=["default"]) == []
    (tmp_path / live.folder / "weights.safetensors").write_bytes(b"half of it")
    [found] = checks.live_weights(None, databases=["default"])
    assert found.id == "dressportal.W008"
    assert str(tmp_path / live.folder) in found.msg
    assert checks.live_weights(None) == []


def test_a_plain_check_asks_no_database() -> None:
    assert "dressportal.W006" not in ids(run_checks())
