"""Whatever the classifier does, a web process keeps threads for those who vote and shop."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import load_command_class
from django.test import Client

from recommend import dreams
from recommend.dreams import Unavailable
from tests.make import make_api_key, make_dreams
from verify.dreaming.dream import Dream
from verify.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def hung(settings: Any, tmp_path: Path) -> Iterator[socket.socket]:
    """A classifier that takes calls and never answers."""
    settings.CLASSIFIER_SOCKET = tmp_path / "socket"
    settings.DREAM_TIMEOUT = settings.CLASSIFIER_TIMEOUT = timedelta(seconds=120)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(settings.CLASSIFIER_SOCKET))
        listener.listen()
        listener.settimeout(120)
        yield listener


def called(listener: socket.socket) -> bool:
    """Whether anybody has called in the meantime."""
    listener.setblocking(False)
    try:
        return bool(listener.accept())
    except BlockingIOError:
        return False
    finally:
        listener.settimeout(120)


def test_a_classifier_that_hangs_takes_few_threads_and_gives_them_back(
    client: Client, settings: Any, hung: socket.socket
) -> None:
    make_dreams([7])
    key = {"Authorization": f"Bearer {make_api_key(scopes=[ApiKey.Scope.CLASSIFY, ApiKey.Scope.REVIEWS])[1]}"}
    for _ in range(2):  # what was taken is free again
        with ThreadPoolExecutor() as web:
            waiting = [web.submit(dreams._drawn, [Dream(seed)], "") for seed in range(settings.SLOW_AT_ONCE)]
            calls = [hung.accept()[0] for _ in waiting]
            photo = {"photo": SimpleUploadedFile("photo.jpg", b"photo")}
            busy = [
                client.get("/api/v1/dreams/8.webp"),
                client.post("/api/v1/classify/", photo, headers=key),
                client.post("/api/v1/reviews/", {}, headers=key),
            ]
            assert client.get("/api/v1/dreams/7.webp").status_code == 200  # nobody need be asked
            assert not called(hung)
            for call in calls:
                call.close()
            assert all(isinstance(each.exception(), Unavailable) for each in waiting)
        assert [(answer.status_code, answer["Retry-After"]) for answer in busy] == [(503, "1")] * 3


def test_a_web_process_has_more_threads_than_may_wait(settings: Any) -> None:
    command = load_command_class("dressportal", "serve")
    command.host, command.port = "127.0.0.1", 8000
    options = command.web().command
    threads = int(options[options.index("--blocking-threads") + 1])
    assert threads - 2 >= settings.SLOW_AT_ONCE
