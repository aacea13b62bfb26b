from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from verify.intake import report
from verify.intake.instagram.export import export_batches
from verify.intake.rows import Outcome
from verify.models import Post


class Command(BaseCommand):
    help = "Takes in the posts of an Instagram account from its own export, a ZIP with JSON in it."

    def add_arguments(self, parser: CommandParser) -> None:
        report.add_arguments(parser)
        parser.add_argument("--rights", choices=Post.Rights.values, help="of every post in the export")

    def handle(self, **options: Any) -> None:
        def outcomes() -> Iterator[Outcome]:
            for batch in export_batches(options["file"], options["rights"], options["batch_rows"]):
                yield from batch

        report.report(self, outcomes(), options)
