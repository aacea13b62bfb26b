"""Work done in a process of its own, which tells how much memory it took at most."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

MB = 1 << 20
Report = Callable[[str], None]


class WorkFailed(RuntimeError):
    """What went wrong there."""


def apart(work: Callable[..., Any], *args: Any, report: Report | None = None) -> tuple[Any, float]:
    """What `work(*args, report=…)` gave, and the megabytes that its process had at most.

    Started anew, not forked, so that it holds nothing but what it needs. Raises WorkFailed.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_there, args=(theirs, work, args), daemon=True)
    process.start()
    theirs.close()  # so that its end is seen here
    try:
        return _heard(ours, report or (lambda told: None))
    except EOFError:
        process.join()
        raise WorkFailed(_ended(process.exitcode)) from None
    finally:
        process.kill()
        process.join()
        ours.close()


def _heard(pipe: Connection, report: Report) -> tuple[Any, float]:
    while True:
        kind, *said = pipe.recv()
        if kind == "done":
            return said[0], said[1]
        if kind == "failed":
            raise WorkFailed(said[0])
        report(said[0])


def _there(pipe: Connection, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        done = work(*args, report=lambda told: pipe.send(("report", told)))
        pipe.send(("done", done, peak_mb()))
    except MemoryError:
        pipe.send(("failed", "there is not enough memory"))
    except ValueError as error:  # ratings refused, and what a method says of its options
        pipe.send(("failed", str(error)))
    except Exception as error:
        pipe.send(("failed", f"{type(error).__name__}: {error}"))


def peak_mb() -> float:
    """Of this process. What getrusage tells on Linux begins with what the parent had when it started us."""
    status = Path("/proc/self/status")
    if status.exists():
        told = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(told["VmHWM"].split()[0]) * 1024 / MB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MB if sys.platform == "darwin" else peak * 1024 / MB


def _ended(code: int | None) -> str:
    if code == -9:
        return "its process was killed, most likely for want of memory"
    return f"its process ended with {code}"
