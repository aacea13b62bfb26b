"""``manage.py refit_votes``: the nightly re-fit of everybody's reliability, now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from verify import refit
from verify.models import Refit, Reliability


class Command(BaseCommand):
    help = "Learn from all votes how far each voter can be believed; reopen what is in doubt by that."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--voters", type=int, default=20, metavar="N", help="show the N least reliable (default 20)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(stderr=True)
        with console.status("Reading all votes…") as status:

            def say(sentence: str) -> None:
                console.print(sentence)
                status.update("Working…")

            fitted = refit.refit(progress=say)
        self.stdout.write(summary(fitted))
        Console(file=self.stdout._out).print(table(options["voters"]))


def summary(fitted: Refit) -> str:
    weight = f"A vote weighs {fitted.vote_weight:.2f}." if fitted.diagram else "Too early to weigh votes."
    return (
        f"{fitted.votes:,} votes, {fitted.posts:,} posts and {fitted.voters:,} voters in"
        f" {fitted.seconds:.1f} s. {fitted.reopened:,} reopened. {fitted.audited:,} posts of the audit"
        f" sample have a label. {weight}"
    )


def table(most: int) -> Table:
    voters = Table("voter", "right", "95% interval", "votes", "gold", "muted")
    for row in Reliability.objects.select_related("employee").order_by("estimate", "pk")[:most]:
        interval = f"{row.low:.0%} to {row.high:.0%}"
        gold = f"{row.gold_right} of {row.gold_seen}"
        voters.add_row(
            str(row.employee), f"{row.estimate:.1%}", interval, f"{row.votes:,}", gold, row.muted_because
        )
    return voters
