"""Threads that look at photos go behind all others, but where somebody waits for them."""

import contextvars
import os

import pytest

from verify import looking

pytestmark = pytest.mark.skipif(
    not hasattr(os, "SCHED_IDLE"), reason="threads have no class of their own here"
)


def policies() -> set[int]:
    with looking.opened() as eyes:
        return {pool.submit(os.sched_getscheduler, 0).result() for pool in (eyes.decoders, eyes.network)}


def test_they_take_what_is_left() -> None:
    assert contextvars.Context().run(policies) == {os.SCHED_IDLE}


def test_their_share_where_somebody_waits() -> None:
    with looking.waited_for():
        assert policies() == {os.SCHED_OTHER}
