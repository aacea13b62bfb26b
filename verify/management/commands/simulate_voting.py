"""``manage.py simulate_voting``: an office that does not exist, played by the portal's rules or by others."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from verify.consensus import Rule
from verify.simulation import Figures, Office, Outcome, World, charts, policies, simulate
from verify.simulation.serving import ORDERS

RULE = {
    "threshold": "posterior from which a post is settled",
    "least_votes": "votes that a post gets at least",
    "most_votes": "votes after which an admin decides",
    "reliability": "of a voter of whom nothing is known",
    "best": "the most that anybody counts for",
    "reopen_below": "posterior below which a settled post is opened again",
}


class Command(BaseCommand):
    help = "Play a simulated office by a policy: what do accuracy and coverage cost, whom does it catch?"

    def add_arguments(self, parser: CommandParser) -> None:
        names = [*policies(Rule()), "all"]
        parser.add_argument("--policy", choices=names, default="dressportal", help="default: %(default)s")
        parser.add_argument("--seed", type=int, default=0, help="the same seed, the same office and votes")
        parser.add_argument("--order", choices=ORDERS, help="of serving; default: the policy's own")
        parser.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")
        parser.add_argument("--plot", type=Path, metavar="OUT", help="draw charts into this PNG or SVG file")
        parser.add_argument("--report", type=Path, metavar="OUT", help="write the table as Markdown, too")
        office = parser.add_argument_group("the office")
        for name, (kind, default, help) in Office.parameters().items():
            office.add_argument(_flag(name), type=kind, default=default, help=f"{help} (default: {default})")
        rule = parser.add_argument_group("the rule")
        for field in fields(Rule):
            help = f"{RULE[field.name]} (default: {field.default})"
            rule.add_argument(_flag(field.name), type=type(field.default), default=field.default, help=help)

    def handle(self, *args: Any, **options: Any) -> None:
        for option in ("json", "plot", "report"):
            _check(options[option])
        if options["plot"] and options["plot"].suffix not in charts.FORMATS:
            raise CommandError(f"{options['plot']}: expected a name that ends in .png or .svg.")
        outcomes = _played(options)
        table = _table(outcomes)
        Console(file=self.stdout, width=None if self.stdout.isatty() else 140).print(table)
        self._write(outcomes, options)

    def _write(self, outcomes: Mapping[str, Outcome], options: Mapping[str, Any]) -> None:
        try:
            if options["json"]:
                figures = {name: asdict(each.figures) for name, each in outcomes.items()}
                answer = figures if options["policy"] == "all" else figures[options["policy"]]
                options["json"].write_text(json.dumps(answer, indent=2) + "\n")
            if options["report"]:
                options["report"].write_text(_markdown(outcomes, options))
            if options["plot"]:
                charts.draw(outcomes, options["plot"])
        except OSError as error:
            raise CommandError(f"{error.filename}: cannot be written ({error.strerror}).") from error


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _check(path: Path | None) -> None:
    """Minutes of play should not be lost for a mistyped folder."""
    if path and not path.parent.is_dir():
        raise CommandError(f"{path}: there is no folder {path.parent}.")


def _played(options: Mapping[str, Any]) -> dict[str, Outcome]:
    try:
        office = Office(**{name: options[name] for name in Office.parameters()})
        rule = Rule(**{field.name: options[field.name] for field in fields(Rule)})
    except ValueError as error:
        raise CommandError(f"{error}.") from error
    if options["seed"] < 0:
        raise CommandError(f"seed is {options['seed']}: expected 0 or more.")
    playable = policies(rule)
    chosen = playable if options["policy"] == "all" else {options["policy"]: playable[options["policy"]]}
    world = World.draw(office, options["seed"])
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    outcomes = {}
    with Progress(*columns, console=Console(stderr=True)) as bars:
        for name, policy in chosen.items():
            bar = bars.add_task(name, total=1.0)
            outcomes[name] = simulate(
                *(office, world, policy, rule, options["order"], options["seed"]),
                progress=lambda share, bar=bar: bars.update(bar, completed=share),
            )
            bars.update(bar, completed=1.0)
    return outcomes


CAPTION = (
    "Of the ordinary posts: gold and the audit sample are left out. Cards are votes and what does not count: "
    "answers of muted voters and on unfinished posts. Bad voters are those with 50 votes or more."
)
HEADINGS = [
    "policy",
    "votes / finished",
    "cards / finished",
    "accuracy",
    "coverage",
    "stated",
    "gap",
    "bad found",
    "good flagged",
]


def _rows(outcomes: Mapping[str, Outcome]) -> list[list[str]]:
    return [[name, *_cells(each.figures)] for name, each in outcomes.items()]


def _cells(figures: Figures) -> list[str]:
    gap = 100 * (figures.stated_confidence - figures.accuracy)
    return [
        f"{figures.votes_per_finished:.2f}",
        f"{figures.cards_per_finished:.2f}",
        f"{figures.accuracy:.3f}",
        f"{figures.coverage:.4f}",
        f"{figures.stated_confidence:.3f}",
        f"{gap:+.1f}",
        f"{figures.bad_voters_found} of {figures.bad_voters}",
        f"{figures.good_voters_flagged}",
    ]


def _table(outcomes: Mapping[str, Outcome]) -> Table:
    table = Table(*HEADINGS, caption=CAPTION)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in _rows(outcomes):
        table.add_row(*row)
    return table


def _markdown(outcomes: Mapping[str, Outcome], options: Mapping[str, Any]) -> str:
    names = [*Office.parameters(), *RULE, "seed", "order"]
    given = ", ".join(
        f"{name.replace('_', '-')} {options[name]}" for name in names if options[name] is not None
    )
    rows = [HEADINGS, ["---", *["---:"] * (len(HEADINGS) - 1)], *_rows(outcomes)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"# A simulated office\n\n{table}\n\n{CAPTION}\n\nParameters: {given}.\n"
