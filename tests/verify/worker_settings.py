"""Settings of a real worker beside a test: the test's database and files, and a photo that kills."""

import hashlib
import os
import signal
import time
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from dressportal.settings import *  # noqa: F403
from dressportal.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["WORKER_DATABASE"]
MEDIA_ROOT = os.environ["WORKER_MEDIA"]
DEEPDRESS_WEIGHTS = Path(os.environ["WORKER_WEIGHTS"])
SUGGEST_CLAIM = timedelta(seconds=2)

_open = Image.open
_diary = Path(os.environ["WORKER_DIARY"])  # a line for each photo opened: who, and which
_deadly = os.environ.get("WORKER_DEADLY", "")  # sha256 of the photo whose decoding kills the process


def _open_slowly(source: BytesIO, *args: Any, **kwargs: Any) -> Image.Image:
    digest = hashlib.sha256(source.getvalue()).hexdigest()
    with _diary.open("a") as diary:
        diary.write(f"{os.getpid()} {digest}\n")
    if digest == _deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return _open(source, *args, **kwargs)


Image.open = _open_slowly  # type: ignore[assignment]
