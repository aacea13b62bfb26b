"""``manage.py fit_recommender``: learn from what shoppers did, and serve that if it is no worse."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommend import nightly
from recommend.methods import KeepsPeople, UnknownMethod
from recommend.models import Interaction
from recommend.spark import Jdbc, Parquet, Source, SparkAls
from recommend.spark_session import SparkRefused
from verify.only_one import Busy

FOR_JDBC = ("table", "driver", "split_by", "parts")


class Command(BaseCommand):
    help = (
        "Fit the method of DRESSPORTAL_RECOMMEND_METHOD, or another, to what shoppers did; compare it on the "
        "last week, held out, with the version that serves; publish it unless it is worse beyond noise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--method", help="such as EASE:lambda=500 (default: the setting's)")
        parser.add_argument(
            "--engine",
            choices=("here", "spark"),
            default="here",
            help="spark: its own ALS, SPARK_ALS, from what it reads itself (docs/scale.md)",
        )
        sources = parser.add_argument_group(
            "What Spark reads",
            "Interactions, in columns as the portal's table has them; or ratings: user, item, rating, at.",
        )
        where = sources.add_mutually_exclusive_group()
        where.add_argument(
            "--parquet", metavar="DIR", help="a folder or a file, such as s3a://shop/interactions/"
        )
        where.add_argument("--jdbc", metavar="URL", help="such as jdbc:postgresql://host/portal?user=reader")
        sources.add_argument(
            "--table", help=f"or a query in brackets with a name (default: {Interaction._meta.db_table})"
        )
        sources.add_argument("--driver", type=Path, metavar="JAR", help="of the database")
        sources.add_argument(
            "--split-by",
            metavar="COLUMN",
            help="of whole numbers, to read in parts at the same time: dress_id, say",
        )
        sources.add_argument("--parts", type=int, help=f"so many (default: {Jdbc.parts})")

    def handle(self, *args: Any, **options: Any) -> None:
        source = _source(options)
        try:
            nightly.fit(_method(options), self.say, source=source)
        except (Busy, UnknownMethod, KeepsPeople, SparkRefused) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Nothing changes: {error}.") from error

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _method(options: dict[str, Any]) -> str:
    told: str | None = options["method"]
    return told or (SparkAls.name if options["engine"] == "spark" else settings.RECOMMEND_METHOD)


def _source(options: dict[str, Any]) -> Source | None:
    told = [name for name in ("parquet", "jdbc", *FOR_JDBC) if options[name] is not None]
    if options["engine"] != "spark":
        if told:
            raise CommandError(f"{_option(told[0])} goes with --engine spark.")
        return None
    if options["parquet"]:
        if len(told) > 1:
            raise CommandError(f"{_option(told[1])} goes with --jdbc.")
        return Parquet(options["parquet"])
    if not options["jdbc"]:
        raise CommandError(
            "--engine spark needs what to read: --parquet DIR or --jdbc URL. "
            "What fits into this machine's memory is learnt faster without Spark."
        )
    return _jdbc(**{name: options[name] for name in ("jdbc", *FOR_JDBC)})


def _jdbc(jdbc: str, table: str | None, driver: Path | None, split_by: str | None, parts: int | None) -> Jdbc:
    if parts is not None and parts < 1:
        raise CommandError(f"--parts {parts}: expected 1 or more.")
    table = table or Interaction._meta.db_table
    return Jdbc(jdbc, table, driver, split_by or "", Jdbc.parts if parts is None else parts)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
