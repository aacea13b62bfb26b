"""What the worker runs for recommendations. Each may run twice without harm."""

from logging import getLogger

from django.conf import settings

from recommend import nightly


def fit_nightly() -> None:
    nightly.fit(settings.RECOMMEND_METHOD, getLogger(__name__).info)
