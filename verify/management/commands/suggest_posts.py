import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from verify import changeover, suggest, versions
from verify.models import Post


class Command(BaseCommand):
    help = "Let DeepDress propose for every post that waits, here and now, with progress."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", type=Path, metavar="OUT", help="write the counts to this file, too")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = propose()
        except versions.NotReady as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            write(options["json"], counts)
        self.stdout.write(
            ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()) + "."
        )


def write(path: Path, counts: dict[str, int]) -> None:
    try:
        path.write_text(json.dumps(counts) + "\n")
    except OSError as error:
        raise CommandError(f"{path}: the counts cannot be written ({error.strerror}).") from error


def propose() -> dict[str, int]:
    """Work off catalogue and posts; returns how many photos were embedded, posts proposed, and so on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        version = versions.activated(versions.deepdress())
        photos = bars.add_task("catalogue photos", total=suggest.photos_to_embed(version).count())
        while changeover.warm(progress=lambda done: bars.advance(photos, done)):
            pass
        suggest.embed_catalogue(progress=lambda done: bars.advance(photos, done))
        waiting = Post.objects.filter(state=Post.State.WAITING)
        set_aside = Post.objects.filter(state=Post.State.SET_ASIDE)
        before = set_aside.count()
        posts = bars.add_task("posts", total=waiting.count())
        done = suggest.suggest_waiting(progress=lambda done: bars.advance(posts, done))
        while waiting.exists():  # in another worker's hands, which may be dead
            time.sleep(1)
            done += suggest.suggest_waiting(progress=lambda done: bars.advance(posts, done))
    lost = set_aside.count() - before
    embedded = int(bars.tasks[photos].completed)
    return {"embedded": embedded, "proposed": done - lost, "set_aside": lost}
