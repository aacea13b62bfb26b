"""What the worker runs for recommendations. Each may run twice without harm."""

from django.utils import timezone

from recommend.models import Interaction


def forget_old_interactions() -> None:
    Interaction.objects.forget_old(timezone.now())
