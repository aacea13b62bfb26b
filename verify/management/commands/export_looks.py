"""``manage.py export_looks``: the golden set as files."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import track

from verify import export
from verify.models import Answer
from verify.only_one import Busy

FORMATS = list(export.WRITERS)
NAME = "looks"


class Command(BaseCommand):
    help = "Write the golden set: settled posts with photo, verdict, posterior, votes and model version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--out",
            type=Path,
            required=True,
            metavar="DIR|FILE",
            help=f"a folder for {NAME}.jsonl and {NAME}.csv, or one file that ends in .jsonl or .csv",
        )
        parser.add_argument(
            "--format", choices=FORMATS, help="only this one (default: both, or as FILE ends)"
        )
        parser.add_argument(
            "--answers",
            nargs="+",
            choices=Answer.values,
            default=list(map(str, export.ANSWERS)),
            metavar="ANSWER",
            help="posts settled as these: dress, not_a_dress, none_of_these (default: the first two)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        paths = paths_for(options["out"], options["format"])
        posts = export.settled(options["answers"]).not_withdrawn()
        total = posts.count()
        console = Console(stderr=True)
        rows = track(export.rows(posts), "Exporting", total, console=console, disable=not console.is_terminal)
        try:
            count = export.write(rows, paths)
        except Busy as busy:
            raise CommandError(str(busy)) from busy
        except OSError as error:
            raise CommandError(f"Nothing is exported to {options['out']}: {error.strerror}.") from error
        written = " and ".join(map(str, paths.values()))
        self.stdout.write(f"{count} settled post{'' if count == 1 else 's'} in {written}.")


def paths_for(out: Path, only: str | None) -> dict[str, Path]:
    """By format; makes the folder if need be. Raises CommandError."""
    kind = out.suffix.lstrip(".")
    if out.suffix and not out.is_dir():
        if kind not in FORMATS:
            raise CommandError(f"{out} ends in {out.suffix}: expected .jsonl, .csv or a folder.")
        if only not in (None, kind):
            raise CommandError(f"--format {only} into {out}: the two contradict one another.")
        return {kind: out}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{out} cannot be a folder: {error.strerror}.") from error
    return {kind: out / f"{NAME}.{kind}" for kind in ([only] if only else FORMATS)}
