"""``manage.py fit_recommender``: learn from what shoppers did, and serve that if it is no worse."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommend import nightly
from recommend.methods import UnknownMethod
from recommend.spark import SparkAls
from recommend.spark_session import SparkRefused
from verify.only_one import Busy


class Command(BaseCommand):
    help = (
        "Fit the method of DRESSPORTAL_RECOMMEND_METHOD, or another, to what shoppers did; compare it on the "
        "last week, held out, with the version that serves; publish it unless it is worse beyond noise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--method",
            default=settings.RECOMMEND_METHOD,
            help="such as EASE:lambda=500 (default: %(default)s)",
        )
        parser.add_argument(
            "--engine",
            choices=("here", "spark"),
            default="here",
            help="spark: its own ALS, SPARK_ALS, unless --method names it with options (docs/scale.md)",
        )

    def handle(self, *args: Any, method: str, engine: str, **options: Any) -> None:
        if engine == "spark" and not method.startswith(SparkAls.name):
            method = SparkAls.name
        try:
            nightly.fit(method, self.say)
        except (Busy, UnknownMethod, SparkRefused) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Nothing changes: {error}.") from error

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
