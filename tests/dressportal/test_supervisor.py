"""`manage.py serve`: everything up, everything found again after a kill, everything down."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from dressportal import supervisor
from dressportal.embedded_postgres.server import USER, Server
from dressportal.supervisor import Part

pytestmark = [pytest.mark.concurrency, pytest.mark.xdist_group("processes")]
ROOT = Path(__file__).parents[2]
OF_THE_WORKER = ("verify_heartbeat", "django_q_ormq", "django_q_schedule", "django_q_task")


class Enough(Exception):
    """Ends a watch that would go on for ever."""


def wait_for(done: Callable[[], bool], timeout: float = 180) -> bool:
    """Long enough for a machine that has much else to do."""
    deadline = time.monotonic() + timeout
    while not (finished := done()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return finished


class Portal:
    """A portal of its own, without the demo, on a free port."""

    def __init__(self, var: Path, port: int | None = None) -> None:
        self.var, self.port = var, port or free_port()
        self.server = Server(var / "postgres")
        self.process: subprocess.Popen[str] | None = None
        self.visitor = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)

    def start(self) -> "Portal":
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env={**os.environ, **self.environment()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def environment(self) -> dict[str, str]:
        changes = {"DRESSPORTAL_VAR": str(self.var), "PORT": str(self.port), "DRESSPORTAL_DEMO": "0"}
        return {**changes, "DATABASE_URL": "", "PYTHONUNBUFFERED": "1"}

    def manage(self, *arguments: str) -> None:
        environment = {**os.environ, **self.environment()}
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)

    def until_it_answers(self) -> "Portal":
        assert wait_for(lambda: self.answers() or self.process.poll() is not None), "it takes too long"
        assert self.process.poll() is None, self.output()
        return self

    def answers(self) -> bool:
        return self.get("healthz") == {"status": "alive"}

    def get(self, path: str) -> dict:
        try:
            return self.visitor.get(path).json()
        except httpx.HTTPError:
            return {}

    def classifies(self) -> bool:
        """Whether somebody listens at the classifier's socket, which is nobody else's to open."""
        path = self.var / "classifier.sock"
        with socket.socket(socket.AF_UNIX) as probe:
            return path.exists() and probe.connect_ex(str(path)) == 0 and path.stat().st_mode & 0o077 == 0

    def output(self) -> str:
        return self.process.communicate(timeout=90)[0]

    def processes(self, part: str = "") -> list[psutil.Process]:
        return supervisor.marked_processes(f"{part}@{self.var}")

    def workers(self) -> list[psutil.Process]:
        """What django-q forked to run tasks: the children of its guard."""
        return [p for p in self.processes("worker") if len(p.parents()) > 1 and p.children() == []]

    def beats(self) -> float:
        """When the worker last gave a sign of life; 0 if never."""
        query = "SELECT extract(epoch FROM beat_at)::float FROM verify_heartbeat"
        with self.database() as connection:
            row = connection.execute(query).fetchone()
        return row[0] if row else 0

    def database(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.server.socket_folder), user=USER, dbname=USER)

    def forget(self) -> None:
        """What its worker did in an earlier test."""
        self.server.join()
        with self.database() as connection, suppress(psycopg.errors.UndefinedTable):
            connection.execute(f"TRUNCATE {', '.join(OF_THE_WORKER)}")
        self.server.leave(timeout=0)

    def destroy(self) -> None:
        self.visitor.close()
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        supervisor.stop_orphans(self.var, patience=0)
        self.server.leave(timeout=0)
        self.server.stop()
        shutil.rmtree(self.server.socket_folder, ignore_errors=True)


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first portal here makes everything; those after it find the tables, which take longest."""
    return tmp_path_factory.mktemp("portal") / "var"


@pytest.fixture
def portal(var: Path) -> Iterator[Portal]:
    portal = Portal(var)
    if portal.server.data.exists():
        portal.forget()
    yield portal
    portal.destroy()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_up_one_at_a_time_and_down_within_ten_seconds(portal: Portal, tmp_path: Path) -> None:
    portal.start().until_it_answers()
    assert wait_for(lambda: portal.get("readyz").get("worker") == "ok"), portal.get("readyz")

    twin = Portal(portal.var).start()
    assert f"runs already: http://127.0.0.1:{portal.port}/" in twin.output()
    neighbour = Portal(tmp_path / "neighbour", portal.port).start()
    said = neighbour.output()
    assert said.splitlines()[-1].endswith(f"make run PORT={portal.port + 1}")
    assert "Traceback" not in said
    assert (twin.process.returncode, neighbour.process.returncode) == (1, 1)

    since = time.monotonic()
    portal.process.send_signal(signal.SIGTERM)
    said = portal.output()
    assert time.monotonic() - since < 10
    assert portal.process.returncode == 0
    assert f"http://127.0.0.1:{portal.port}/" in said
    assert portal.processes() == []
    assert portal.server.postmaster() is None


