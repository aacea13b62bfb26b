"""Bytes from anywhere -> our own two copies of the photo. Needs neither a database nor a storage."""

import hashlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from verify.gates import Measures, measure
from verify.intake.png import check_whole

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
LARGE_SIDE, SMALL_SIDE = 1080, 360  # pixels, of the longer side
LARGE_QUALITY, SMALL_QUALITY = 85, 80
Count = Callable[[Image.Image], int]  # of faces
SRGB = ImageCms.createProfile("sRGB")


class PhotoRefused(Exception):
    """These bytes are no photo that we keep; the message is one line for people."""


@dataclass(frozen=True)
class Limits:
    """What a photo may have; see the settings PHOTO_…"""

    most_bytes: int
    most_pixels: int
    least_side: int  # pixels


@dataclass(frozen=True)
class Prepared:
    """A photo ready to be stored: upright sRGB JPEGs without metadata."""

    sha256: str  # of the bytes as received
    width: int  # of the large copy, in pixels
    height: int
    large: bytes
    small: bytes
    measures: Measures


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def prepare(data: bytes, limits: Limits, faces: Count | None = None) -> Prepared:
    """Decode a JPEG, PNG, WebP or GIF (its first frame) in full and make our copies.

    Without ``faces`` it is not known how many there are.
    Raises PhotoRefused for anything else, and for what is damaged, too heavy, too large or too small.
    """
    large = _checked(data, limits)
    found = _measured(large, faces)
    return Prepared(digest(data), *large.size, _encoded(large, LARGE_QUALITY), _small(large), found)


def small_copy(data: bytes, limits: Limits) -> bytes:
    """The small copy alone, as `prepare` makes it. Raises PhotoRefused."""
    return _small(_checked(data, limits))


def measures(data: bytes, limits: Limits, faces: Count | None = None) -> Measures:
    """What `prepare` measures, of a photo or of our large copy of it. Raises PhotoRefused."""
    return _measured(_checked(data, limits), faces)


def _measured(large: Image.Image, faces: Count | None) -> Measures:
    return replace(measure(large, min(large.size)), faces=faces(large) if faces else None)


def small_size(width: int, height: int) -> tuple[int, int]:
    """Width and height in pixels of the small copy of a photo whose large copy has these."""
    scale = min(1.0, SMALL_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _small(large: Image.Image) -> bytes:
    small = large.resize(small_size(*large.size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _encoded(small, SMALL_QUALITY)


def _checked(data: bytes, limits: Limits) -> Image.Image:
    """The photo as `_decode` gives it, where it is neither too heavy nor refused there."""
    if len(data) > limits.most_bytes:
        raise PhotoRefused(f"{len(data):,} bytes; the limit is {limits.most_bytes:,}")
    if not data:
        raise PhotoRefused("an empty file")
    return _decode(data, limits)


def _decode(data: bytes, limits: Limits) -> Image.Image:
    """The photo upright, in RGB, its longer side at most LARGE_SIDE."""
    with _refusing_what_cannot_be_decoded(data, limits), Image.open(BytesIO(data), formats=FORMATS) as image:
        _check_size(*image.size, limits)
        if image.format == "PNG":
            check_whole(data)
        shrunk = image if image.mode in ("RGB", "RGBA", "L", "CMYK") else _in_full_colour(image)
        # For JPEG this decodes at a fraction of the size where that is enough.
        shrunk.thumbnail((LARGE_SIDE, LARGE_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        shrunk.load()
        _turn_upright(shrunk)
        return _in_srgb(_on_white(shrunk))


def _check_size(width: int, height: int, limits: Limits) -> None:
    """From the header, before anything is decoded."""
    least, most = limits.least_side, limits.most_pixels
    if width * height > most:
        raise PhotoRefused(f"{width:,} x {height:,} pixels; the limit is {most:,} in all")
    if min(width, height) * min(1, LARGE_SIDE / max(width, height)) < least:
        raise PhotoRefused(
            f"{width:,} x {height:,} pixels; the shorter side needs {least},"
            f" also when the longer one is reduced to {LARGE_SIDE:,}"
        )


def _in_full_colour(image: Image.Image) -> Image.Image:
    """Eight bits of grey, or RGBA: palettes and bits cannot be reduced in size."""
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would clip
        image = image.point(lambda value: value * (1 / 256))
        return image.convert("L")
    return image.convert("RGBA")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    flat.info = image.info
    return flat


def _in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile and (transform := _transform(profile, image.mode)):
        return ImageCms.applyTransform(image, transform) or image.convert("RGB")
    return image.convert("RGB")


@lru_cache(maxsize=16)  # cameras embed the same few profiles, and a transform takes longer than its use
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile to sRGB; None where it is sRGB already, or is broken, or of another kind of image."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
            return None
        return ImageCms.buildTransform(source, SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def _turn_upright(image: Image.Image) -> None:
    # Broken EXIF fails in many ways, and does not make the picture unusable.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _encoded(image: Image.Image, quality: int) -> bytes:
    image.info = {}  # comments and the like would be written along
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, progressive=True)
    return buffer.getvalue()


@contextmanager
def _refusing_what_cannot_be_decoded(data: bytes, limits: Limits) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except PhotoRefused:
            raise
        except UnidentifiedImageError as error:
            raise PhotoRefused(_what_instead(data)) from error
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            limit = f"{limits.most_pixels:,}"
            raise PhotoRefused(f"far more pixels than the limit of {limit}") from error
        except MemoryError as error:
            raise PhotoRefused("the picture needs more memory than a photo does") from error
        except Exception as error:  # decoders answer hostile bytes with anything from OSError to KeyError
            raise PhotoRefused(_trouble(error)) from error


def _what_instead(data: bytes) -> str:
    beginning = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    text = " but text (SVG, HTML?)" if beginning.startswith(b"<") else ""
    return f"not a JPEG, PNG, WebP or GIF picture{text}, or its header is damaged"


def _trouble(error: Exception) -> str:
    if "truncated" in str(error):
        return "the picture is cut short"
    return f"the picture is damaged ({' '.join(str(error).split())[:100] or type(error).__name__})"
