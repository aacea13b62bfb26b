import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dressportal.demo import people, world


class Command(BaseCommand):
    help = "Fill an empty database with the demo world: dresses, posts, an office and its votes."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="Do nothing where there is data already.")
        parser.add_argument("--seed", type=int, default=2026)

    def handle(self, *args: Any, if_empty: bool, seed: int, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo has known passwords: it is not for DRESSPORTAL_ENV=production.")
        if world.is_empty() or world.is_half_built():
            world.build(seed)
            self.tell_accounts()
        elif not if_empty:
            raise CommandError("The demo wants an empty database; this one has dresses, posts or employees.")

    def tell_accounts(self) -> None:
        lines = [
            f"employee  {people.EXAMPLE}  {people.PASSWORD}",
            f"newcomer  {people.NEWCOMER}  {people.PASSWORD}",
            f"admin     {people.ADMIN}  {people.PASSWORD}",
        ]
        (settings.VAR / "demo-accounts.txt").write_text("\n".join(lines) + "\n")
        self.stdout.write("\n".join(lines))
