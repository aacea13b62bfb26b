"""Postgres refuses to run as root. How to run it all the same, in folders that only root may enter."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disguise:
    """A command prefix under which programs are not root, and the uid that must own the data on disk."""

    prefix: tuple[str, ...]
    owner: int


def disguise(program: Path, folder: Path) -> Disguise:
    """The first way that may execute `program` and enter `folder`; no prefix where none is needed.

    Raises PermissionError when there is none.
    """
    for candidate in _candidates(folder):
        if _works(candidate, program, folder):
            return candidate
    raise PermissionError(
        f"Postgres does not run as root, and no other user may execute {program} and enter {folder}. "
        "Install util-linux (unshare, setpriv), or start the portal as an ordinary user."
    )


def _candidates(folder: Path) -> Iterator[Disguise]:
    me = os.geteuid()
    if me != 0 and _has_name(me):
        yield Disguise((), me)
        return
    nobody = _unprivileged_uid()
    owner = folder.stat().st_uid
    if me == 0 and owner != 0:
        yield Disguise(_setpriv(owner), owner)
        yield Disguise((*_setpriv(owner), *_ANY_FOLDER), owner)
    # The same user on disk, another name inside: nothing needs to change hands.
    yield Disguise(("unshare", "--user", f"--map-user={nobody}", f"--map-group={nobody}"), me)
    if me == 0:
        yield Disguise((*_setpriv(nobody), *_ANY_FOLDER), nobody)
        yield Disguise(_setpriv(nobody), nobody)


_ANY_FOLDER = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def _setpriv(uid: int) -> tuple[str, ...]:
    return ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")


def _unprivileged_uid() -> int:
    """A uid with a name, because initdb asks for it."""
    return min((user.pw_uid for user in pwd.getpwall() if user.pw_uid != 0), default=65534)


def _has_name(uid: int) -> bool:
    return any(user.pw_uid == uid for user in pwd.getpwall())


def _works(candidate: Disguise, program: Path, folder: Path) -> bool:
    if not candidate.prefix:
        return True
    # Not `test -x`: the kernel's answer counts, and it depends on every folder above.
    script = '"$0" --version && cd "$1"'
    try:
        done = subprocess.run([*candidate.prefix, "sh", "-c", script, program, folder], capture_output=True)
    except FileNotFoundError:
        return False
    return done.returncode == 0
