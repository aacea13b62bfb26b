"""The program that decodes photos for `verify.intake.decoder`: one after the other, and nothing else.

Started as `python -m verify.intake.decoding BYTES SECONDS`: how much memory it may add to what it has once it
is ready, and how much computing time a photo may take. It reads an order (a line of JSON, then the photo's
bytes) and writes an answer (a line of JSON, then the copies' bytes), until its input ends or nothing has come
for a minute.
"""

import json
import os
import resource
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from verify.intake.copies import FORMATS, Limits, PhotoRefused, measures, prepare, small_copy
from verify.intake.faces import count

IDLE = 60  # seconds


def main(memory: int, seconds: int) -> None:
    warm_up()
    lock_up(memory)
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(b"ready\n")
    answers.flush()
    while select.select([orders], [], [], IDLE)[0] and (line := orders.readline()):
        allow_cpu(seconds)
        answer(json.loads(line), orders, answers)


def answer(order: dict[str, Any], orders: BinaryIO, answers: BinaryIO) -> None:
    data = orders.read(order["bytes"])
    told, parts = worked(order["what"], data, Limits(**order["limits"]))
    answers.write(json.dumps({**told, "parts": [len(part) for part in parts]}).encode() + b"\n")
    for part in parts:
        answers.write(part)
    answers.flush()


def worked(what: str, data: bytes, limits: Limits) -> tuple[dict[str, Any], list[bytes]]:
    try:
        if what == "small_copy":
            return {}, [small_copy(data, limits)]
        if what == "measures":
            return {"measures": asdict(measures(data, limits, count))}, []
        made = prepare(data, limits, count)
    except PhotoRefused as refused:
        return {"refused": str(refused)}, []
    told = {"sha256": made.sha256, "width": made.width, "height": made.height}
    told["measures"] = asdict(made.measures)
    return told, [made.large, made.small]


def warm_up() -> None:
    """Whatever is imported at first use is imported now: later no file can be opened."""
    limits = Limits(10_000_000, 1_000_000, 1)
    photo = Image.linear_gradient("L")
    for mode in ("L", "RGB", "P", "CMYK", "RGBA", "I;16"):
        for kind in FORMATS:
            tried(lambda mode=mode, kind=kind: prepare(encoded(photo, mode, kind), limits))
    count(photo)
    tried(lambda: prepare(b"<svg/>", limits))
    tried(lambda: prepare(encoded(photo, "RGB", "JPEG")[:500], limits))


def encoded(photo: Image.Image, mode: str, kind: str) -> bytes:
    buffer = BytesIO()
    photo.convert(mode).save(buffer, kind)
    return buffer.getvalue()


def tried(work: Callable[[], object]) -> None:
    with suppress(OSError, ValueError, PhotoRefused):  # not every format has every mode
        work()


def lock_up(memory: int) -> None:
    """No new file, socket, process or core dump, nothing written to a file, and so much memory."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for limit, most in (
        (resource.RLIMIT_AS, now + memory),
        (resource.RLIMIT_NOFILE, 3),  # the three it has
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(limit, (most, most))


def allow_cpu(seconds: int) -> None:
    """For the next photo; who takes more is ended by the system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


if __name__ == "__main__":
    os.umask(0o077)
    main(int(sys.argv[1]), int(sys.argv[2]))