def test_after_the_kill_of_everything_that_may_be_killed_it_carries_on(portal: Portal) -> None:
    portal.start().until_it_answers()
    assert wait_for(portal.classifies)
    postmaster, web = portal.server.postmaster(), portal.processes("web")
    postmaster.kill()
    for process in [*web, *portal.processes("classifier")]:
        process.kill()
    assert wait_for(portal.answers)
    assert wait_for(portal.classifies), "it has been started again"
    assert wait_for(lambda: portal.get("readyz").get("database") == "ok")
    assert wait_for(lambda: portal.get("readyz").get("worker") == "ok"), "nothing is still starting"

    portal.process.kill()
    portal.process.communicate()
    assert wait_for(lambda: not portal.processes("classifier")), "it goes with whoever started it"
    orphans = {process.pid for process in portal.processes()}
    assert len(orphans) > 4, "the parts go on without their supervisor"
    again = portal.start()
    assert wait_for(lambda: not orphans & {process.pid for process in again.processes()})
    again.until_it_answers()
    assert wait_for(lambda: again.get("readyz").get("worker") == "ok")
    again.process.send_signal(signal.SIGINT)
    assert f"Stopped {len(orphans)} processes" in again.output()
    assert again.server.postmaster() is None


def test_a_cluster_whose_idle_workers_were_killed_works_again(portal: Portal) -> None:
    portal.server.join()
    portal.manage("migrate", "--verbosity", "0")
    cluster = Part(
        "worker", [sys.executable, "manage.py", "qcluster"], portal.var, ROOT, portal.environment()
    )
    cluster.start()
    portal.manage("setup_schedules")  # queues a first sign of life
    assert wait_for(lambda: portal.beats() > 0)
    time.sleep(1)  # until its workers wait for work
    killed_at, said = time.time(), []
    for worker in portal.workers():
        worker.kill()

    def age_of_heartbeat() -> float:
        if not said:
            return float("inf")
        if portal.beats() > killed_at or time.time() > killed_at + 180:
            raise Enough
        if not cluster.due() and cluster.silence() > 1:
            portal.manage("setup_schedules")
        return 0

    try:
        with pytest.raises(Enough):
            supervisor.watch([cluster], cluster, age_of_heartbeat, limit=4, say=said.append)
    finally:
        cluster.kill()
    assert len(said) == 1
    assert "no sign of life" in said[0]
    assert portal.beats() > killed_at


def part(tmp_path: Path, *command: str) -> Part:
    return Part("worker", list(command), tmp_path, tmp_path)


def test_what_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    dying, said = part(tmp_path, "false"), []

    def say(line: str) -> None:
        said.append((time.monotonic(), line))
        if len(said) == 3:
            raise Enough

    dying.start()
    with pytest.raises(Enough):
        supervisor.watch([dying], dying, lambda: 0, limit=60, say=say)
    times = [moment for moment, _ in said]
    assert times[1] - times[0] >= 2
    assert times[2] - times[1] >= 4
    assert "ended by itself" in said[0][1]


@pytest.mark.parametrize(
    ("command", "restarts"), [("sleep 60", True), (f"exec {sys.executable} -c 'while True: pass'", False)]
)
def test_silence_counts_only_in_an_idle_worker(tmp_path: Path, command: str, restarts: bool) -> None:
    worker, said, asked = part(tmp_path, "sh", "-c", command), [], []

    def age_of_heartbeat() -> float:
        asked.append(1)
        if len(asked) == 8:
            raise Enough
        return float("inf")

    worker.start()
    try:
        with pytest.raises(Enough):
            supervisor.watch([worker], worker, age_of_heartbeat, limit=1.5, say=said.append)
        assert bool(said) == restarts
    finally:
        worker.kill()


def test_a_stop_kills_what_does_not_stop_when_asked(tmp_path: Path) -> None:
    stubborn = part(tmp_path, "sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60")
    stubborn.start()
    assert wait_for(lambda: len(stubborn.processes()) == 2)
    supervisor.stop([stubborn], patience=0.5)
    assert stubborn.processes() == []


def test_a_supervisor_left_behind_by_its_parent_is_replaced(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from dressportal import supervisor\n"
        "with supervisor.only_one(Path(sys.argv[1]), 'here'): print('in', flush=True); time.sleep(60)"
    )
    launcher = subprocess.Popen(
        ["sh", "-c", '"$@" & wait', "sh", sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert launcher.stdout.readline() == b"in\n"
    with pytest.raises(supervisor.AlreadyRunning, match="here"), supervisor.only_one(tmp_path, "there"):
        pass
    launcher.kill()
    launcher.wait()
    with supervisor.only_one(tmp_path, "there"):
        assert "there" in (tmp_path / "serve.lock").read_text()
    launcher.communicate()
