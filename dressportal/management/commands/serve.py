import argparse
import contextlib
import http.client
import io
import os
import signal
import socket
import sys
import time
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import timezone
from rich.console import Console
from rich.panel import Panel

from dressportal import database, mailbox, supervisor
from dressportal.demo import instagram_account, people
from dressportal.health import WORKER_SILENCE
from dressportal.supervisor import Part
from verify.models import Heartbeat
from verify.tasks import TRAINING

PATIENCE = 300.0  # seconds that a web server may take to start; one that has died is not waited for


class Command(BaseCommand):
    help = "Set the database up, then run web server, worker and classifier in the foreground until Ctrl-C."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument("--host", default=os.environ.get("DRESSPORTAL_HOST") or "127.0.0.1")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        self.console = Console(highlight=False)
        self.host, self.port = host, port
        for ending in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(ending) != signal.SIG_IGN:  # nohup's wish counts
                signal.signal(ending, lambda *_: sys.exit(0))
        try:
            with supervisor.only_one(settings.VAR, self.address):
                self.run_until_told()
        except supervisor.AlreadyRunning as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            pass

    @property
    def address(self) -> str:
        shown = "localhost" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{shown}:{self.port}/"

    def run_until_told(self) -> None:
        if count := supervisor.stop_orphans(settings.VAR):
            self.say(f"Stopped {count} processes that a killed run had left behind.")
        self.refuse_taken_port()
        parts = [self.web(), self.worker(), self.classifier()]
        parts += [self.training()] if settings.RETRAIN else []
        try:
            self.set_up()
            parts += self.demo_instagram()
            web, *others = parts
            web.start()
            self.wait_until_it_answers(web)  # before the others take their share of the cores
            for part in others:
                part.start()
            self.announce()
            if not (settings.EMAIL_URL or settings.PRODUCTION):
                Thread(target=mailbox.follow, args=(settings.EMAIL_FILE_PATH, self.say), daemon=True).start()
            limit = float(os.environ.get("DRESSPORTAL_WORKER_SILENCE") or WORKER_SILENCE.total_seconds())
            supervisor.watch(parts, parts[1], age_of_heartbeat, limit, self.say)
        finally:
            self.stop(parts)

    def set_up(self) -> None:
        self.say("Setting the database up …")
        call_command("migrate", verbosity=0, interactive=False)
        if not settings.EMAIL_URL:  # its files hold links that log people in
            settings.EMAIL_FILE_PATH.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise complains about its absence
        if settings.PRODUCTION:
            call_command("collectstatic", verbosity=0, interactive=False)
        elif os.environ.get("DRESSPORTAL_DEMO") != "0":
            call_command("demo", if_empty=True)
        call_command("setup_schedules", stdout=io.StringIO())
        connection.close()

    def web(self) -> Part:
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2"]
        command += ["--blocking-threads", str(settings.WEB_THREADS)]
        command += ["--respawn-failed-workers", "--workers-kill-timeout", "4"]
        command += ["--log-level", "warning", "--host", self.host, "--port", str(self.port)]
        pool = {"DRESSPORTAL_POOL": "1"}
        return Part("web", [*command, "dressportal.wsgi:application"], settings.VAR, settings.BASE_DIR, pool)

    def worker(self) -> Part:
        # A backlog takes what the web leaves: people wait for their next card, posts for nobody.
        command = ["nice", "-n", "10", sys.executable, "manage.py", "qcluster"]
        own = {"DRESSPORTAL_POOL": "0"}
        if not settings.PRODUCTION:
            own["DRESSPORTAL_URL"] = os.environ.get("DRESSPORTAL_URL") or self.address  # for its e-mails
        return Part("worker", command, settings.VAR, settings.BASE_DIR, own)

    def training(self) -> Part:
        """A worker for what takes hours: the other one goes on proposing."""
        command = [sys.executable, "manage.py", "qcluster"]
        own = {"DRESSPORTAL_POOL": "0", "Q_CLUSTER_NAME": TRAINING}
        return Part(TRAINING, command, settings.VAR, settings.BASE_DIR, own)

    def classifier(self) -> Part:
        command = [sys.executable, "manage.py", "run_classifier"]
        return Part("classifier", command, settings.VAR, settings.BASE_DIR, {"DRESSPORTAL_POOL": "0"})

    def demo_instagram(self) -> list[Part]:
        """For the demo's own world alone: nobody else's posts are mixed with drawn ones."""
        switched_off = os.environ.get("DRESSPORTAL_DEMO_INSTAGRAM") == "0"
        if settings.PRODUCTION or switched_off or settings.INSTAGRAM_TOKEN or not people.hired().exists():
            return []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        os.environ.update(instagram_account.environment(port))  # of the parts, which start after this
        instagram_account.set_up()
        connection.close()
        command = [sys.executable, "-m", "dressportal.demo.instagram", "--port", str(port)]
        return [Part("instagram", command, settings.VAR, settings.BASE_DIR)]

    def refuse_taken_port(self) -> None:
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                place = f"{self.host}:{self.port}"
                raise CommandError(
                    f"Cannot listen on {place}: {error.strerror}. Another port: make run PORT={self.port + 1}"
                ) from error

    def wait_until_it_answers(self, web: Part) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if web.died() or time.monotonic() > deadline:
                tail = "\n".join(web.log.read_text(errors="replace").splitlines()[-15:])
                raise CommandError(f"The web server does not answer. The end of {web.log}:\n{tail}")
            time.sleep(0.1)

    def answers(self) -> bool:
        probe = http.client.HTTPConnection(self.host, self.port, timeout=2)
        with contextlib.closing(probe), contextlib.suppress(OSError, http.client.HTTPException):
            probe.request("GET", "/healthz")
            return probe.getresponse().status > 0
        return False

    def announce(self) -> None:
        lines = [f"[bold]{self.address}[/bold]"]
        accounts = settings.VAR / "demo-accounts.txt"
        if accounts.exists() and not settings.PRODUCTION:
            lines += ["", *accounts.read_text().splitlines()]
        if not (settings.EMAIL_URL or settings.PRODUCTION):
            lines += ["", f"E-mails, with their links shown here: {settings.EMAIL_FILE_PATH}"]
        lines += ["", f"Logs: {settings.VAR / 'log'}", "Ctrl-C stops all of it."]
        self.console.print(Panel.fit("\n".join(lines), title="dressportal", padding=(1, 3)))

    def stop(self, parts: list[Part]) -> None:
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.SIG_IGN)  # it is being done, and takes seconds
        self.say("Stopping …")
        supervisor.stop(parts)
        connection.close()
        if database.leave(settings.DATABASES["default"], patience=4):
            self.say("Stopped.")
        else:
            self.say("Stopped. The database still runs, for whoever else uses it.")

    def say(self, line: str) -> None:
        self.console.print(line, soft_wrap=True, markup=False)


def age_of_heartbeat() -> float:
    """Seconds; 0 while nobody can tell, because that is not the worker's fault.

    The question, asked every few seconds, is also what brings a killed embedded Postgres back.
    """
    try:
        beat = Heartbeat.objects.filter(name="worker").values_list("beat_at", flat=True).first()
    except DatabaseError:
        connection.close()
        return 0
    return (timezone.now() - beat).total_seconds() if beat else float("inf")
