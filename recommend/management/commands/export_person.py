"""``manage.py export_person``: everything of a person, to be handed over."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommend.management.commands.forget_person import add_person, named
from verify import person_file


class Command(BaseCommand):
    help = "Write all that is kept of a person into a ZIP: a JSON file and the photos."

    def add_arguments(self, parser: CommandParser) -> None:
        add_person(parser)
        parser.add_argument("--out", type=Path, required=True, metavar="FILE.zip")

    def handle(self, **options: Any) -> None:
        person, out = named(options), options["out"]
        draft = out.with_name(f".{out.name}.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                count = person_file.write(person, file)
            draft.replace(out)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        finally:
            draft.unlink(missing_ok=True)
        self.stdout.write(f"{count:,} posts in {out}.")
