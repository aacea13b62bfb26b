"""The office of the vote benchmark: many posts, employees with sessions, and Django's own counts."""

import itertools
import sys
import time
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Exists, OuterRef, prefetch_related_objects  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_q.tasks import async_task  # noqa: E402

from dressportal import database  # noqa: E402
from dressportal.demo.draw import Order, draw_all  # noqa: E402
from tests import make  # noqa: E402
from verify import rotation, versions  # noqa: E402
from verify.intake import photos  # noqa: E402
from verify.models import Lease, Option, Photo, Post, Suggestion, Vote  # noqa: E402

DRESSES = 200


def open_office(posts: int, people: int) -> list[dict[str, str]]:
    """Fill the empty database, open one batch with every post; returns each employee's cookies."""
    call_command("migrate", verbosity=0)
    settings.BATCH_SIZE = posts
    settings.ALLOWED_HOSTS = ["*"]
    _propose(posts)
    rotation.rotate()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum would have done by lunch
    return [_log_in(f"voter{number}") for number in range(people + 1)]


def _propose(count: int) -> None:
    dresses = [make.make_dress() for _ in range(DRESSES)]
    photo, now = make.make_photo(), timezone.now()
    version = make.make_model_version(versions.digest_of(versions.folder_of(None)))  # what the worker loads
    posts = Post.objects.bulk_create(
        Post(external_id=str(number), posted_at=now - timedelta(minutes=number), photo=photo)
        for number in range(count)
    )
    suggestions = Suggestion.objects.bulk_create(
        Suggestion(post=post, model_version=version, not_a_dress=0.1) for post in posts
    )
    Option.objects.bulk_create(
        Option(
            suggestion=suggestion,
            dress=dresses[(number + 7 * rank) % DRESSES],
            rank=rank,
            probability=probability,
        )
        for number, suggestion in enumerate(suggestions)
        for rank, probability in enumerate((0.5, 0.2, 0.1))
    )
    prefetch_related_objects(suggestions, "options")
    Post.objects.propose(dict(zip(posts, suggestions, strict=True)))


def _log_in(username: str) -> dict[str, str]:
    client = Client()
    client.force_login(make.make_employee(username))
    client.get("/")
    return {name: morsel.value for name, morsel in client.cookies.items()}


def count_statements(cookies: dict[str, str]) -> dict[str, int]:
    """Statements and commits of one 'vote and next card', in the middle of a visit."""
    client = Client()
    client.cookies.load(cookies)
    client.get("/")
    for _ in range(3):  # the first vote of a day looks the streak up as well
        lease, *held = Lease.objects.filter(employee__username="voter0", outcome="open").order_by("pk")
        answer = {"lease": lease.pk, "choice": "not_a_dress", "held": [card.pk for card in held]}
        with CaptureQueriesContext(connection) as captured:
            client.post("/vote/", answer, headers={"HX-Request": "true"})
    verbs = [query["sql"].split()[0].upper() for query in captured.captured_queries]
    transaction_words = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
    return {
        "statements": sum(verb not in transaction_words for verb in verbs),
        "commits": verbs.count("COMMIT"),
    }


def web_server(port: int) -> list[str]:
    """The command line with which `make run` starts the web server."""
    program = str(Path(sys.executable).with_name("granian"))
    options = ["--interface", "wsgi", "--workers", "2", "--blocking-threads", str(settings.WEB_THREADS)]
    return [program, *options, "--port", str(port), "--log-level", "warning", "dressportal.wsgi:application"]


def let_posts_wait(count: int, drawings: int = 64) -> None:
    """Posts with drawn photos that wait for the worker, and the task that it takes up."""
    drawn = list(draw_all(Order("dress", number, (432, 540), number) for number in range(drawings)))
    stored = [photos.store_prepared(prepared) for prepared in drawn]
    copies = Photo.objects.bulk_create(
        Photo(sha256=f"{n:064}", width=of.width, height=of.height, large=of.large.name, small=of.small.name)
        for n, of in zip(range(count), itertools.cycle(stored), strict=False)
    )
    long_ago = timezone.now() - timedelta(days=365)
    Post.objects.bulk_create(
        Post(external_id=f"waiting-{n}", posted_at=long_ago - timedelta(minutes=n), photo=photo)
        for n, photo in enumerate(copies)
    )
    async_task("verify.tasks.suggest_waiting")


def worker() -> list[str]:
    """The command line with which `make run` starts the worker."""
    return ["nice", "-n", "10", sys.executable, "manage.py", "qcluster"]


def wait_until_it_proposes(waiting: int) -> None:
    for _ in range(600):
        if still_waiting() < waiting:
            return
        time.sleep(0.2)
    raise SystemExit("The worker proposed nothing within two minutes.")


def still_waiting() -> int:
    return Post.objects.filter(state=Post.State.WAITING).count()


def close_office() -> None:
    """Wait until the embedded server has stopped: its folder is about to go."""
    connection.close()
    database.leave(settings.DATABASES["default"], patience=30)


def surplus_votes() -> int:
    """Votes on a post beyond those that its decision needed, and votes without a lease."""
    leased = Lease.objects.filter(post=OuterRef("post"), employee=OuterRef("employee"))
    without_lease = Vote.objects.exclude(Exists(leased)).count()
    late = 0
    for post in Post.objects.exclude(settles_at=None).prefetch_related("votes"):
        deciding = post.settles_at - settings.UNDO
        late += sum(vote.created_at > deciding for vote in post.votes.all())
    return without_lease + late
