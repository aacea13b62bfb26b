"""What voters feel of ten thousand waiting posts: p95 of a vote with and without the worker at them.

One web server, one run: 32 people who think for two seconds vote while nothing waits, while the worker
proposes for the backlog, and once more without it. The p95 of a vote may grow to 1.5 times.

    .venv/bin/python benchmarks/backlog.py [--seconds 20] [--waiting 10000] [--json OUT]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PEOPLE, THINKING = 32, 2.0
LIMIT = 1.5  # times the p95 without a backlog


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backlog-") as var:
        os.environ.update(DRESSPORTAL_VAR=var, DJANGO_SETTINGS_MODULE="dressportal.settings")
        sys.path.insert(0, str(ROOT))
        figures = measure(arguments.seconds, arguments.waiting)
    for name in ("before", "during", "after"):
        print(f"{name:>7}: p50 {figures[name]['p50_ms']} ms, p95 {figures[name]['p95_ms']} ms")
    print(
        f"p95 x {figures['ratio']} (limit {LIMIT}) while {figures['proposed_per_second']} posts/s were "
        f"proposed; {figures['still_waiting']} still wait"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


def measure(seconds: float, waiting: int) -> dict[str, Any]:
    from benchmarks import _office  # Django must not be set up before DRESSPORTAL_VAR is known
    from benchmarks.vote_cycle import Voter, free_port, load, wait_until_it_answers

    cookies = _office.open_office(2_000, PEOPLE)
    port = free_port()

    def vote(server: int) -> dict[str, float]:
        return load(lambda i: Voter(port, cookies[i]), PEOPLE, seconds, server, thinking=THINKING)

    with subprocess.Popen(_office.web_server(port), env={**os.environ, "DRESSPORTAL_POOL": "1"}) as server:
        try:
            wait_until_it_answers(port)
            figures: dict[str, Any] = {"before": vote(server.pid)}
            _office.let_posts_wait(waiting)
            with subprocess.Popen(_office.worker(), cwd=ROOT, start_new_session=True) as worker:
                try:
                    _office.wait_until_it_proposes(waiting)
                    left, start = _office.still_waiting(), time.perf_counter()
                    figures["during"] = vote(server.pid)
                    now_left, elapsed = _office.still_waiting(), time.perf_counter() - start
                finally:
                    worker.terminate()
            figures["after"] = vote(server.pid)
        finally:
            server.terminate()
    _office.close_office()
    quiet = min(figures["before"]["p95_ms"], figures["after"]["p95_ms"])
    figures["ratio"] = round(figures["during"]["p95_ms"] / quiet, 2)
    figures["proposed_per_second"] = round((left - now_left) / elapsed, 1)
    return {**figures, "still_waiting": now_left}


if __name__ == "__main__":
    main()
