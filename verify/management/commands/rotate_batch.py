"""``manage.py rotate_batch``: the nightly change of batches, now."""

import json
from argparse import ArgumentTypeError
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from verify import rotation


def a_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date: expected YYYY-MM-DD, such as 2026-06-01.") from None


class Command(BaseCommand):
    help = "Freeze the open batch, settle and publish what is decided, open the next one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on", type=a_date, metavar="DATE", help="freeze only what was open before this day (UTC)"
        )
        parser.add_argument("--json", type=Path, metavar="OUT", help="also write what was done to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotation.rotate(on=options["on"])
        for sentence in done.in_words():
            self.stdout.write(sentence)
        if options["json"]:
            _write(options["json"], json.dumps(asdict(done), cls=DjangoJSONEncoder, indent=2))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n")
    except OSError as error:
        raise CommandError(
            f"The batch is rotated, but {path} cannot be written: {error.strerror}."
        ) from error
