"""``manage.py export_training_set``: a manifest and its photos to train DeepDress on."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import track
from rich.table import Table

from verify import training_export
from verify.only_one import Busy
from verify.splits import SPLITS
from verify.training_export import MANIFEST, Choice, Report

NAMED = 20  # missing photos
ROLES = ("catalogue", "review", "look", "negative")


class Command(BaseCommand):
    help = (
        f"Write FOLDER/{MANIFEST} and the photos beside it: the catalogue, and posts settled as a dress or "
        "as none, split by person and photo. docs/training.md says what goes where."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
        parser.add_argument(
            "--held-out",
            type=float,
            default=0.1,
            metavar="SHARE",
            help="of people for the test, and as many for validation; of dresses half of it "
            "(default: %(default)s)",
        )

        parser.add_argument(
            "--unanswered",
            action="store_true",
            default=settings.TRAIN_ON_UNANSWERED,
            help="also photos whose owner has not said yes to their use; never those whose owner said no",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder, held_out = options["out"], options["held_out"]
        if not 0 <= held_out < 0.5:
            raise CommandError(f"--held-out {held_out}: expected a share from 0 to less than .5.")
        try:
            report = training_export.write(folder, Choice(held_out, options["unanswered"]), shown)
        except Busy as busy:
            raise CommandError(str(busy)) from busy
        except OSError as error:
            raise CommandError(f"Nothing is exported to {folder}: {error.strerror or error}.") from error
        for name in report.missing[:NAMED]:
            self.stderr.write(f"Missing from the storage, and left out: {name}")
        if len(report.missing) > NAMED:
            self.stderr.write(f"… and {len(report.missing) - NAMED:,} more.")
        self.stdout.write(_tables(report))
        self.stdout.write(f"{report.rows.total():,} photos in {folder / MANIFEST}.")


def shown(rows: Iterable[Any], doing: str, total: int) -> Iterable[Any]:
    console = Console(stderr=True)
    return track(rows, doing, total, console=console, disable=not console.is_terminal)


def _tables(report: Report) -> str:
    photos = Table("photos", *SPLITS)
    for role in ROLES:
        photos.add_row(role, *(f"{report.rows[role, split]:,}" for split in SPLITS))
    left_out = Table("left out", "photos or posts")
    for reason, count in report.left_out.items():
        if count:
            left_out.add_row(reason, f"{count:,}")
    console = Console()
    with console.capture() as captured:
        console.print(photos, *([left_out] if left_out.rows else []))
    return captured.get()
