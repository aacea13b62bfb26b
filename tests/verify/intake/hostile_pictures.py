"""Files that pretend to be photos, hundreds of them, made on the spot, by names that say what they are."""

import itertools
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile

from tests.verify.intake.pictures import encoded, noise, plain, png_header

PICTURE = noise((96, 64))
JPEG = encoded(PICTURE, "JPEG")
PROGRESSIVE = encoded(PICTURE, "JPEG", progressive=True)
PNG = encoded(PICTURE, "PNG")
WEBP = encoded(PICTURE, "WEBP")
GIF = encoded(PICTURE.quantize(64), "GIF")
WHOLE = {"jpeg": JPEG, "progressive": PROGRESSIVE, "png": PNG, "webp": WEBP, "gif": GIF}
MAGIC = {
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\0",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif87": b"GIF87a",
    "gif89": b"GIF89a",
    "webp": b"RIFF\x00\x10\x00\x00WEBPVP8 ",
    "webp lossless": b"RIFF\x00\x10\x00\x00WEBPVP8L",
    "webp extended": b"RIFF\x00\x10\x00\x00WEBPVP8X",
}
HTML = b"<!DOCTYPE html><script>alert(document.domain)</script>"
SCRIPT = b"#!/bin/sh\nrm -rf /\n"


def zipped() -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as file:
        file.writestr("index.html", HTML)
    return buffer.getvalue()


ZIP = zipped()
PDF = (
    b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)
OTHERS = {
    "nothing": b"",
    "a zero": b"\0",
    "zeros": bytes(5000),
    "ones": b"\xff" * 5000,
    "html": HTML,
    "html with a mark": b"\xef\xbb\xbf" + HTML,
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)' width='90' height='90'/>",
    "svg with an entity": b"<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>",
    "billion laughs": b"<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><l>&b;</l>",
    "script": SCRIPT,
    "javascript": b"alert(1)//",
    "php": b"<?php system($_GET['c']); ?>",
    "json": b'{"error": "expired"}',
    "zip": ZIP,
    "gzip": b"\x1f\x8b\x08\0" + bytes(100),
    "pdf": PDF,
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n(/etc/passwd) run\n",
    "imagemagick": b"push graphic-context\nfill 'url(https://127.0.0.1/x.jpg\"|id > /tmp/x\")'\n",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(200),
    "exe": b"MZ" + bytes(200),
    "class": b"\xca\xfe\xba\xbe" + bytes(200),
    "mp4": b"\0\0\0\x18ftypmp42" + bytes(200),
    "heic": b"\0\0\0\x18ftypheic" + bytes(200),
    "avif": b"\0\0\0\x18ftypavif" + bytes(200),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(200),
    "jpeg xl": b"\xff\x0a" + bytes(200),
    "photoshop": b"8BPS\0\x01" + bytes(200),
    "icon": encoded(plain(size=(64, 64)), "ICO"),
    "bmp": encoded(plain(), "BMP"),
    "tiff": encoded(plain(), "TIFF"),
    "ppm": encoded(plain(), "PPM"),
    "tga": encoded(plain(), "TGA"),
    "pcx": encoded(plain(), "PCX"),
    "flash": b"FWS\x06" + bytes(200),
    "font": b"wOF2" + bytes(200),
    "utf-16": "<html>".encode("utf-16"),
    "git lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
}


