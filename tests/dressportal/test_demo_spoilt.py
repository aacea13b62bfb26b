"""The demo has posts that the quality gates hold back, each kind of them."""

from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from dressportal.demo import spoilt
from tests import make
from tests.verify.intake.pictures import encoded
from tests.verify.test_gates import photo
from tests.verify.test_gating import THRESHOLDS
from verify.intake.photos import store
from verify.models import GateVerdict, Post

pytestmark = pytest.mark.django_db


def six_posts() -> None:
    for seed in range(6):
        make.make_post(photo=store(encoded(photo(seed), quality=90)))


def test_what_no_gate_holds_back_is_left_out(settings: Any) -> None:
    settings.GATES = {}
    six_posts()
    spoilt.store_spoilt(timezone.now())
    assert Post.objects.count() == 6


def test_what_is_spoilt_is_held_back_for_what_it_is(settings: Any) -> None:
    settings.GATES = THRESHOLDS
    six_posts()
    spoilt.store_spoilt(timezone.now())
    held = Post.objects.filter(state=Post.State.HELD)
    assert held.count() == len(spoilt.SPOILT)
    gates = Counter(GateVerdict.objects.holding().values_list("gate", flat=True))
    assert gates >= Counter(blur=2, size=1, duplicate=3)
