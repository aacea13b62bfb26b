"""``manage.py rollback_recommender``: back to the version that served before."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommend import versions


class Command(BaseCommand):
    help = "Let the version serve that served before the one that does now; once more leads further back."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            left, back = versions.roll_back()
        except versions.Unchanged as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write(f"{back} serves from the next request on, in the place of {left}.")
