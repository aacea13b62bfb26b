from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from verify import measuring
from verify.models import Photo


class Command(BaseCommand):
    help = "Measures photos from before the quality gates, so that copies of them are found; may be stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, metavar="N", help="photos at most; all unless told")

    def handle(self, limit: int | None, **options: Any) -> None:
        waiting = Photo.objects.unmeasured().count()
        total = waiting if limit is None else min(limit, waiting)
        with tqdm(total=total, unit=" photos", disable=None) as bar:
            photos = measuring.measure_photos(limit, bar.update)
        posts = measuring.judge_posts()
        self.stdout.write(
            f"{photos['measured']:,} photos measured, {photos['unreadable']:,} could not be read;"
            f" {posts['judged']:,} posts judged, {posts['held']:,} of them held back."
        )
