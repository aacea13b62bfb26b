"""A new DeepDress from what people verified: export, train, compare with the live one, promote if better.

Everything happens in a folder that is thrown away; rows and weights appear at the end, at once. So a training
that is killed leaves nothing but that folder, which the next one clears.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.utils import timezone
from django_q.tasks import async_task

from verify import child_process, training_export, versions
from verify.models import ModelVersion, Notice
from verify.only_one import only_one
from verify.training_export import MANIFEST, Choice, Track

if TYPE_CHECKING:
    from ml.deepdress import DeepDress

Say = Callable[[str], object]
# Options of ml.train_embedder that say how to begin.
OTHER_STARTS = ("--size", "--backbone", "--start-from")
GOES_LIVE = "It goes live once it knows the catalogue."
FOLDERS = ("--backbone", "--start-from")
BODY_RATE = 0.1  # what is below the pooling changes slowly


class Failed(Exception):
    """No new version came of it, and nothing has changed; the message says why."""


@dataclass(frozen=True)
class Plan:
    """How to train; `more` are further arguments of ml.train_embedder."""

    steps: int | None = None
    minutes: float | None = None
    seed: int = 1
    device: str = ""
    choice: Choice = field(default_factory=lambda: Choice(freeze=True))
    more: tuple[str, ...] = ()
    only_if_worth_it: bool = False  # not where the data are the same, or cannot tell who is better


def retrain(plan: Plan, say: Say, track: Track) -> ModelVersion | None:
    """Train, compare, store, and promote if better; None if it was not worth it.

    Raises Failed, Busy, NotReady.
    """
    shelf = Path(settings.MODELS_FOLDER)
    shelf.mkdir(parents=True, exist_ok=True)
    run = shelf / "training"
    with only_one(shelf / ".lock", "Another training is at work"):
        shutil.rmtree(run, ignore_errors=True)
        try:
            return _retrain(plan, run, say, track)
        finally:
            shutil.rmtree(run, ignore_errors=True)


def _retrain(plan: Plan, run: Path, say: Say, track: Track) -> ModelVersion | None:
    say("Exporting what people have verified …")
    training_export.write(run, plan.choice, track)
    _tell_of_withdrawn(run)
    data = hashlib.sha256((run / MANIFEST).read_bytes()).hexdigest()
    if plan.only_if_worth_it and (reason := _not_worth_it(run, data)):
        say(reason)
        return None
    say("Training …")
    _train(plan, run)
    if not connection.in_atomic_block:
        close_old_connections()  # hours may have passed
    say("Comparing it with the live version on the golden posts …")
    champion, challenger = versions.deepdress(), _trained(run)
    live = versions.activated(champion)
    if challenger.version == live.digest:
        say(f"The training has led to {live} again: nothing changes.")
        return live
    comparison = _compare(run, champion, challenger, plan.seed)
    version = _store(run, challenger, comparison, data)
    say(version.verdict)
    return version


def _tell_of_withdrawn(run: Path) -> None:
    """What it has learnt it keeps until another version is live: an admin may not want to wait for that."""
    live = ModelVersion.objects.live()
    if live and (gone := _withdrawn(live, run)):
        told = (
            f"{live} has learnt from photos that are no longer exported ({len(gone):,}): somebody revoked,"
            " or an answer is in doubt. It stays live until a version without them is better, or"
            " you let another one propose."
        )
        Notice.objects.tell(Notice.Kind.MODEL_REMEMBERS, told, timezone.now())


def _not_worth_it(run: Path, data: str) -> str:
    if ModelVersion.objects.filter(data_sha256=data).exists():
        return "Nothing new has been verified since the last training: nothing is trained."
    live = ModelVersion.objects.live()
    golden = _photos(run, "test") - trained_on(live)
    return _too_few(len(golden)) if len(golden) < settings.GOLDEN_POSTS else ""


# Training


def _train(plan: Plan, run: Path) -> None:
    """In a process of its own, which goes when this one does."""
    command = [sys.executable, "-m", "ml.train_embedder", "--manifest", str(run / MANIFEST)]
    command += [
        "--out",
        str(run / "model"),
        "--seed",
        str(plan.seed),
        *_start(plan, run),
        *_from_here(plan.more),
    ]
    command += ["--steps", str(plan.steps)] if plan.steps else []
    command += ["--minutes", str(plan.minutes)] if plan.minutes else []
    command += ["--device", plan.device] if plan.device else []
    # What it decodes lies below DRESSPORTAL_VAR, and is of no use afterwards.
    environment = {**os.environ, "DRESSPORTAL_VAR": str(run)}
    done = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        preexec_fn=child_process.behind_and_with_us,
        check=False,
    )
    if done.returncode:
        raise Failed(f"The training ended with status {done.returncode}: nothing changes. It said why above.")


def _from_here(more: tuple[str, ...]) -> list[str]:
    """Folders by their whole names: the training runs in another folder than whoever named them."""
    found = list[str]()
    for word in more:
        name, _, value = word.partition("=")
        if found and found[-1] in FOLDERS:
            found.append(str(Path(word).absolute()))
        else:
            found += [name, str(Path(value).absolute())] if value and name in FOLDERS else [word]
    return found


def _start(plan: Plan, run: Path) -> list[str]:
    """Options that let it begin as the live version: few posts teach more to who knows much already.

    But not where that has learnt from a photo that is exported no more, because somebody revoked or an answer
    is in doubt: then as the weights that are shipped, which have seen no customer's photos.
    """
    if any(option.split("=")[0] in OTHER_STARTS for option in plan.more):
        return []
    live = versions.activated(versions.deepdress())
    start = versions.folder_of(None if _withdrawn(live, run) else live).absolute()
    return ["--start-from", str(start), "--body-rate", str(BODY_RATE)]


def _trained(run: Path) -> DeepDress:
    from ml.checkpoint import CheckpointRefused
    from ml.deepdress import DeepDress
    from ml.soundness import check

    try:
        model = DeepDress.load(run / "model")
        check(model)
    except CheckpointRefused as error:
        raise Failed(f"What was trained cannot be used: {error}. Nothing changes.") from error
    # What the version that it began as has learnt from, it has learnt from, too.
    start = model.metrics.get("options", {}).get("start_from")
    learnt = _photos(run, "train") | (_listed(Path(start)) if start else set())
    (run / "model" / versions.TRAINED_ON).write_text("\n".join(sorted(learnt)))
    return model


def _photos(run: Path, split: str) -> set[str]:
    """Of a split of the manifest, the catalogue's left out: by them dresses are known to every version."""
    with (run / MANIFEST).open(encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return {row["photo"] for row in rows if row["split"] == split and row["role"] != "catalogue"}


def trained_on(version: ModelVersion | None) -> set[str]:
    """Posts' photos that it has learnt from, as far as that is known."""
    return _listed(versions.folder_of(version))


def _withdrawn(version: ModelVersion, run: Path) -> set[str]:
    """Of the photos that it has learnt from, those that are exported no more."""
    return trained_on(version).difference(*(_photos(run, split) for split in ("train", "validation", "test")))


def _listed(folder: Path) -> set[str]:
    file = folder / versions.TRAINED_ON
    return set(file.read_text().splitlines()) if file.is_file() else set()


# Comparing


def _compare(run: Path, champion: DeepDress, challenger: DeepDress, seed: int) -> dict[str, Any]:
    """Both on the same golden posts, without those that the champion has learnt from: they prove nothing."""
    from ml import held_out
    from ml.conformal import PROMISED
    from ml.evaluate_embedder import evaluate_model
    from ml.manifest import ManifestError
    from ml.paired_bootstrap import compare

    against = ModelVersion.objects.get(digest=champion.version)
    try:
        data = held_out.read(run / MANIFEST)
    except ManifestError:
        return {"against": against.digest, "posts": 0, "better": None}
    old, new = (
        evaluate_model(data, model, name, PROMISED)
        for model, name in ((champion, "live"), (challenger, "new"))
    )
    golden = sorted(set(old.ranks) - trained_on(against))
    told = {
        "against": against.digest,
        "posts": len(golden),
        "better": None,
        "figures": {"new": new.figures, "live": old.figures},
    }
    if len(golden) < max(1, settings.GOLDEN_POSTS):
        return told
    at = {
        k: compare([old.ranks[name] <= k for name in golden], [new.ranks[name] <= k for name in golden], seed)
        for k in (1, 3)
    }
    better = at[1].better and not at[3].worse
    return {**told, "better": better, "at_1": asdict(at[1]), "at_3": asdict(at[3])}


def verdict(comparison: dict[str, Any]) -> str:
    """The comparison in words."""
    if comparison["better"] is None:
        return _too_few(comparison["posts"])
    first, third = comparison["at_1"], comparison["at_3"]
    found = (
        f"Of {first['posts']:,} golden posts it names {first['challenger']:.1%} at once, the live version "
        f"{first['champion']:.1%}: a difference of {_points(first)}. Among the first three: "
        f"{third['challenger']:.1%} and {third['champion']:.1%}, {_points(third)}."
    )
    if comparison["better"]:
        return f"Better. {found} {GOES_LIVE}"
    why = "It may be luck" if first["high"] > 0 else "It is no better"
    if first["low"] > 0:
        why = "More often right at once, it misses more among the first three"
    return f"{why}: the live version stays. {found}"


def _points(found: dict[str, Any]) -> str:
    low, high = (100 * found[end] for end in ("low", "high"))
    return f"{100 * found['difference']:+.1f} points (95% interval {low:+.1f} to {high:+.1f})"


def _too_few(golden: int) -> str:
    return (
        f"Too few golden posts to tell which version is better: {golden:,}, and {settings.GOLDEN_POSTS:,} "
        "are needed. The audit sample that admins label, and what they decide and clear, add to them."
    )


# Storing


def _store(run: Path, model: DeepDress, comparison: dict[str, Any], data: str) -> ModelVersion:
    """The weights first: a row without them would be of no use."""
    values = {
        "folder": versions.shelve(run / "model", model.version),
        "metrics": model.metrics,
        "temperature": model.temperature,
        "comparison": comparison,
        "verdict": verdict(comparison),
        "data_sha256": data,
        "code_version": code_version(),
        "trained_at": timezone.now(),
    }
    with transaction.atomic():
        version, _ = ModelVersion.objects.update_or_create(digest=model.version, defaults=values)
        version.rest()
        if comparison["better"]:
            _promote(version)
    return version


def _promote(version: ModelVersion) -> None:
    """Unless an admin has chosen another meanwhile; then it can be chosen, too."""
    try:
        versions.promote(version)
    except versions.Unchanged as reason:
        version.verdict = version.verdict.replace(GOES_LIVE, str(reason))
        version.save(update_fields=["verdict"])
    else:
        async_task("verify.tasks.change_version")


def code_version() -> str:
    """sha256 of the program that trains."""
    sources = sorted((settings.BASE_DIR / "ml").rglob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
