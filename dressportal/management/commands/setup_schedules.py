from typing import Any

from django.core.management.base import BaseCommand
from django_q.tasks import async_task

from dressportal import schedules


class Command(BaseCommand):
    help = "Store the schedules of dressportal/schedules.py, once each, and remove any other."

    def handle(self, *args: Any, **options: Any) -> None:
        added, removed = schedules.set_up()
        async_task("verify.tasks.tick")  # the worker says that it lives before its first minute is over
        self.stdout.write(f"{len(schedules.SCHEDULES)} schedules: {added} added, {removed} removed.")
