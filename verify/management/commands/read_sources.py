from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from verify.intake import sources
from verify.models import Post, Source


class Command(BaseCommand):
    help = "Reads the sources of posts that are due, or all that are switched on, to their end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--now", action="store_true", help="do not wait until they are due")

    def handle(self, now: bool, **options: Any) -> None:
        if now:
            Source.objects.filter(enabled=True).update(next_run_at=timezone.now())
        before, read = Post.objects.count(), 0
        with tqdm(unit=" posts", disable=None) as bar:
            while sources.read_next(lambda _: bar.update(Post.objects.count() - before - bar.n)):
                read += 1
                bar.update(Post.objects.count() - before - bar.n)
        failed = list(Source.objects.filter(enabled=True, failures__gt=0))
        self.stdout.write(f"{Post.objects.count() - before:,} new posts, in {read} turns.")
        if failed:
            raise CommandError("\n".join(f"{source}: {source.last_error}" for source in failed))
