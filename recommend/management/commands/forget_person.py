"""``manage.py forget_person``: everything of a person, deleted."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recommend.models import Interaction, ShopperKind, shopper_key
from verify import forgetting
from verify.forgetting import Person, Report


class Command(BaseCommand):
    help = "Delete all that is kept of a person: posts with their photos, votes on them, reviews, opt-outs."

    def add_arguments(self, parser: CommandParser) -> None:
        add_person(parser)
        parser.add_argument(
            "--shopper", metavar="KEY", help="and what they did in the shop: the key it knows"
        )
        parser.add_argument("--block", action="store_true", help="refuse what --handle posts from now on")
        parser.add_argument("--dry-run", action="store_true", help="say what would be deleted")

    def handle(self, **options: Any) -> None:
        person = named(options)
        if options["block"] and not person.handle:
            raise CommandError("--block needs --handle.")
        count = person.posts().count()
        if options["dry_run"]:
            self.stdout.write(f"{count:,} posts and {person.opt_outs().count():,} opt-outs would be deleted.")
            return
        with tqdm(total=count, unit=" posts", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
            report = forgetting.forget(person, options["block"], bar.update)
        if options["shopper"]:
            report.removed["Interaction"] = _of_the_shopper(options["shopper"])
        for line in report.lines() or ["Nothing was there."]:
            self.stdout.write(line)
        for line in Report.windows():
            self.stdout.write(f"- {line}")


def _of_the_shopper(key: str) -> int:
    return sum(Interaction.objects.forget(shopper_key(kind, key)) for kind in ShopperKind)


def add_person(parser: CommandParser) -> None:
    parser.add_argument("--handle", default="", help="their user name")
    parser.add_argument("--permalink", default="", help="the address of a post of theirs")
    parser.add_argument("--media-id", default="", help="the id of a medium")
    parser.add_argument("--email", default="", help="the e-mail address of a review or an opt-out")


def named(options: dict[str, Any]) -> Person:
    """Raises CommandError."""
    told = {name: options[name].replace("\0", "") for name in ("handle", "permalink", "media_id", "email")}
    if not (person := Person(**told)).is_named:
        raise CommandError("Whom? Give --handle, --permalink, --media-id or --email, or several of them.")
    return person
