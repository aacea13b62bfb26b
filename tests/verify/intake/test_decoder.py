"""Photos of strangers are decoded where they can do no harm, and what is whole comes out as it would here."""

import io
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from tests.verify.intake.pictures import encoded, noise, plain
from verify.intake import copies, decoder, faces
from verify.intake.copies import PhotoRefused

HERE = Path(__file__).resolve().parents[3]
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WHOLE = {
    "jpeg": encoded(noise()),
    "progressive": encoded(noise(), progressive=True),
    "with a profile": encoded(noise(), icc_profile=PROFILE),
    "broken exif": encoded(noise(), exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff" + b"\xff" * 40),
    "cmyk": encoded(noise().convert("CMYK")),
    "grey": encoded(noise().convert("L")),
    "palette": encoded(noise().quantize(16), "PNG"),
    "see-through": encoded(noise().convert("RGBA"), "PNG"),
    "sixteen bits": encoded(noise().convert("I").convert("I;16"), "PNG"),
    "gif": encoded(noise().quantize(16), "GIF"),
    "animated": encoded(plain(), "GIF", save_all=True, append_images=[plain(colour=(0, 0, 255))]),
    "webp": encoded(noise(), "WEBP"),
    "animated webp": encoded(plain(), "WEBP", save_all=True, append_images=[plain(colour=(0, 0, 255))]),
    "mpo": encoded(plain(), "MPO", save_all=True, append_images=[plain()]),
    "large": encoded(noise((1500, 1200)), quality=50),
}


@pytest.fixture(autouse=True)
def decoders_of_its_own() -> Iterator[None]:
    """Settings are read when a decoder starts."""
    before, decoder._pool = decoder._pool, decoder._Pool()
    yield
    for each in decoder._pool._idle:
        each.close()
    decoder._pool = before


def scans(count: int) -> bytes:
    """A progressive JPEG that goes over all its pixels as often as it likes."""
    whole = encoded(plain(size=(3000, 3000)), "JPEG", progressive=True, quality=30)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + b"\xff\xd9"


def test_what_is_whole_comes_out_as_it_would_here() -> None:
    for name, data in WHOLE.items():
        assert decoder.prepare(data) == copies.prepare(data, decoder.limits(), faces.count), name
        assert decoder.small_copy(data) == copies.prepare(data, decoder.limits()).small, name


def test_refusals_are_the_same_words(settings: Any) -> None:
    for data in (b"", b"<html>", WHOLE["jpeg"][:900], encoded(plain(size=(20, 20)))):
        with pytest.raises(PhotoRefused) as here:
            copies.prepare(data, decoder.limits())
        with pytest.raises(PhotoRefused) as there:
            decoder.prepare(data)
        assert str(here.value) == str(there.value)
    settings.PHOTO_MAX_PIXELS = 100
    with pytest.raises(PhotoRefused, match="the limit is 100 in all"):
        decoder.prepare(WHOLE["jpeg"])


def test_who_never_gets_done_is_ended_and_the_next_photo_is_decoded(settings: Any) -> None:
    settings.DECODER_TIMEOUT = timedelta(seconds=0.2)
    bomb = scans(2_000)
    assert len(bomb) < settings.PHOTO_MAX_BYTES
    with pytest.raises(PhotoRefused, match="takes too long"):
        decoder.prepare(bomb)
    settings.DECODER_TIMEOUT = timedelta(seconds=60)
    assert decoder.prepare(WHOLE["jpeg"]).width == 120


def test_who_needs_too_much_memory_is_refused(settings: Any) -> None:
    settings.DECODER_MEMORY = 20_000_000
    with pytest.raises(PhotoRefused, match="memory"):
        decoder.prepare(encoded(plain(size=(4000, 4000)), "PNG"))
    assert decoder.prepare(WHOLE["jpeg"]).width == 120


def test_a_decoder_that_was_killed_is_replaced() -> None:
    decoder.prepare(WHOLE["jpeg"])
    [running] = decoder._pool._idle
    running._process.kill()
    running._process.wait()
    assert decoder.prepare(WHOLE["jpeg"]).width == 120


def test_several_at_once_each_get_their_own() -> None:
    photos = [encoded(plain(size=(40 + number, 50))) for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        assert [made.width for made in threads.map(decoder.prepare, photos)] == [*range(40, 52)]


LOCKED_UP = """
import resource, socket, os
from verify.intake.decoding import lock_up
lock_up(50_000_000)
for attempt in (lambda: open("/etc/passwd"), lambda: socket.socket(), lambda: os.pipe(),
                lambda: open("/tmp/left", "w"), lambda: bytearray(10**9)):
    try:
        attempt()
    except (OSError, MemoryError) as error:
        print(type(error).__name__)
"""


def test_a_decoder_can_open_nothing() -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOCKED_UP], cwd=HERE, env={}, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["OSError"] * 4 + ["MemoryError"]


def test_a_decoder_has_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRESSPORTAL_SECRET_KEY", "a secret")
    decoder.prepare(WHOLE["jpeg"])
    [running] = decoder._pool._idle
    assert b"secret" not in Path(f"/proc/{running._process.pid}/environ").read_bytes().lower()


def test_what_is_no_picture_is_not_taken_from_a_decoder() -> None:
    decoder.prepare(WHOLE["jpeg"])
    [running] = decoder._pool._idle
    running._process.stdout.close()
    running._process.stdout = io.BytesIO(b'{"sha256": "0", "width": 1, "height": 1, "parts": [6]}\n<html>')
    with pytest.raises(decoder._Died):
        running.ask({"what": "prepare", "bytes": 0, "limits": {}}, b"")
    running.close()
    decoder._pool._idle.clear()


def test_a_decoder_that_cannot_start_says_so(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    with pytest.raises(decoder.DecoderBroken):
        decoder.prepare(WHOLE["jpeg"])


def test_large_is_large() -> None:
    assert Image.open(io.BytesIO(decoder.prepare(WHOLE["large"]).large)).size == (1080, 864)
