"""``manage.py evaluate_recommenders``: how good each method is, in figures and as a page anyone can read."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from recommend.evaluate import Evaluation, Question, evaluate
from recommend.evaluation_table import Rows, differences, figures
from recommend.methods import METHODS, ON_ANY_MACHINE
from recommend.ratings import Duplicates, Ratings, RatingsRefused
from recommend.readers import read, read_split, read_table
from recommend.report import in_words, page
from recommend.splits import Kind, Scheme, Split, splits
from recommend.tuning import FIGURES, Tuning, alternatives
from verify.management import evaluation_files

LENGTHS = (1, 3, 5, 10, 20, 50)
INNER = 0.75  # of the users learnt from, where options are chosen on the others


@dataclass(frozen=True)
class Data:
    """What is evaluated on."""

    source: str
    ratings: Ratings
    splits: Iterable[Split]
    protocol: dict[str, Any]


class Command(BaseCommand):
    help = "Fit methods to some people's ratings and say how well they do on others', beside each other."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--ratings",
            type=Path,
            metavar="FILE",
            help="MovieLens's u.data or ratings.csv, or user,item,rating; without it what shoppers did here",
        )
        parser.add_argument(
            "--split", metavar="PREFIX", help="read PREFIX_train.csv, PREFIX_known.csv and PREFIX_unknown.csv"
        )
        parser.add_argument("--scheme", choices=get_args(Kind), help="how people are parted (see --folds)")
        parser.add_argument("--train", type=float, help="share of the people to learn from (default: 0.9)")
        parser.add_argument(
            "--given", type=int, help="ratings known of each tested; -5: all but 5 (default: 15)"
        )
        parser.add_argument(
            "--folds", type=int, help="times all is done; without --scheme, folds of a cross-validation"
        )
        parser.add_argument("--seed", type=int, help="of the draw of people and of what is known of them")
        parser.add_argument(
            "--good",
            type=float,
            default=4,
            help="lowest rating that is a hit; methods that count likes are told it (default: %(default)s)",
        )
        parser.add_argument(
            "--methods",
            nargs="+",
            default=list(ON_ANY_MACHINE),
            metavar="NAME",
            help=f"of {', '.join(sorted(METHODS))}; with options: RSVD:categories=20,lambda=10",
        )
        parser.add_argument(
            "--n", default=",".join(map(str, LENGTHS)), help="lengths of lists (default: %(default)s)"
        )
        parser.add_argument(
            "--tune",
            nargs="?",
            const="",
            metavar="FIGURE",
            help="choose options, those said as lambda=1|10 or the usual ones, on people held out from those "
            f"learnt from, by one of {', '.join(FIGURES)} (default: rmse, or ndcg for lists)",
        )
        parser.add_argument(
            "--duplicates", choices=get_args(Duplicates), default="refuse", help="or let the last one win"
        )
        parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file")
        parser.add_argument("--report", type=Path, metavar="OUT", help="write a page of HTML with pictures")

    def handle(self, *args: Any, **options: Any) -> None:
        for option in ("json", "report"):
            evaluation_files.check(options[option])
        try:
            found = self._evaluated(options)
        except ValueError as error:  # every refusal of ratings, options, methods and schemes is one
            raise CommandError(f"{error}.") from error
        evaluation_files.write(found, page, options["json"], options["report"])
        self._tell(found)
        if not found.methods:
            raise CommandError("No method could be measured.")

    def _evaluated(self, options: dict[str, Any]) -> Evaluation:
        lengths = _lengths(options["n"])
        told = _methods(options["methods"], options["tune"] is not None, options["good"])
        if not np.isfinite(options["good"]):
            raise CommandError(f"--good {options['good']}: expected a number.")
        data = _data(options)
        tuning = _tuning(options["tune"], data.protocol)
        question = Question(options["good"], lengths, tuning)
        with tqdm(total=len(told), file=self.stderr, disable=None, unit="method") as bar:

            def progress(name: str, done: str) -> None:
                bar.set_description(f"{name}: {done}")
                bar.update(done == "done")

            methods, failed = evaluate(told, data.splits, question, progress=progress)
        protocol = {**data.protocol, "good": options["good"], "n": list(lengths), "tuned": _told(tuning)}
        return Evaluation(data.source, data.ratings, protocol, methods, failed)

    def _tell(self, found: Evaluation) -> None:
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 300)
        console.print(in_words(found.protocol))
        if found.methods:
            console.print(_table(found.source, figures(found)))
            console.print(_table("Against the best, with intervals of 95%", differences(found)))
        for name, why in found.failed.items():
            self.stderr.write(f"{name} could not be measured: {why}.")


def _data(options: dict[str, Any]) -> Data:
    return _given_split(options) if options["split"] else _drawn(options)


def _given_split(options: dict[str, Any]) -> Data:
    for option in ("scheme", "train", "given", "folds", "seed"):
        if options[option] is not None:
            raise CommandError(f"--{option} goes without --split, which has parted the people already.")
    file = read_table(options["ratings"]) if options["ratings"] else None
    split = read_split(options["split"], options["duplicates"], file)
    everything = file.ratings(options["duplicates"], split.train.items) if file else split.together()
    known = np.unique(np.diff(split.known.matrix.indptr))
    protocol = {
        "split": options["split"],
        "scheme": "split",
        "folds": 1,
        "given": int(known[0]) if len(known) == 1 else None,
        "seed": None,
        "left_out": 0,
        "train_users": len(split.train.users),
        "test_users": len(split.known.users),
        "items": len(split.train.items),
    }
    return Data(str(options["split"]), everything, [split], protocol)


def _drawn(options: dict[str, Any]) -> Data:
    scheme = _scheme(options)
    if options["ratings"]:
        source, ratings = str(options["ratings"]), read(options["ratings"], options["duplicates"])
    else:
        from recommend import interactions

        source, ratings = "what shoppers did", interactions.ratings(timezone.now())
    if not len(ratings):
        raise RatingsRefused(f"{source}: there are no ratings")
    found = splits(ratings, scheme)
    learnt_from, tested = found.parts[0]
    protocol = {
        "split": None,
        "scheme": scheme.kind,
        "train": scheme.train if scheme.kind != "cross-validation" else 1 - 1 / scheme.folds,
        "folds": scheme.folds,
        "given": scheme.given,
        "seed": scheme.seed,
        "left_out": found.left_out,
        "train_users": len(learnt_from),
        "test_users": len(tested),
        "items": len(ratings.items),
    }
    return Data(source, ratings, found, protocol)


def _scheme(options: dict[str, Any]) -> Scheme:
    default: Kind = "cross-validation" if (options["folds"] or 1) > 1 else "split"
    told = {name: options[name] for name in ("train", "folds", "given", "seed") if options[name] is not None}
    return Scheme(options["scheme"] or default, **told)


def _tuning(told: str | None, protocol: dict[str, Any]) -> Tuning | None:
    if told is None:
        return None
    return Tuning(Scheme(train=INNER, given=protocol["given"] or 1, seed=protocol["seed"] or 0), told)


def _told(tuning: Tuning | None) -> str | None:
    return tuning and (tuning.figure or "rmse, or ndcg for lists")


def _methods(told: list[str], tune: bool, good: float) -> list[str]:
    """Each once. `RANDOM,POPULAR` is two; a comma before an option is that method's own."""
    names = [name for each in told for name in re.split(r",(?=[A-Z_0-9]+(?:[:,]|$))", each) if name]
    for name in names:  # minutes of reading should not be lost for a mistyped option
        alternatives(name, tune, good)
    return list(dict.fromkeys(names))


def _lengths(told: str) -> tuple[int, ...]:
    try:
        lengths = tuple(sorted({int(n) for n in told.split(",")}))
    except ValueError:
        lengths = ()
    if not lengths or lengths[0] < 1:
        raise CommandError(f"--n {told}: expected lengths of lists, 1 or more, as in 1,5,10.")
    return lengths


def _table(title: str, rows: Rows) -> Table:
    headings, lines = rows
    told = Table("", *headings, title=title)
    told.columns[0].overflow = "fold"
    for column in told.columns[1:]:
        column.justify = "right"
    for name, cells in lines:
        told.add_row(name, *cells)
    return told
