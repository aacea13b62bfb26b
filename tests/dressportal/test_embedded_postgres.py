"""The embedded server's life: one of it, found again after any crash, gone after its last user."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from dressportal.embedded_postgres import privileges
from dressportal.embedded_postgres import server as embedded
from dressportal.embedded_postgres.server import FSYNC_VARIABLE, USER, PostgresDidNotStart, Server

pytestmark = [pytest.mark.concurrency, pytest.mark.xdist_group("processes")]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: tries what only root has to")

ENVIRONMENT = {
    "PYTHONPATH": str(Path(__file__).parents[2]),
    "PATH": os.environ["PATH"],
    FSYNC_VARIABLE: os.environ.get(FSYNC_VARIABLE, ""),
}
# Joins like the backend does, says the postmaster's pid, then stays until its input ends.
USE = """
import sys
from pathlib import Path
from dressportal.embedded_postgres.server import Server
server = Server(Path(sys.argv[1]))
server.join()
print(server.postmaster().pid, flush=True)
sys.stdin.read()
"""


class Another:
    """Another process that uses the server."""

    def __init__(self, server: Server, prefix: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", USE, str(server.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    def postmaster(self) -> int:
        return int(self.process.stdout.readline())

    def leave(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "var" / "postgres")
    yield server
    server.leave()
    server.stop()
    shutil.rmtree(server.socket_folder, ignore_errors=True)


def query(server: Server, sql: str) -> list[tuple]:
    where = {"host": str(server.socket_folder), "user": USER, "dbname": USER}
    with psycopg.connect(**where, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def wait_for(done: Callable[[], bool], timeout: float = 15) -> bool:
    deadline = time.monotonic() + timeout
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
    return done()


def test_three_starts_at_once_make_one_server_that_leaves_with_the_last_of_them(server: Server) -> None:
    users = [Another(server) for _ in range(3)]
    assert len({user.postmaster() for user in users}) == 1
    users[0].leave()
    users[1].kill()
    time.sleep(0.5)
    assert server.accepts_connections()
    users[2].kill()  # nobody is left to say goodbye
    assert wait_for(lambda: server.postmaster() is None)
    assert wait_for(lambda: not server.socket_folder.exists()), "nothing stays behind outside of var"


def test_a_killed_server_comes_back_with_everything_committed(server: Server) -> None:
    server.join()
    query(server, "CREATE TABLE dress AS SELECT generate_series(1, 1000) AS sku")
    server.postmaster().kill()
    server.ensure_running()
    assert query(server, "SELECT count(*) FROM dress") == [(1000,)]


def test_backends_that_outlive_a_killed_server_do_not_stop_the_next(server: Server) -> None:
    server.join()
    where = {"host": str(server.socket_folder), "user": USER, "dbname": USER}
    forever = "SELECT count(*) FROM generate_series(1, 1e12)"
    code = f"import psycopg, sys; psycopg.connect(sys.argv[1]).execute({forever!r})"
    conninfo = psycopg.conninfo.make_conninfo(**where)
    busy = subprocess.Popen([sys.executable, "-c", code, conninfo], stderr=subprocess.DEVNULL)
    working = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%1e12%' AND state = 'active'"
    assert wait_for(lambda: query(server, working) == [(2,)])  # the other one is this question
    server.postmaster().kill()
    server.ensure_running()
    assert query(server, "SELECT 1") == [(1,)]
    busy.wait(timeout=10)


def test_a_stale_pid_file_naming_a_living_stranger_is_no_obstacle(server: Server) -> None:
    server.join()
    query(server, "CREATE TABLE dress AS SELECT 1 AS sku")
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.postmaster().kill()
    assert wait_for(lambda: server.postmaster() is None)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        lock = server.socket_folder / ".s.PGSQL.5432.lock"
        lock.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert server.postmaster() is None
        server.stop()
        assert stranger.poll() is None, "stopping must not signal a stranger"
        server.ensure_running()
        assert query(server, "SELECT sku FROM dress") == [(1,)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize(("said", "fsync"), [(None, "on"), ("0", "on"), ("off", "off")])
def test_only_a_plain_off_spares_the_disk(
    monkeypatch: pytest.MonkeyPatch, said: str | None, fsync: str
) -> None:
    monkeypatch.delenv(FSYNC_VARIABLE, raising=False)
    if said is not None:
        monkeypatch.setenv(FSYNC_VARIABLE, said)
    assert embedded._fsync() == fsync


def test_an_initialisation_killed_half_way_starts_over(server: Server) -> None:
    unfinished = server.data.with_name("postgres.new")
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    server.join()
    assert query(server, "SELECT 1") == [(1,)]


def test_a_swept_up_socket_is_made_again(server: Server) -> None:
    server.join()
    shutil.rmtree(server.socket_folder)
    server.ensure_running()
    assert query(server, "SELECT 1") == [(1,)]


def test_a_checkout_may_lie_deeper_than_a_socket_path_may_be_long(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a folder with spaces and ümlauts"] * 5)
    server = Server(deep / "postgres")
    try:
        server.join()
        assert len(os.fsencode(server.socket_folder / ".s.PGSQL.5432.lock")) < 107 < len(os.fsencode(deep))
        assert query(server, "SELECT 1") == [(1,)]
        assert server.socket_folder.stat().st_mode & 0o777 == 0o700
    finally:
        assert server.leave()


def test_it_speaks_unicode_and_listens_on_nothing_but_its_socket(server: Server) -> None:
    server.join()
    assert query(server, "SELECT upper('ärmel'), getdatabaseencoding()") == [("ÄRMEL", "UTF8")]
    assert query(server, "SHOW listen_addresses") == [("",)]
    assert server.postmaster().net_connections("inet") == []


def test_a_forked_child_neither_stops_the_server_nor_loses_it(server: Server) -> None:
    code = USE.replace("sys.stdin.read()", "") + "\nimport os\nif os.fork(): os._exit(0)\nsys.stdin.read()"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(server.data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    parent.wait(timeout=30)
    time.sleep(0.5)
    assert server.accepts_connections(), "the child still uses it"
    parent.communicate()  # ends the child's input, and so the child
    assert wait_for(lambda: server.postmaster() is None)


def test_a_broken_data_folder_ends_with_the_servers_own_words(server: Server) -> None:
    server.join()
    server.stop()
    (server.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(PostgresDidNotStart, match=r"incompatible|version 9\.6"):
        server.ensure_running()


@root_only
@pytest.mark.parametrize("number", [0, 1])
def test_as_root_in_a_folder_only_root_may_enter(
    server: Server, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.data.parent.mkdir(mode=0o700)
    way = list(privileges._candidates(server.data.parent))[number]
    program = Path(shutil.which("true") or "/bin/true")
    if not privileges._works(way, program, server.data.parent):
        pytest.skip(f"this machine does not allow {way.prefix[0]} {way.prefix[1]}")
    monkeypatch.setattr(privileges, "_candidates", lambda folder: iter([way]))
    server.join()
    assert server.postmaster().cwd() == str(server.data)
    assert server.data.stat().st_uid == way.owner
    assert query(server, "SELECT 1") == [(1,)]


@root_only
def test_data_made_one_way_is_handed_over_to_another(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.data.parent.mkdir(mode=0o700)
    ways = list(privileges._candidates(server.data.parent))[:2]
    for way in (*ways, ways[0]):
        if not privileges._works(way, Path("/bin/true"), server.data.parent):
            pytest.skip(f"this machine does not allow {way.prefix[0]}")
        monkeypatch.setattr(privileges, "_candidates", lambda folder, way=way: iter([way]))
        server.join()
        assert query(server, "SELECT 1") == [(1,)]
        assert server.leave()


@root_only
def test_root_is_told_when_there_is_no_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    plain = list(privileges._candidates(tmp_path))[-1]
    monkeypatch.setattr(privileges, "_candidates", lambda folder: iter([plain]))
    with pytest.raises(PermissionError, match="util-linux"):
        privileges.disguise(Path("/bin/true"), tmp_path)


@root_only
@pytest.mark.parametrize("uid", [1, 4242], ids=["an ordinary user", "a user without a name"])
def test_as_somebody_else(server: Server, uid: int) -> None:
    prefix = ("unshare", "--user", f"--map-user={uid}", f"--map-group={uid}")
    if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not allow user namespaces")
    user = Another(server, prefix)
    assert psutil.pid_exists(user.postmaster())
    user.leave()
    assert wait_for(lambda: server.postmaster() is None)


def test_ending_by_a_signal_is_an_end_like_any_other(server: Server) -> None:
    user = Another(server)
    user.postmaster()
    user.process.send_signal(signal.SIGTERM)
    user.leave()
    assert wait_for(lambda: server.postmaster() is None)
