"""Who is invited, under which user name, and who has not come yet.

An invited account has no password and has never been logged in to; that is all there is to know about it.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django_q.tasks import async_task

from verify.intake.people import Person
from verify.models import Employee, Team

ONE_INVITING = 7_405_927  # an advisory lock's number
NOT_IN_USERNAMES = re.compile(r"[^\w.+-]")


@dataclass(frozen=True)
class Plan:
    """What inviting does, or has done."""

    new: list[Person]
    there: list[tuple[Person, Employee]]  # left as they are
    new_teams: list[str]
    employees: list[Employee] = field(default_factory=list)  # made of `new`

    def in_words(self) -> list[str]:
        told = [f"{len(self.new)} invited."] if self.employees else [f"{len(self.new)} would be invited."]
        if self.new_teams:
            told.append(f"New teams: {', '.join(self.new_teams)}.")
        if self.there:
            told.append(f"{len(self.there)} already there, left as they are.")
        return told


def waiting() -> QuerySet[Employee]:
    """The invited who have not set a password yet."""
    passwordless = Employee.objects.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return passwordless.filter(is_active=True, last_login=None)


def with_address(email: str) -> list[Employee]:
    """Who may set a password by e-mail: the invited, and whoever logs in with a password."""
    owners = Employee.objects.filter(email__iexact=email, is_active=True).exclude(email="")
    return [owner for owner in owners if owner.has_usable_password() or owner.last_login is None]


def plan(people: list[Person]) -> Plan:
    """What `invite` would do now."""
    owners = _owners(person.email for person in people)
    new = [person for person in people if person.email.lower() not in owners]
    there = [(person, owners[person.email.lower()]) for person in people if person.email.lower() in owners]
    teams = {name.casefold() for name in Team.objects.values_list("name", flat=True)}
    missing = {person.team.casefold(): person.team for person in reversed(new) if person.team}
    return Plan(new, there, sorted(name for key, name in missing.items() if key not in teams))


def invite(people: list[Person]) -> Plan:
    """Make accounts and teams for those who are new, and have an e-mail sent to each; all or nothing."""
    with _one_at_a_time():
        planned = plan(people)
        Team.objects.bulk_create(Team(name=name) for name in planned.new_teams)
        employees = Employee.objects.bulk_create(_accounts(planned.new))
        if employees:  # the worker deals them out: a request has no time for thousands of tasks
            async_task("verify.tasks.send_invitations", [employee.pk for employee in employees])
    return Plan(planned.new, planned.there, planned.new_teams, employees)


@transaction.atomic
def send(employee_pks: Iterable[int]) -> None:
    """Queue the e-mails, one by one; when the mail server fails, the queue tries again (`max_attempts`)."""
    for pk in employee_pks:
        async_task("verify.tasks.send_invitation", pk, ack_failure=False)


def usernames(emails: Iterable[str], taken: Iterable[str]) -> Iterator[str]:
    """A name for each address: what stands before the @, numbered where somebody has it in any case."""
    used = {name.casefold() for name in taken}
    for email in emails:
        stem = NOT_IN_USERNAMES.sub("", email.rpartition("@")[0].casefold()) or "colleague"
        name, number = stem, 1
        while name in used:
            number += 1
            name = f"{stem}{number}"
        used.add(name)
        yield name


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """A transaction; two admins with the same file take turns, and the second finds everybody there."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_INVITING])
        yield


def _owners(emails: Iterable[str]) -> dict[str, Employee]:
    known = Employee.objects.annotate(address=Lower("email"))
    return {owner.address: owner for owner in known.filter(address__in=[mail.lower() for mail in emails])}


def _accounts(people: list[Person]) -> list[Employee]:
    teams = {team.name.casefold(): team for team in Team.objects.all()}
    taken = Employee.objects.values_list("username", flat=True)
    names = usernames((person.email for person in people), taken)
    return [
        Employee(
            username=name,
            display_name=person.name,
            email=person.email,
            team=teams.get(person.team.casefold()),
            password=make_password(None),
        )
        for person, name in zip(people, names, strict=True)
    ]
