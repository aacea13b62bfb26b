"""``manage.py retrain_deepdress``: the next DeepDress from what people verified, live if it is better."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from verify import retraining
from verify.management.commands.export_training_set import shown
from verify.models import ModelVersion
from verify.only_one import Busy
from verify.retraining import Plan
from verify.suggest import NotReady
from verify.training_export import Choice


class Command(BaseCommand):
    help = (
        "Export what people have verified, train on it, compare the result with the live version on the "
        "golden posts, and let it go live if it is better beyond noise. docs/training.md says how."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        length = parser.add_mutually_exclusive_group()
        length.add_argument("--minutes", type=float, help=f"of training (default {settings.RETRAIN_MINUTES})")
        length.add_argument("--steps", type=int, help="of training, in the place of minutes")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--device", default="", help="cpu, cuda, mps (default: the best there is)")
        parser.add_argument(
            "--held-out", type=float, default=0.1, metavar="SHARE", help="as of export_training_set"
        )
        parser.add_argument(
            "--unanswered", action="store_true", default=settings.TRAIN_ON_UNANSWERED, help="likewise"
        )
        parser.add_argument(
            "more", nargs="*", metavar="-- OPTION", help="further options of ml.train_embedder, after --"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = retraining.retrain(planned(options), self.say, shown)
        except (Busy, NotReady, retraining.Failed) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Nothing is trained: {error}.") from error
        if version and version.state == ModelVersion.State.WARMING:
            self.say("The worker lets it learn the catalogue; it goes live after that.")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def planned(options: dict[str, Any]) -> Plan:
    if not 0 < options["held_out"] < 0.5:
        raise CommandError(f"--held-out {options['held_out']}: expected a share above 0 and below .5.")
    for name in ("steps", "minutes"):
        if options[name] is not None and not options[name] > 0:
            raise CommandError(f"--{name} {options[name]}: expected more than 0.")
    minutes = options["minutes"] or (None if options["steps"] else settings.RETRAIN_MINUTES)
    return Plan(
        steps=options["steps"],
        minutes=minutes,
        seed=options["seed"],
        device=options["device"],
        choice=Choice(options["held_out"], options["unanswered"], freeze=True),
        more=tuple(options["more"]),
    )