def png_chunk(kind: bytes, data: bytes, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def malformed() -> Iterator[tuple[str, bytes]]:
    """None of them is a photo."""
    yield from OTHERS.items()
    yield from cut_short()
    yield from only_the_beginning()
    yield from broken_pngs()
    yield from broken_gifs_and_webps()
    yield from broken_jpegs()
    yield from bombs()


def cut_short() -> Iterator[tuple[str, bytes]]:
    for kind, data in WHOLE.items():
        for place in range(1, 21):
            yield f"{kind} cut at {place} of 22", data[: len(data) * place // 22]


def only_the_beginning() -> Iterator[tuple[str, bytes]]:
    bodies = {"nothing": b"", "html": HTML, "zip": ZIP, "pdf": PDF, "zeros": bytes(4000), "script": SCRIPT}
    bodies["noise"] = bytes(range(256)) * 8
    for (magic, start), (name, body) in itertools.product(MAGIC.items(), bodies.items()):
        yield f"{magic} and then {name}", start + body


def broken_pngs() -> Iterator[tuple[str, bytes]]:
    start, header = MAGIC["png"], struct.pack(">IIBBBBB", 90, 90, 8, 2, 0, 0, 0)
    rows, end = zlib.compress(bytes(271) * 90), png_chunk(b"IEND", b"")
    whole = png_chunk(b"IHDR", header)
    yield "png without a header", start + png_chunk(b"IDAT", rows) + end
    yield "png with its header last", start + png_chunk(b"IDAT", rows) + whole + end
    yield "png with a wrong checksum", start + png_chunk(b"IHDR", header, 7) + png_chunk(b"IDAT", rows) + end
    yield "png with wrong pixels' checksum", start + whole + png_chunk(b"IDAT", rows, 7) + end
    yield "png whose pixels are no zlib", start + whole + png_chunk(b"IDAT", b"no zlib" * 20) + end
    yield "png with half its pixels", start + whole + png_chunk(b"IDAT", zlib.compress(bytes(271) * 45)) + end
    yield "png without pixels", start + whole + end
    for depth, colour in itertools.product((0, 3, 5, 7, 9, 32, 255), (2, 3, 6)):
        odd = struct.pack(">IIBBBBB", 90, 90, depth, colour, 0, 0, 0)
        yield (
            f"png of {depth} bits, colour {colour}",
            start + png_chunk(b"IHDR", odd) + png_chunk(b"IDAT", rows) + end,
        )
    for colour in (1, 5, 7, 99):
        odd = struct.pack(">IIBBBBB", 90, 90, 8, colour, 0, 0, 0)
        yield f"png of colour {colour}", start + png_chunk(b"IHDR", odd) + png_chunk(b"IDAT", rows) + end
    for width, height in (
        (0, 0),
        (0, 90),
        (90, 0),
        (2**31 - 1, 90),
        (2**32 - 1, 2**32 - 1),
        (1, 90),
        (90, 2),
    ):
        odd = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        yield f"png of {width} x {height}", start + png_chunk(b"IHDR", odd) + png_chunk(b"IDAT", rows) + end
    for length in (2**31 - 1, 2**32 - 1, 10**6):
        yield f"png chunk of {length}", start + whole + struct.pack(">I", length) + b"IDAT" + rows
    for size in range(0, 13, 3):
        yield (
            f"png header of {size} bytes",
            start + png_chunk(b"IHDR", header[:size]) + png_chunk(b"IDAT", rows) + end,
        )


def broken_gifs_and_webps() -> Iterator[tuple[str, bytes]]:
    for width, height in ((0, 0), (0, 90), (65535, 65535), (1, 1), (90, 3)):
        yield (
            f"gif of {width} x {height}",
            b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + GIF[13:],
        )
    for name, tail in {
        "no frame": b";",
        "a comment": b"!\xfe\x03abc\0;",
        "half an extension": b"!\xf9",
    }.items():
        yield f"gif with {name}", b"GIF89a" + struct.pack("<HHBBB", 90, 90, 0, 0, 0) + tail
    for size in (0, 4, 2**32 - 1):
        yield f"webp that says {size} bytes", b"RIFF" + struct.pack("<I", size) + WEBP[8:400]
    for place in range(12, 40, 2):
        yield f"webp broken at {place}", WEBP[:place] + b"\xff\xff\xff\xff" + WEBP[place + 4 : 300]
    for chunk in (b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH"):
        body = chunk + struct.pack("<I", 2**31) + bytes(100)
        yield (
            f"webp with a huge {chunk.decode()}",
            b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body,
        )


def broken_jpegs() -> Iterator[tuple[str, bytes]]:
    frame = JPEG.index(b"\xff\xc0")
    for width, height in ((0, 0), (0, 90), (65535, 65535), (1, 1), (90, 4), (65535, 20)):
        size = struct.pack(">HH", height, width)
        yield f"jpeg of {width} x {height}", JPEG[: frame + 5] + size + JPEG[frame + 9 :]
    for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF):
        yield f"jpeg of process {marker:x}", JPEG[: frame + 1] + bytes([marker]) + JPEG[frame + 2 :]
    for parts in (0, 2, 5, 255):
        yield f"jpeg of {parts} components", JPEG[: frame + 9] + bytes([parts]) + JPEG[frame + 10 :]
    for bits in (0, 1, 12, 16):
        yield f"jpeg of {bits} bits", JPEG[: frame + 4] + bytes([bits]) + JPEG[frame + 5 :]
    for marker, name in ((b"\xff\xdb", "quantisation"), (b"\xff\xc4", "codes"), (b"\xff\xda", "scan")):
        place = JPEG.index(marker)
        if name != "codes":  # there are standard ones
            yield f"jpeg without {name}", JPEG[:place] + JPEG[place:].replace(marker, b"\xff\xef")
        for length in (0, 1, 2, 65535):
            broken = JPEG[: place + 2] + struct.pack(">H", length) + JPEG[place + 4 :]
            yield f"jpeg whose {name} has {length} bytes", broken[: place + 500]
    yield "jpeg of its two ends", b"\xff\xd8\xff\xd9"
    yield "jpeg of comments", b"\xff\xd8" + b"\xff\xfe\x00\x04ab" * 500 + b"\xff\xd9"
    yield "jpeg that never begins", b"\xff\xd8" + b"\xff" * 3000


def bombs() -> Iterator[tuple[str, bytes]]:
    for side in (7_100, 8_000, 20_000, 40_000, 100_000, 2**31 - 1):
        yield f"png of {side} x {side}", png_header(side, side)
    yield "png of a line", png_header(50_000_000, 1)
    text = zlib.compress(bytes(20 * 1024 * 1024))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 90, 90, 8, 2, 0, 0, 0))
    yield "png with a zipped text of 20 MB", MAGIC["png"] + header + png_chunk(b"zTXt", b"a\0\0" + text)
    for width, height in ((16_383, 16_383), (16_383, 4_000)):
        body = (
            b"VP8X"
            + struct.pack("<I", 10)
            + bytes(4)
            + struct.pack("<I", width - 1)[:3]
            + struct.pack("<I", height - 1)[:3]
        )
        yield f"webp of {width} x {height}", b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Photos that are something else as well: they are kept, and what else they are is not."""
    comment = b"\xff\xfe" + struct.pack(">H", len(HTML) + 2) + HTML
    for name, payload in {
        "html": HTML,
        "zip": ZIP,
        "pdf": PDF,
        "script": SCRIPT,
        "php": OTHERS["php"],
    }.items():
        for kind, data in WHOLE.items():
            yield f"{kind} and {name} after it", data + payload
    yield "html in a jpeg's comment", JPEG[:2] + comment + JPEG[2:]
    yield "html in a png's text", PNG[:33] + png_chunk(b"tEXt", b"Comment\0" + HTML) + PNG[33:]
    yield "html in a gif's comment", GIF[:-1] + b"!\xfe" + bytes([len(HTML)]) + HTML + b"\0;"
    yield "a script in a gif's beginning", encoded(PICTURE.quantize(8), "GIF", comment=b"*/=alert(1)//")
    yield "html in exif", encoded(PICTURE, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0" + HTML)
    yield "html in xmp", encoded(PICTURE, xmp=HTML)
