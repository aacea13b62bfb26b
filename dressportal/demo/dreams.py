"""Colleagues of the demo who have looked at the wall of dreams and given some of them a heart."""

from datetime import datetime, timedelta

import numpy as np

from dressportal.demo.people import Voter
from recommend import dream_likes
from recommend.dreams import Asked, Dreamt
from verify.dreaming import shelf
from verify.dreaming.draw import draw
from verify.dreaming.dream import Dream
from verify.versions import NotReady

SEEDS = (2, 3, 7, 11, 16)
LIKES = (9, 6, 4, 2, 1)


def like_some(voters: list[Voter], now: datetime, rng: np.random.Generator) -> None:
    """Nothing where the portal has no dream weights."""
    if not shelf.version():
        return
    dreams = [Dream(seed) for seed in SEEDS]
    try:
        drawn = draw(dreams)
    except NotReady:
        return
    for dream, found, likes in zip(dreams, drawn, LIKES, strict=True):
        dreamt = Dreamt(Asked(dream.seed), dream.name(shelf.version()), found.picture, [])
        for place in rng.choice(len(voters), min(likes, len(voters)), replace=False):
            at = now - timedelta(hours=float(rng.uniform(1, 72)))
            dream_likes.like(voters[place].employee, dreamt, at)
