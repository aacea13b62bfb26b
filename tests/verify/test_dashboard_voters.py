"""What the admin's first page says of voters, of how sure the portal may be, and what waits for a label."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.make import make_admin, make_employee, make_post
from tests.verify.voted_posts import NOW, labelled, settled
from verify import audit, ballots, consensus, dashboard, refit
from verify.models import Employee, Post, Refit, Reliability

pytestmark = pytest.mark.django_db


def test_voters_least_reliable_first_and_none_muted_is_left_out() -> None:
    for estimate, muted_at in ((0.9, None), (0.6, None), (0.95, NOW), (0.7, None)):
        Reliability.objects.create(employee=make_employee(), estimate=estimate, muted_at=muted_at)
    shown, total = dashboard.voters(limit=3)
    assert [row.estimate for row in shown] == [0.6, 0.7, 0.95]
    assert total == 4


def test_a_diagram_needs_enough_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ENOUGH", 2)
    diagram = [{"stated": 0.98, "real": 0.97, "count": 50, "low": 0.9, "high": 0.99}]
    values = {"fitted_at": NOW, "votes": 1, "posts": 1, "voters": 1, "seconds": 0.1}
    values["prior_factors"] = list(consensus.UNCORRECTED)
    Refit.objects.create(**values, diagram=diagram)
    Refit.objects.create(**values)
    ada = make_admin()
    labelled(ada)
    assert dashboard.calibration() == dashboard.Calibration(1, [], None)
    labelled(ada)
    found = dashboard.calibration()
    assert (found.labelled, found.bins) == (2, [dashboard.Bin(0.98, 0.97, 50, 0.9, 0.99)])


def test_labels_are_counted_as_the_re_fit_counts_them() -> None:
    ada = make_admin()
    for _ in range(2):
        labelled(ada)
    Post.objects.filter(pk=labelled(ada).pk).update(suggestion=None)
    settled(audit=True, settled_by=ada)  # without a vote
    settled(audit=True)
    assert dashboard.calibration().labelled == refit.estimate(ballots.read()).audited == 2


def test_too_early_is_said_with_the_number_that_is_missing(client: Client, ada: Employee) -> None:
    labelled(ada)
    html = client.get(reverse("admin:index")).content.decode()
    assert "Too early to say: from 300 on there is a diagram, 299 to go." in html


def test_the_audit_sample_waits_for_its_votes_and_for_a_label() -> None:
    ada = make_admin()
    ready = settled(audit=True, votes_cast=5)
    disputed = make_post(state="disputed", audit=True, votes_cast=9)
    skipped = make_post(state="disputed", audit=True, votes_cast=1)  # gets no more
    settled(audit=True, votes_cast=4)
    settled(audit=False, votes_cast=5)
    settled(audit=True, votes_cast=5, settled_by=ada)
    assert set(dashboard.to_label()) == {ready, disputed, skipped}


def test_what_waits_for_a_label_is_not_to_be_decided_with_the_votes_in_view() -> None:
    make_post(state="disputed", audit=True, votes_cast=9)
    plain = make_post(state="disputed", votes_cast=9)
    assert list(dashboard.to_decide()) == [plain]
    waiting = dashboard.waiting()
    assert (waiting.disputed, waiting.audit) == (1, 1)
