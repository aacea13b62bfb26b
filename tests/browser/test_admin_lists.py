"""axe-core finds nothing on the lists and the forms of the admin, of every model that it knows."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule, Task
from django_q.tasks import async_task

from tests import make
from tests.browser.axe import violations, violations_in_both_themes
from tests.browser.conftest import Visitor
from tests.verify.curation import make_sources
from verify import consensus
from verify.models import (
    Calibration,
    Employee,
    Flag,
    GoldAnswer,
    Heartbeat,
    Nomination,
    Notice,
    Refit,
    Reliability,
    RightsChange,
    Vote,
)

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
FIGURES = {"precision@10": 0.41, "recall@10": 0.2, "arhr@10": 1.4, "ndcg@10": 0.4}
METRICS = {"people": 94, "new": FIGURES, "old": FIGURES, "popular": FIGURES}


@pytest.fixture
def ada(transactional_db: None) -> Employee:
    """An admin with at least one row of every model to look at."""
    ada, ann, now = make.make_admin("ada"), make.make_employee("ann"), timezone.now()
    luna = make.make_dress(title="Luna", photos=2)
    shown = make.make_look(luna, "waiting").post
    voted, practised, disputed = make.make_open_posts(3, make.make_batch(), [luna, make.make_dress()])
    disputed.dispute("Skipped by 3 people.")
    said = {"employee": ann, "created_at": now}
    vote = {"answer": "not_a_dress", "suggestion": voted.suggestion, "dealt_at": now}
    Vote.objects.create(post=voted, **vote, **said)
    GoldAnswer.objects.create(post=practised, answer="not_a_dress", training=True, right=True, **said)
    Flag.objects.create(post=shown, reason="child", **said)
    Nomination.objects.create(post=voted, **said)
    Notice.objects.tell(Notice.Kind.VOTER_MUTED, "Ann presses the first option.", now, employee=ann)
    Calibration.objects.create(
        model_version=voted.suggestion.model_version, fitted_at=now, posts=300, temperature=0.05
    )
    work_of_the_machine(ann)
    make_sources()
    make.make_api_key(created_by=ada)
    make.make_interaction(luna)
    make.make_template()
    make.make_opt_out()
    make.make_tombstone()
    RightsChange.objects.make([shown], "refused", "Said so.", ada)
    make.make_tally(luna)
    make.make_tally(luna, shown.look)
    make.make_liked_dream()
    make.make_recommender_version(metrics=METRICS, reason="No worse than what is popular, beyond noise.")
    return ada


def work_of_the_machine(ann: Employee) -> None:
    now = timezone.now()
    reliability = {"right": 30, "wrong": 5, "estimate": 0.88, "low": 0.7, "high": 0.95, "muted_at": now}
    Reliability.objects.create(employee=ann, muted_because="Too fast.", **reliability)
    counts = {"votes": 1500, "posts": 300, "voters": 9, "seconds": 0.1, "audited": 0}
    Refit.objects.create(fitted_at=now, diagram=[], prior_factors=list(consensus.UNCORRECTED), **counts)
    Heartbeat.beat("worker")
    Schedule.objects.create(name="rotate", func="verify.tasks.rotate_batch")
    ran = {"func": "verify.tasks.refit", "started": now, "stopped": now}
    Task.objects.create(id="a" * 32, name="went-well", success=True, **ran)
    Task.objects.create(id="b" * 32, name="went-wrong", success=False, result="KeyError", **ran)
    async_task("verify.tasks.refit")


def pages(ada: Employee) -> Iterator[str]:
    """The list of each model, and the forms for one that there is and, where she may, for a new one."""
    request = RequestFactory().get("/")
    request.user = ada
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_change", args=[model_admin.get_queryset(request)[0].pk])
        if model_admin.has_add_permission(request):
            yield reverse(f"{name}_add")


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_axe_finds_nothing(visit: Visit, ada: Employee, screen: str) -> None:
    """In either theme on a desktop; on a phone it has the same colours."""
    visitor, found = visit("ada", screen, color_scheme="light"), {}
    for path in pages(ada):
        page = visitor.open(path)
        found[path] = violations_in_both_themes(page) if screen == "desktop" else violations(page)
    assert {path: lines for path, lines in found.items() if lines} == {}
    visitor.forgive("inline style")  # axe measures with some
