"""The nightly re-fit on a million votes, a simulated office, and real crowds, beside crowd-kit.

    .venv/bin/python benchmarks/consensus.py [--seeds N] [--crowds FOLDER] [--crowd-kit PYTHON] [--json OUT]

The re-fit is the portal's: a few voters are muted, a few answers are gold, an admin has decided a few posts,
and labelled enough of the audit sample for the weight of a vote, so everything is fitted twice.

crowd-kit brings many packages along, so it has an environment of its own (two of its methods fail with
a later scikit-learn); without it, only our figures are printed:

    python3.11 -m venv ~/.cache/crowd-kit
    ~/.cache/crowd-kit/bin/pip install crowd-kit==1.4.2 'scikit-learn<1.6'
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from verify import reliability  # noqa: E402  (the checkout is no package)
from verify.consensus import Rule  # noqa: E402
from verify.crowd import candidates, choose, surprises  # noqa: E402
from verify.crowd_files import UNKNOWN, read_crowd, read_truth  # noqa: E402
from verify.reliability import Ballots  # noqa: E402
from verify.replay import Stopping, replay  # noqa: E402
from verify.simulation import Figures, Office, World, policies, simulate  # noqa: E402

OPTIONS = 5  # three dresses, "none of these", "not a dress"
SETS = ("music_ms", "adult2", "weather_cf", "sentpol_sp", "zencrowd_us", "zencrowd_in")
CROWD_KIT = Path.home() / ".cache/crowd-kit/bin/python"
THIRD_PARTY = Path(__file__).with_name("_crowd_kit.py")
MOST_SECONDS, MOST_MEGABYTES, LEAST_RATIO = 3.0, 300.0, 5.0
LEAST_ACCURACY, MOST_VOTES, LEAST_COVERAGE, MOST_FLAGGED, MOST_GAP = 0.98, 2.5, 0.995, 1, 0.02
MUTED, DECIDED, AUDITED, GOLD_ANSWERS = 0.02, 0.02, 0.02, 0.04  # shares of voters, posts, posts, votes
GOLD, STOP = 0.05, 0.95
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
NO_CROWD_KIT = f"""
*** CROWD-KIT IS NOT INSTALLED ({{python}} cannot import it): NOTHING IS COMPARED WITH IT. ***
To install it:{__doc__.partition("printed:")[2]}"""


def main() -> None:
    arguments = parsed()
    if arguments.refit:
        return print(json.dumps(refit(arguments.refit)))
    if not has_crowd_kit(arguments.crowd_kit):
        print(NO_CROWD_KIT.format(python=arguments.crowd_kit), flush=True)
        arguments.crowd_kit = None
    figures: dict[str, Any] = {"refit": compare_refits(arguments)}
    print_refits(figures["refit"])
    figures["office"] = {seed: play_office(seed) for seed in track(range(arguments.seeds), transient=True)}
    print_office(figures["office"])
    if arguments.crowds.is_dir():
        names = arguments.sets or [name for name in SETS if (arguments.crowds / name).is_dir()]
        figures["crowds"] = {name: compare_crowd(arguments, name) for name in names}
        print_crowds(figures["crowds"])
        print_stopping(figures["crowds"])
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2, default=asdict) + "\n")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--posts", type=int, default=300_000)
    parser.add_argument("--voters", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3, help="of our re-fit; the fastest counts")
    parser.add_argument("--seeds", type=int, default=3, help="of the simulated office (default: %(default)s)")
    parser.add_argument("--crowds", type=Path, default=ROOT.parent / "shared/data/crowd")
    parser.add_argument("--sets", nargs="*", help=f"in that folder (default: {' '.join(SETS)})")
    parser.add_argument("--orders", type=int, default=20, help="of the votes, for early stopping")
    parser.add_argument("--crowd-kit", type=Path, default=CROWD_KIT, help="a Python that has it")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--refit", type=Path, help=argparse.SUPPRESS)  # how this file starts itself
    return parser.parse_args()


def make_votes(votes: int, posts: int, voters: int, seed: int) -> dict[str, np.ndarray]:
    """An office: voters of mean ability .88, a tenth of them guessing, activity long-tailed."""
    rng = np.random.default_rng(seed)
    ability = np.where(rng.random(voters) < 0.1, 1 / OPTIONS, rng.beta(14.96, 2.04, voters))
    activity = rng.pareto(1.5, voters) + 0.1
    prior = rng.dirichlet(np.full(OPTIONS, 0.4), posts) + 1e-3
    prior /= prior.sum(1, keepdims=True)
    truth = (rng.random((posts, 1)) > prior.cumsum(1)).sum(1).clip(max=OPTIONS - 1)
    vote = np.empty(0, int)
    while len(vote) < votes:  # nobody votes twice on a post
        missing = votes - len(vote)
        drawn = rng.integers(posts, size=missing) * voters + rng.choice(
            voters, missing, p=activity / activity.sum()
        )
        vote = np.unique(np.concatenate([vote, drawn]))
    post, voter = np.divmod(vote, voters)
    wrong = (truth[post] + rng.integers(1, OPTIONS, votes)) % OPTIONS
    label = np.where(rng.random(votes) < ability[voter], truth[post], wrong)
    return {
        "prior": prior.ravel(),
        "truth": truth,
        "post": post,
        "voter": voter,
        "label": label,
        **known(truth, post, voter, ability, rng),
    }


def known(
    truth: np.ndarray, post: np.ndarray, voter: np.ndarray, ability: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Votes of the muted, who are the least able; admins' labels of posts with votes; gold answers."""
    has_votes = np.bincount(post, minlength=len(truth)) > 0
    audit = has_votes & (rng.random(len(truth)) < AUDITED)
    decided = audit | (has_votes & (rng.random(len(truth)) < DECIDED))
    counted = np.ones(len(ability), bool)
    counted[np.argsort(ability, kind="stable")[: round(MUTED * len(ability))]] = False
    gold = rng.binomial(np.bincount(voter, minlength=len(ability)), GOLD_ANSWERS)
    return {
        "counted": counted[voter],
        "audit": audit,
        "decided": np.where(decided, np.arange(len(truth)) * OPTIONS + truth, -1),
        "gold_seen": gold.astype(float),
        "gold_right": rng.binomial(gold, ability).astype(float),
    }


