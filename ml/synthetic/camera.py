"""What a camera and an app do to a picture: perspective, light, filters, grain, JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from ml.synthetic.canvas import F32, U8, grain, soften

Generator = np.random.Generator


def margin(size: tuple[int, int]) -> int:
    """Pixels painted beyond each edge, so that a change of perspective never shows an empty corner."""
    return int(np.ceil(0.07 * max(size))) + 1


def _image(picture: F32) -> U8:
    return np.clip(picture, 0, 255, out=picture).astype(np.uint8)


def studio_finish(pixels: U8, rng: Generator) -> Image.Image:
    """A clean exposure with a trace of white balance, grain and compression."""
    gain = np.diag(1 + rng.normal(0, 0.005, 3)).astype(np.float32)
    speckle = (grain(rng, *pixels.shape[:2]) * np.float32(1.5)).astype(np.int16)
    balanced = cv2.transform(pixels, gain)
    grainy = cv2.add(balanced, cv2.merge([speckle] * 3), dtype=cv2.CV_8U)
    return Image.fromarray(_jpeg(np.asarray(grainy, np.uint8), int(rng.integers(86, 96))))


def _jpeg(pixels: U8, quality: int) -> U8:
    done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
    if picture is None:
        raise OSError("a drawn photo could not be encoded as JPEG")
    return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)


def street_finish(
    pixels: U8, size: tuple[int, int], rng: Generator, difficulty: float, kind: str
) -> Image.Image:
    """A phone's view of a painted scene, `size` (width, height): perspective, light, filter, grain, JPEG."""
    picture = _perspective(pixels, size, rng, difficulty).astype(np.float32)
    picture *= _falloff(rng, size, difficulty)[..., None]
    _flare(rng, picture, difficulty)
    picture = _filtered(rng, picture, difficulty, kind)
    if rng.random() < 0.25 * difficulty:
        picture = soften(picture, float(rng.uniform(0.2, 0.7)) * size[1] / 256)
    picture += (grain(rng, size[1], size[0]) * np.float32(rng.uniform(1, 5) * difficulty))[..., None]
    out = _image(picture)
    if difficulty > 0 and rng.random() < 0.6:
        out = _jpeg(out, int(rng.integers(48, 90)))
    return Image.fromarray(out)


def _perspective(pixels: U8, size: tuple[int, int], rng: Generator, difficulty: float) -> U8:
    width, height = size
    edge = float(margin(size))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    jitter = rng.uniform(-0.8, 0.8, (4, 2)) * edge * min(1.0, difficulty)
    warp = cv2.getPerspectiveTransform((corners + edge + jitter).astype(np.float32), corners)
    return np.asarray(
        cv2.warpPerspective(pixels, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
        np.uint8,
    )


def _falloff(rng: Generator, size: tuple[int, int], difficulty: float) -> F32:
    """Uneven light across the picture, and a vignette now and then."""
    width, height = size
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    a, b = rng.normal(0, 0.09, 2) * difficulty
    vignette = float(rng.choice([0.0, 0.05, 0.16])) * difficulty
    return np.asarray(
        1 + np.float32(a) * x + np.float32(b) * y - np.float32(vignette) * (x * x + y * y), np.float32
    )


def _flare(rng: Generator, picture: F32, difficulty: float) -> None:
    """A wash of light from a corner."""
    if rng.random() > 0.22 * difficulty:
        return
    height, width = picture.shape[:2]
    x = np.linspace(0, 1, width, dtype=np.float32)[None] - np.float32(rng.choice([0, 1]))
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    glow = np.exp(-(x * x + y * y) * 3)[..., None] * np.float32(rng.uniform(0.15, 0.45))
    picture += (np.array([255, 225, 180], np.float32) - picture) * glow


def _filtered(rng: Generator, picture: F32, difficulty: float, kind: str) -> F32:
    """White balance, exposure and an app's filter, as one linear map of colours."""
    gain = np.exp(rng.normal(0, 0.055, 3) * difficulty + rng.normal(0, 0.09) * difficulty)
    if kind in ("party", "night"):
        gain = gain * np.array([1.05, 0.96, 0.9])
    look, offset = rng.random(), np.zeros(3)
    saturation = 1 + float(rng.normal(0, 0.12)) * difficulty
    if look < 0.18 * difficulty:  # faded
        gain, offset = gain * 0.84, np.array([30, 24, 26])
    elif look < 0.36 * difficulty:  # warm
        gain = gain * np.array([1.05, 1.0, 0.9])
    elif look < 0.48 * difficulty:  # contrasty
        gain, offset = gain * 1.18, np.full(3, -23)
    elif look < 0.505 * difficulty:  # black and white
        saturation = 0.0
    colours = saturation * np.eye(3) + (1 - saturation) * np.array([0.3, 0.59, 0.11])
    matrix = np.concatenate([colours @ np.diag(gain), (colours @ offset)[:, None]], 1)
    return np.asarray(cv2.transform(picture, matrix.astype(np.float32)), np.float32)
