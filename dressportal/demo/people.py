"""The office that plays: four teams of six, an admin and a newcomer; how well and how often each votes."""

from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet

from verify.models import Employee, Team

PASSWORD = "lunchbreak"  # noqa: S105  the demo's, printed on its log-in page
DOMAIN = "demo.invalid"
ADMIN = "admin"
EXAMPLE = "amara"
NEWCOMER = "nadia"
SHY = {"jonas": {"pseudonym": "Bobbin"}, "mei": {"pseudonym": "Raglan"}, "tilda": {"on_boards": False}}
HASTY = "wim"  # clicks at random, and fast
TEAMS = {
    "Styling": ("Amara Obi", "Bruno Keller", "Céline Roux", "Dilan Yıldız", "Elif Aydın", "Farah Haddad"),
    "Care": ("Greta Lind", "Hugo Martins", "Inés Romero", "Jonas Weber", "Kavya Nair", "Lukas Novák"),
    "Engineering": ("Mei Tanaka", "Noor Aziz", "Oskar Berg", "Priya Shah", "Quentin Faure", "Rosa Bianchi"),
    "Warehouse": ("Samuel Okoye", "Tilda Holm", "Umar Farouk", "Vera Petrova", "Wim de Vries", "Yara Costa"),
}


@dataclass(frozen=True)
class Voter:
    employee: Employee
    ability: float  # probability of the right answer
    activity: float  # share of all votes


def username(name: str) -> str:
    return name.split()[0].lower().replace("é", "e")


def hire() -> None:
    """Create the teams, the employees and the admin."""
    password = make_password(PASSWORD)
    for team_name, names in TEAMS.items():
        team = Team.objects.create(name=team_name)
        for name in names:
            handle = username(name)
            email = f"{handle}@{DOMAIN}"
            about = {"display_name": name, "email": email, "trained": settings.TRAINING_CARDS}
            Employee.objects.create(
                username=handle, team=team, password=password, **about, **SHY.get(handle, {})
            )
    Employee.objects.create(
        username=NEWCOMER,
        display_name="Nadia Benali",
        email=f"{NEWCOMER}@{DOMAIN}",
        team=Team.objects.first(),
        password=password,
    )
    Employee.objects.create(
        username=ADMIN,
        display_name="Ada Lindqvist",
        email=f"{ADMIN}@{DOMAIN}",
        password=password,
        is_staff=True,
        is_superuser=True,
    )


def hired() -> QuerySet[Employee]:
    """Everybody of the demo, the admin and the newcomer included."""
    return Employee.objects.filter(email__endswith=f"@{DOMAIN}")


def voters(seed: int) -> list[Voter]:
    """Most are good, one is careless and one does not look; a few do most of the work."""
    rng = np.random.default_rng(seed)
    employees = list(hired().exclude(username__in=(ADMIN, NEWCOMER)).order_by("pk"))
    abilities = np.clip(rng.normal(0.93, 0.04, len(employees)), 0.82, 0.99)
    abilities[7] = 0.6
    hasty = next(index for index, employee in enumerate(employees) if employee.username == HASTY)
    abilities[hasty] = 0.2
    activities = rng.permutation(1 / np.arange(1, len(employees) + 1) ** 0.7)
    activities[hasty] = np.median(activities)
    activities /= activities.sum()
    return [Voter(*facts) for facts in zip(employees, abilities, activities, strict=True)]