def refit(path: Path) -> dict[str, Any]:
    """Time and peak memory of this process, which does nothing else."""
    with np.load(path) as data:
        posts, voters = len(data["truth"]), len(data["gold_seen"])
        ballots = Ballots(
            first=np.arange(posts + 1) * OPTIONS,
            prior=data["prior"],
            slot=data["post"] * OPTIONS + data["label"],
            voter=data["voter"],
            voters=voters,
            truth=data["decided"],
            gold_right=data["gold_right"],
            gold_seen=data["gold_seen"],
            counted=data["counted"],
        )
        truth, audit = data["truth"], data["audit"]
    begun, cpu = time.perf_counter(), time.process_time()
    fitted, weight = reliability.fit_audited(ballots, audit)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    answers = fitted.from_votes.reshape(posts, OPTIONS).argmax(1)
    voted = np.unique(ballots.slot // OPTIONS)
    return {
        "vote_weight": weight,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "accuracy": float((answers == truth)[voted].mean()),
        "iterations": fitted.iterations,
        "converged": fitted.converged,
    }


def compare_refits(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="consensus-") as folder:
        data = Path(folder) / "votes.npz"
        np.savez(data, **make_votes(arguments.votes, arguments.posts, arguments.voters, arguments.seed))
        own = [sys.executable, __file__, "--refit", str(data)]
        runs = [run(own)[0] for _ in track(range(arguments.runs), "Re-fits", transient=True)]
        figures: dict[str, Any] = {"ours": min(runs, key=lambda one: float(one["seconds"]))}
        if arguments.crowd_kit:
            theirs = [arguments.crowd_kit, THIRD_PARTY, "refit", data]
            figures["crowd-kit"] = run([str(part) for part in theirs])[0]
            figures["ratio"] = figures["crowd-kit"]["seconds"] / figures["ours"]["seconds"]
    return figures


def compare_crowd(arguments: argparse.Namespace, name: str) -> dict[str, Any]:
    """Accuracies by all votes of every method, and ours when tasks are closed early."""
    folder = arguments.crowds / name
    crowd = read_crowd(folder / "answers.csv")
    truth = read_truth(folder / "truth.csv", crowd)
    known = truth != UNKNOWN
    tried = {
        model: surprises(crowd, model, arguments.seed)
        for model in track(candidates(crowd), name, transient=True)
    }
    model = choose(tried)
    answers, _ = crowd.answers(model.fit(crowd, np.ones(len(crowd.task), bool)).posterior)
    votes = np.bincount(crowd.slot, minlength=len(crowd.option)).astype(float)
    tops = votes == np.repeat(np.maximum.reduceat(votes, crowd.first[:-1]), np.diff(crowd.first))
    slot_truth = np.repeat(truth, np.diff(crowd.first)) == crowd.option
    ties = np.add.reduceat(tops.astype(float), crowd.first[:-1])
    majority = np.add.reduceat((tops & slot_truth).astype(float), crowd.first[:-1]) / ties
    accuracies = {"majority": float(majority[known].mean()), "ours": float((answers == truth)[known].mean())}
    if arguments.crowd_kit:
        lines = run([str(arguments.crowd_kit), str(THIRD_PARTY), "crowd", str(folder)])
        accuracies |= {line["method"]: line["accuracy"] for line in lines}
    rngs = np.random.default_rng(arguments.seed).spawn(arguments.orders)
    early = [replay(crowd, truth, Stopping(STOP, GOLD), rng) for rng in track(rngs, name, transient=True)]
    return {
        "accuracies": accuracies,
        "model": str(model),
        "votes_per_task": len(crowd.task) / len(crowd.tasks),
        "early": {
            "accuracy": float(np.mean([one.accuracy for one in early])),
            "votes_per_task": float(np.mean([one.votes_per_task for one in early])),
            "coverage": float(np.mean([one.coverage for one in early])),
        },
    }


def play_office(seed: int) -> Figures:
    office, rule = Office(), Rule()
    return simulate(office, World.draw(office, seed), policies(rule)["dressportal"], rule, seed=seed).figures


def has_crowd_kit(python: Path) -> bool:
    command = [str(python), "-c", "import crowdkit.aggregation"]
    return python.exists() and subprocess.run(command, capture_output=True).returncode == 0


def run(command: list[str]) -> list[dict[str, Any]]:
    """The JSON lines that it prints, on one core."""
    done = subprocess.run(
        command, env={**os.environ, **ONE_CORE}, stdout=subprocess.PIPE, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def print_refits(figures: dict[str, Any]) -> None:
    heading = ("re-fit, one core", "seconds", "CPU seconds", "peak memory, MB", "accuracy")
    table = Table(*heading, title="A night's re-fit")
    for name in ("ours", "crowd-kit"):
        if name in figures:
            row = figures[name]
            cells = (row["seconds"], row["cpu_seconds"], row["megabytes"], row["accuracy"])
            table.add_row(name, *(f"{cell:.{d}f}" for cell, d in zip(cells, (2, 2, 0, 4), strict=True)))
    table.add_row("bar", f"{MOST_SECONDS:.2f}", "", f"{MOST_MEGABYTES:.0f}", "")
    Console().print(table)
    if "ratio" in figures:
        print(f"crowd-kit's one-coin takes {figures['ratio']:.1f} times as long (bar: {LEAST_RATIO:.0f}).")


def print_office(seeds: dict[int, Figures]) -> None:
    heading = (
        "seed",
        "accuracy",
        "votes a finished post",
        "coverage",
        "bad found",
        "good flagged",
        "stated - real",
    )
    table = Table(*heading, title="A simulated office (simulate_voting --policy dressportal)")
    for seed, one in seeds.items():
        table.add_row(
            str(seed),
            f"{one.accuracy:.4f}",
            f"{one.votes_per_finished:.3f}",
            f"{one.coverage:.4f}",
            f"{one.bad_voters_found} of {one.bad_voters}",
            str(one.good_voters_flagged),
            f"{one.stated_confidence - one.accuracy:+.4f}",
        )
    bars = (f">= {LEAST_ACCURACY}", f"<= {MOST_VOTES}", f">= {LEAST_COVERAGE}", "all", f"<= {MOST_FLAGGED}")
    table.add_row("bar", *bars, f"within {MOST_GAP}")
    Console().print(table)


def print_crowds(crowds: dict[str, Any]) -> None:
    methods = list(dict.fromkeys(name for one in crowds.values() for name in one["accuracies"]))
    table = Table("accuracy by all votes", *crowds, "mean", title="Real crowds")
    for method in methods:
        row = [one["accuracies"].get(method) for one in crowds.values()]
        mean = f"{np.mean(row):.4f}" if None not in row else ""
        table.add_row(method, *("" if x is None else f"{x:.4f}" for x in row), mean)
    Console().print(table)
    for name, one in crowds.items():
        print(f"{name}: {one['model']}")


def print_stopping(crowds: dict[str, Any]) -> None:
    title = f"Closed at a posterior of {STOP}, {GOLD:.0%} gold"
    table = Table("set", "accuracy", "votes a task", "of", "closed", title=title)
    for name, one in crowds.items():
        early = one["early"]
        figures = (early["accuracy"], early["votes_per_task"], one["votes_per_task"], early["coverage"])
        table.add_row(name, *(f"{figure:.3f}" for figure in figures))
    Console().print(table)


if __name__ == "__main__":
    main()
