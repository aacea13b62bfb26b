"""``manage.py evaluate_deepdress``: how good DeepDress is, in figures and as a page anyone can read."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from ml import classifier_baseline, held_out
from ml.checkpoint import CheckpointRefused
from ml.deepdress import DeepDress, best_device
from ml.evaluate_embedder import Evaluation, evaluate
from ml.evaluation_report import page
from ml.evaluation_table import table
from ml.manifest import ManifestError
from ml.photos import UnreadablePhoto
from verify.management import evaluation_files

DRESSES = 120


class Command(BaseCommand):
    help = "Name held-out photos with DeepDress and say how well that went, beside baselines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--manifest", type=Path, metavar="FILE", help="labelled photos; without it a wardrobe is drawn"
        )
        parser.add_argument(
            "--weights",
            type=Path,
            default=settings.DEEPDRESS_WEIGHTS,
            metavar="DIR",
            help="what is evaluated (default: the shipped weights, %(default)s)",
        )
        parser.add_argument("--against", type=Path, metavar="DIR", help="another version to stand beside it")
        parser.add_argument(
            "--classifier", type=Path, metavar="DIR", help="a baseline of ml.train_embedder --loss classifier"
        )
        parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file")

        parser.add_argument(
            "--report", type=Path, metavar="OUT", help="write a page of HTML with pictures, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for option in ("json", "report"):
            evaluation_files.check(options[option])
        folders = [folder for folder in (options["weights"], options["against"]) if folder]
        try:
            models = [DeepDress.load(folder) for folder in folders]
            classifier = (
                classifier_baseline.load(given, best_device()) if (given := options["classifier"]) else None
            )
            with tempfile.TemporaryDirectory() as folder:
                found = evaluate(_photos(options["manifest"], Path(folder)), models, classifier=classifier)
                # While a drawn wardrobe's photos are still there.
                evaluation_files.write(found, page, options["json"], options["report"])
        except (CheckpointRefused, ManifestError, UnreadablePhoto) as error:
            raise CommandError(f"{error}.") from error
        Console(file=self.stdout, width=None if self.stdout.isatty() else 140).print(_told(found))


def _photos(manifest: Path | None, folder: Path) -> held_out.HeldOut:
    return held_out.read(manifest) if manifest else held_out.draw(DRESSES, seed=1, folder=folder)


def _told(found: Evaluation) -> Table:
    columns, rows = table(found)
    told = Table("", *columns, title=found.data.source, caption="\n".join(found.notes) or None)
    for column in told.columns[1:]:
        column.justify = "right"
    for label, cells in rows:
        told.add_row(label, *cells)
    return told
