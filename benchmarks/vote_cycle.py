"""Vote and get the next card, as fast as the server can: cycles a second, latency, server CPU, statements.

Starts the portal's own web server on a database of its own, lets 1, 8 and 32 clients vote without thinking
time and 32 with two seconds of it, and prints our figures beside Label Studio's (measured on the same kind of
machine, see `PEER`) and beside the server's own limit, an answer that touches no database, from the same run.

    .venv/bin/python benchmarks/vote_cycle.py [--seconds 8] [--json OUT]
"""

import argparse
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = (1, 8, 32)
THINKING = 2.0  # seconds that a person looks at a card
LIMIT_P95_MS = 100  # for 32 people who think
PEER = {"cycles_per_second": 10.4, "p95_ms": 3_680, "statements": 107, "commits": 9, "cpu_ms": 124}
LEASE = re.compile(rb'name="lease" value="(\d+)"')
OPTION = re.compile(rb'name="choice" value="(\d+)"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--posts", type=int, default=2_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vote-cycle-") as var:
        os.environ.update(DRESSPORTAL_VAR=var, DJANGO_SETTINGS_MODULE="dressportal.settings")
        sys.path.insert(0, str(ROOT))
        figures = measure(arguments.seconds, arguments.posts)
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


def measure(seconds: float, posts: int) -> dict[str, Any]:
    from benchmarks import _office  # Django must not be set up before DRESSPORTAL_VAR is known

    cookies = _office.open_office(posts, max(CLIENTS))
    per_cycle = _office.count_statements(cookies[0])
    port = free_port()
    with subprocess.Popen(_office.web_server(port), env={**os.environ, "DRESSPORTAL_POOL": "1"}) as server:
        try:
            wait_until_it_answers(port)
            limit = load(lambda _: Healthz(port), 8, min(seconds, 4), server.pid)
            lunch = load(
                lambda i: Voter(port, cookies[i]), max(CLIENTS), 2 * seconds, server.pid, thinking=THINKING
            )
            runs = {n: load(lambda i: Voter(port, cookies[i]), n, seconds, server.pid) for n in CLIENTS}
        finally:
            server.terminate()
    surplus = _office.surplus_votes()
    _office.close_office()
    figures = {"clients": runs, "lunch": lunch, "limit": limit, "per_cycle": per_cycle}
    return {**figures, "surplus_votes": surplus}


class Healthz:
    """The cheapest request there is."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def cycle(self) -> bool:
        self.connection.request("GET", "/healthz")
        response = self.connection.getresponse()
        response.read()
        return response.status == 200


class Voter:
    """A browser with one card on the screen and one loaded ahead; answers at random."""

    def __init__(self, port: int, cookies: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": cookies["csrftoken"],
            "HX-Request": "true",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        page = self._ask("GET", "/", {**self.headers, "HX-Request": ""})
        self.cards = [card for card in page.split(b"<article")[1:] if LEASE.search(card)]

    def _ask(self, method: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
        self.connection.request(method, path, body or None, headers)
        response = self.connection.getresponse()
        self.status = response.status
        return response.read()

    def cycle(self) -> bool:
        card = self.cards.pop(0)
        options = OPTION.findall(card)
        # Mostly one answer a post, as from people who look; options are shuffled, their keys are not.
        choice = min(options, key=int).decode() if random.random() < 0.8 else "not_a_dress"
        answer = {"lease": lease_of(card), "choice": choice, "held": [lease_of(held) for held in self.cards]}
        fragment = self._ask("POST", "/vote/", self.headers, urlencode(answer, doseq=True))
        self.cards += [card for card in fragment.split(b"<article")[1:] if LEASE.search(card)]
        return self.status == 200 and bool(self.cards)


def lease_of(card: bytes) -> str:
    found = LEASE.search(card)
    return found.group(1).decode() if found else ""


def load(
    client: Callable[[int], Any], count: int, seconds: float, server: int, thinking: float = 0
) -> dict[str, float]:
    clients = [client(number) for number in range(count)]
    latencies: list[list[float]] = [[] for _ in clients]
    failed: list[str] = []
    before, start = cpu_seconds(server), time.perf_counter()

    def work(number: int) -> None:
        while time.perf_counter() - start < seconds:
            time.sleep(thinking * random.uniform(0.5, 1.5))
            begun = time.perf_counter()
            if not clients[number].cycle():
                failed.append(f"client {number}: {getattr(clients[number], 'status', '')}")
                return
            latencies[number].append(time.perf_counter() - begun)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed, cpu = time.perf_counter() - start, cpu_seconds(server) - before
    if failed:
        raise SystemExit(f"{len(failed)} of {count} clients stopped: {failed[0]}")
    return summary(sorted(latency for own in latencies for latency in own), elapsed, cpu)


def summary(latencies: list[float], elapsed: float, cpu: float) -> dict[str, float]:
    def percentile(share: float) -> float:
        return round(1_000 * latencies[min(int(share * len(latencies)), len(latencies) - 1)], 1)

    return {
        "cycles_per_second": round(len(latencies) / elapsed, 1),
        "p50_ms": percentile(0.5),
        "p95_ms": percentile(0.95),
        "p99_ms": percentile(0.99),
        "cpu_ms": round(1_000 * cpu / len(latencies), 2),
    }


def cpu_seconds(server: int) -> float:
    """User and system time of the web server's processes and of Postgres', ended ones left out."""
    import psutil

    web = psutil.Process(server)
    family = [web, *web.children(recursive=True)]
    family += [p for p in psutil.process_iter(["name"]) if p.info["name"] == "postgres" and ours(p)]
    return sum(sum(p.cpu_times()[:2]) for p in family if p.is_running())


def ours(process: Any) -> bool:
    try:
        return process.cwd().startswith(os.environ["DRESSPORTAL_VAR"])
    except Exception:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(port: int) -> None:
    for _ in range(150):
        try:
            if Healthz(port).cycle():
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The web server did not answer within 30 s.")


def print_table(figures: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Vote and next card, no thinking time")
    for column in (
        "clients",
        "cycles/s",
        "x Label Studio",
        "of the limit",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU ms",
    ):
        table.add_column(column, justify="right")
    limit = figures["limit"]["cycles_per_second"]
    for clients, run in figures["clients"].items():
        rate = run["cycles_per_second"]
        ratio = f"{rate / PEER['cycles_per_second']:.1f}" if clients == 32 else ""
        cells = [clients, rate, ratio, f"{rate / limit:.0%}"]
        table.add_row(*map(str, [*cells, run["p50_ms"], run["p95_ms"], run["p99_ms"], run["cpu_ms"]]))
    peer = PEER
    table.add_row(
        "LS, 32", str(peer["cycles_per_second"]), "1.0", "", "", str(peer["p95_ms"]), "", str(peer["cpu_ms"])
    )
    table.add_row("/healthz, 8", str(limit), "", "100%", "", "", "", str(figures["limit"]["cpu_ms"]))
    console = Console(width=100)
    console.print(table)
    lunch = figures["lunch"]
    console.print(
        f"32 people who think for {THINKING:.0f} s: p95 {lunch['p95_ms']} ms, p99 {lunch['p99_ms']} ms "
        f"({lunch['p95_ms'] / LIMIT_P95_MS:.2f} of the limit of {LIMIT_P95_MS} ms at p95)"
    )
    ours = figures["per_cycle"]
    console.print(
        f"SQL statements a cycle: {ours['statements']} (Label Studio {peer['statements']}), "
        f"commits: {ours['commits']} ({peer['commits']}), surplus votes: {figures['surplus_votes']}"
    )


if __name__ == "__main__":
    main()
