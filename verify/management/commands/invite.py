from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from verify import invitations
from verify.intake.people import COLUMNS, MAX_BYTES, Person, RosterRefused, read_people


class Command(BaseCommand):
    help = f"Invites the people of a CSV file ({', '.join(COLUMNS)}); all of them, or nobody."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        people = self.people(options["file"])
        done = invitations.plan(people) if options["dry_run"] else invitations.invite(people)
        for person, employee in done.there:
            state = "" if employee.is_active else ", deactivated"
            self.stdout.write(
                f"row {person.row}: {person.email} is already there ({employee.username}{state})"
            )
        self.stdout.write(" ".join(done.in_words()))

    def people(self, path: Path) -> list[Person]:
        try:
            with path.open("rb") as file:
                return read_people(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        except RosterRefused as refused:
            for refusal in refused.refusals:
                found = f" {refusal.value!r}" if refusal.value else ""  # its repr: no codes for the terminal
                column = f" {refusal.column}" if refusal.column else ""
                self.stderr.write(f"row {refusal.line}:{column}{found}: {refusal.reason}")
            raise CommandError("Nobody is invited: mend these rows first.") from refused
