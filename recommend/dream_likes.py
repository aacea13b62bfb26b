"""Hearts for dreams: one of each colleague for each dream."""

from __future__ import annotations

from datetime import datetime

from recommend import dreams
from recommend.dreams import Asked, Dreamt
from recommend.models import DreamLike, LikedDream
from verify.models import Employee


def like(by: Employee, dreamt: Dreamt, now: datetime) -> None:
    """Kept with the picture, which later weights could not draw again. Again changes nothing."""
    asked = dreamt.asked
    facts = {"version": dreams.version(), "seed": asked.seed, "query": asked.query}
    facts |= {"picture": dreamt.picture, "created_at": now}
    dream, _ = LikedDream.objects.get_or_create(name=dreamt.name, defaults=facts)
    DreamLike.objects.get_or_create(employee=by, dream=dream, defaults={"created_at": now})


def unlike(by: Employee, asked: Asked) -> None:
    DreamLike.objects.filter(employee=by, dream__name=dreams.name(asked)).delete()
