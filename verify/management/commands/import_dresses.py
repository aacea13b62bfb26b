from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from verify.intake import report
from verify.intake.catalogue import COLUMNS, ENCODINGS, import_catalogue


class Command(BaseCommand):
    help = f"Takes in the dresses of a CSV file: {','.join(COLUMNS)}. Run it again for what has changed."

    def add_arguments(self, parser: CommandParser) -> None:
        report.add_arguments(parser)
        parser.add_argument("--encoding", choices=ENCODINGS, default="utf-8", help="(default: utf-8)")

    def handle(self, **options: Any) -> None:
        outcomes = import_catalogue(
            options["file"], encoding=options["encoding"], batch_rows=options["batch_rows"]
        )
        report.report(self, outcomes, options)
