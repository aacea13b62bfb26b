"""Runs the portal's parts side by side, starts again what dies or stalls, and stops all of it."""

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import psutil

from dressportal.embedded_postgres.server import PART_VARIABLE

LONGEST_PAUSE = 30.0  # seconds between two attempts at starting a part
STEADY = 60.0  # seconds after which a part counts as started well
BUSY = 0.1  # of a core; an idle worker takes a hundredth
LOG_LIMIT = 10_000_000  # bytes; then the log starts anew, one old one kept


class AlreadyRunning(Exception):
    """Another supervisor looks after this folder; the message says which."""


@dataclass
class Part:
    """One long-running program with everything it forks, in a session of its own.

    Its environment carries a mark that all its descendants inherit. Whoever looks for the leavings of a
    killed run goes by that mark: a number in a pid file may be a stranger's by now.
    """

    name: str
    command: list[str]
    var: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_again_at: float = 0.0
    pause: float = 1.0
    lively: float = 0.0
    looked: float = 0.0
    cpu: float = 0.0

    @property
    def log(self) -> Path:
        return self.var / "log" / f"{self.name}.log"

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        marked = {**os.environ, **self.environment, PART_VARIABLE: f"{self.name}@{self.var}"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=marked,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started = self.lively = self.looked = time.monotonic()
        self.cpu = 0.0

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def look(self) -> None:
        """Notes whether it computes, which is a sign of life as good as any."""
        now, seen, before = time.monotonic(), self.looked, self.cpu
        self.looked, self.cpu = now, _cpu_seconds(self.processes())
        if self.cpu - before > BUSY * (now - seen):
            self.lively = now

    def silence(self) -> float:
        """Seconds since it was started or last seen computing."""
        return time.monotonic() - self.lively

    def start_again(self) -> None:
        """Clears away what is left of it; it starts after a pause that doubles while it keeps dying young."""
        self.kill()
        lived = time.monotonic() - self.started
        self.pause = 1.0 if lived > STEADY else min(2 * self.pause, LONGEST_PAUSE)
        self.start_again_at = time.monotonic() + self.pause
        self.process = None

    def due(self) -> bool:
        return self.process is None and time.monotonic() >= self.start_again_at

    def ask_to_stop(self) -> None:
        """To the leader alone, which knows how to stop its own."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        _kill_all(f"{self.name}@{self.var}")
        if self.process is not None:
            self.process.wait()

    def processes(self) -> list[psutil.Process]:
        return marked_processes(f"{self.name}@{self.var}")


def marked_processes(mark: str) -> list[psutil.Process]:
    """Live processes whose environment says that they belong to the part `mark`, or to any part of `@var`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(PART_VARIABLE, "").endswith(mark):
                found.append(process)
    return found


def stop_orphans(var: Path, patience: float = 5) -> int:
    """Ends what a killed supervisor left running; how many processes that were."""
    orphans = marked_processes(f"@{var}")
    for orphan in orphans:
        with suppress(psutil.NoSuchProcess):
            orphan.terminate()
    deadline = time.monotonic() + patience
    while marked_processes(f"@{var}") and time.monotonic() < deadline:
        time.sleep(0.1)
    _kill_all(f"@{var}")
    return len(orphans)


def _kill_all(mark: str) -> None:
    """Again and again, for one may fork while the others are being killed."""
    deadline = time.monotonic() + 3
    while (alive := marked_processes(mark)) and time.monotonic() < deadline:
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=0.1)


def stop(parts: list[Part], patience: float = 5) -> None:
    """Ends all parts: asks first, kills what has not ended after `patience` seconds."""
    for part in parts:
        part.ask_to_stop()
    deadline = time.monotonic() + patience
    while any(part.process and not part.died() for part in parts) and time.monotonic() < deadline:
        time.sleep(0.05)
    for part in parts:
        part.kill()


def watch(
    parts: list[Part],
    worker: Part,
    age_of_heartbeat: Callable[[], float],
    limit: float,
    say: Callable[[str], None],
) -> None:
    """For ever: starts again every part that dies, and the worker when it gives no sign of life.

    A cluster whose idle workers were killed waits for ever, and no exit status tells. So `age_of_heartbeat`
    (seconds) is asked every few seconds, and one older than `limit` seconds counts when the worker has not
    computed either: a long task may hold up the heartbeat.
    """
    asked = time.monotonic()
    while True:
        time.sleep(0.5)
        for part in parts:
            if part.due():
                part.start()
            elif part.died():
                say(f"{part.name} ended by itself; starting it again. Its log: {part.log}")
                part.start_again()
        if time.monotonic() - asked > min(5, limit / 3):
            asked = time.monotonic()
            worker.look()
            if not worker.due() and min(worker.silence(), age_of_heartbeat()) > limit:
                say(f"{worker.name} has given no sign of life for {limit:.0f} s; starting it again.")
                worker.start_again()


@contextmanager
def only_one(var: Path, address: str) -> Iterator[None]:
    """Holds the place of the one supervisor of the folder `var`.

    A predecessor that outlived whoever started it can be stopped by nobody, so it is replaced. Any other
    stays: raises AlreadyRunning.
    """
    var.mkdir(parents=True, exist_ok=True)
    with (var / "serve.lock").open("a+") as file:
        if not _take(file):
            _replace_predecessor(file)
        file.truncate(0)
        file.write(f"{os.getpid()} {os.getppid()} {address}\n")
        file.flush()
        yield


def _take(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _replace_predecessor(file: TextIO) -> None:
    file.seek(0)
    pid, parent, address = file.read().split()
    with suppress(psutil.NoSuchProcess):
        predecessor = psutil.Process(int(pid))
        if predecessor.ppid() == int(parent):
            raise AlreadyRunning(f"The portal of this folder runs already: {address} (process {pid}).")
        predecessor.terminate()
    deadline = time.monotonic() + 15
    while not _take(file):
        if time.monotonic() > deadline:
            raise AlreadyRunning(f"The portal of this folder does not stop: {address} (process {pid}).")
        time.sleep(0.1)


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:2])
    return total
