from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from verify.intake import report
from verify.intake.posts import import_posts
from verify.models import Post
from verify.models.post import INSTAGRAM


class Command(BaseCommand):
    help = "Takes in customers' posts from JSON lines. Run it again for what has changed."

    def add_arguments(self, parser: CommandParser) -> None:
        report.add_arguments(parser)
        parser.add_argument("--source", default=INSTAGRAM, help="(default: %(default)s)")
        parser.add_argument(
            "--rights",
            choices=Post.Rights.values,
            help="of every post in the file; without it, new ones are unknown and others keep what they have",
        )

    def handle(self, **options: Any) -> None:
        outcomes = import_posts(
            options["file"],
            source=options["source"],
            rights=options["rights"],
            batch_rows=options["batch_rows"],
        )
        report.report(self, outcomes, options)
