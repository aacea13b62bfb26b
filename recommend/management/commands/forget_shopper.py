from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from recommend.models import Interaction, ShopperKind, shopper_key


class Command(BaseCommand):
    help = (
        "Delete all that is stored of a shopper. What was learnt from it ends with the next version that "
        "serves; older versions, in which nobody is named, are kept until they are cleared away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--user", help="the key that the shop's server knows them by")
        who.add_argument("--visitor", help="the random key in their browser")

    def handle(self, *, user: str | None, visitor: str | None, **options: Any) -> None:
        kind, key = (ShopperKind.VISITOR, visitor) if user is None else (ShopperKind.USER, user)
        count = Interaction.objects.forget(shopper_key(kind, str(key)))
        self.stdout.write(f"{count:,} rows deleted.")
