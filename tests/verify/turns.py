"""How tests of the game read a page and send an answer."""

import re
from collections.abc import Sequence
from typing import Any

from django.test import Client
from django.urls import reverse


def cards(response: Any) -> list[int]:
    return [int(pk) for pk in re.findall(r'data-lease="(\d+)"', response.content.decode())]


def answer(client: Client, lease: int, choice: str, held: Sequence[int] = (), htmx: bool = True) -> Any:
    headers = {"HX-Request": "true"} if htmx else {}
    data = {"lease": lease, "choice": choice, "held": held}
    return client.post(reverse("vote"), data, headers=headers)
