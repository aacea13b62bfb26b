import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from verify.classifier import server


class Command(BaseCommand):
    help = "Name photos for the API, at a Unix socket, until told to stop; manage.py serve runs it."

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            reason = server.run(settings.CLASSIFIER_SOCKET)
        except server.CannotListen as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            return
        self.stdout.write(reason)
