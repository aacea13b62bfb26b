"""E-mails of a portal without a mail server: written to files, and told at the terminal."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.filebased import EmailBackend

from dressportal import mailbox

FILES = "django.core.mail.backends.filebased.EmailBackend"


class Enough(Exception):
    pass


def send(
    to: str, subject: str = "Möchtest du?", link: str = "http://localhost:8000/password/set/Mg/x-y/"
) -> None:
    letter = EmailMultiAlternatives(subject, f"Hallo Zoë,\n\nhier:\n{link}\n", to=[to])
    letter.attach_alternative("<a href='http://elsewhere.example/'>ja</a>", "text/html")
    letter.send()


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = FILES, tmp_path
    return tmp_path


def test_a_letter_is_told_with_its_link(folder: Path) -> None:
    send("zoe@office.example")
    [file] = folder.iterdir()
    assert list(mailbox.told(file.read_bytes())) == [
        "E-mail to zoe@office.example: Möchtest du? http://localhost:8000/password/set/Mg/x-y/"
    ]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe nonsense", b"Subject: none\n\nno link"])
def test_what_holds_no_link_is_not_told(content: bytes) -> None:
    assert list(mailbox.told(content)) == []


@pytest.fixture(params=["a file each", "all in one file"])
def one_name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend names a file by second and address: two letters may share one, or not."""
    names = (f"{number}.log" for number in itertools.count())
    same = itertools.repeat("same.log")
    files = same if request.param == "all in one file" else names
    monkeypatch.setattr(
        EmailBackend, "_get_filename", lambda backend: str(Path(backend.file_path) / next(files))
    )


@pytest.mark.usefixtures("one_name")
def test_only_new_and_whole_letters_are_told_and_each_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send("old@office.example")
    said: list[str] = []

    def first() -> None:
        send("ann@office.example")
        (folder / "half.log").write_bytes(b"To: half@office.example\n\nhttp://half")

    def enough() -> None:
        raise Enough

    seconds = iter([first, lambda: None, lambda: send("bo@office.example"), lambda: None, enough])
    monkeypatch.setattr(mailbox.time, "sleep", lambda _: next(seconds)())
    with pytest.raises(Enough):
        mailbox.follow(folder, said.append)
    assert [line.split(":")[0] for line in said] == [
        f"E-mail to {who}@office.example" for who in ("ann", "bo")
    ]


def settings_with(**variables: str) -> dict[str, Any]:
    """Settings about e-mail of a process with these variables in its environment."""
    names = ["EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_FILE_PATH"]
    names += ["PORTAL_URL", "DEFAULT_FROM_EMAIL", "PASSWORD_RESET_TIMEOUT"]
    script = f"""import json
from django.conf import settings
print(json.dumps({{name: str(getattr(settings, name)) for name in {names!r}}}))"""
    known = {"DJANGO_SETTINGS_MODULE": "dressportal.settings", "DRESSPORTAL_VAR": str(project_settings.VAR)}
    environment = {"PATH": os.environ["PATH"], **known, **variables}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, env=environment, cwd=project_settings.BASE_DIR, capture_output=True, check=True
    )
    return json.loads(done.stdout)


def test_without_any_setting_e_mails_are_files_that_link_to_this_machine() -> None:
    found = settings_with(PORT="8123")
    assert found["EMAIL_BACKEND"] == FILES
    assert found["EMAIL_FILE_PATH"] == str(project_settings.VAR / "mail")
    assert found["PORTAL_URL"] == "http://localhost:8123"
    assert found["PASSWORD_RESET_TIMEOUT"] == str(3 * 24 * 60 * 60)


def test_production_names_a_mail_server_and_links_to_its_first_host() -> None:
    found = settings_with(
        DRESSPORTAL_ENV="production",
        DRESSPORTAL_SECRET_KEY="x" * 60,
        DRESSPORTAL_ALLOWED_HOSTS=".dresses.example,localhost",
        DATABASE_URL="postgres://portal@localhost/portal",
        DRESSPORTAL_EMAIL_URL="smtp+tls://portal:secret@mail.example:587",
        DRESSPORTAL_LINK_DAYS="7",
    )
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"]) == (
        "mail.example",
        "587",
        "True",
    )
    assert found["PORTAL_URL"] == "https://dresses.example"
    assert found["DEFAULT_FROM_EMAIL"] == "dressportal <no-reply@dresses.example>"
    assert found["PASSWORD_RESET_TIMEOUT"] == str(7 * 24 * 60 * 60)


def test_tests_send_nothing_anywhere() -> None:
    send("ann@office.example")
    assert len(mail.outbox) == 1
