"""Every picture that people send becomes our own copies, or one clear line."""

import warnings
from io import BytesIO

import numpy as np
import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests.verify.intake.pictures import encoded, noise, plain, png_header
from verify.intake import copies, decoder
from verify.intake.copies import PhotoRefused, Prepared, small_size

RED = (200, 30, 60)


def prepare(data: bytes) -> Prepared:
    return copies.prepare(data, decoder.limits())


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def large(data: bytes) -> Image.Image:
    return opened(prepare(data).large)


def is_about(image: Image.Image, colour: tuple[int, int, int], tolerance: int = 12) -> bool:
    mean = np.asarray(image, dtype=float).reshape(-1, 3).mean(axis=0)
    return bool(np.abs(mean - colour).max() <= tolerance)


@pytest.mark.parametrize(
    "data",
    [
        encoded(plain(), "JPEG"),
        encoded(plain(), "JPEG", progressive=True),
        encoded(plain("CMYK"), "JPEG"),
        encoded(plain(), "MPO", save_all=True, append_images=[plain(colour=(0, 0, 255))]),
        encoded(plain(), "PNG"),
        encoded(plain("P"), "PNG"),
        encoded(plain("RGBA"), "PNG"),
        encoded(plain(), "WEBP"),
        encoded(plain(), "GIF"),
        encoded(plain(), "GIF", save_all=True, append_images=[plain(colour=(0, 0, 255))]),
        encoded(plain(), "WEBP", save_all=True, append_images=[plain(colour=(0, 0, 255))]),
        encoded(plain(), "PNG", save_all=True, append_images=[plain(colour=(0, 0, 255))]),
    ],
    ids=[
        "jpeg",
        "progressive",
        "cmyk",
        "mpo",
        "png",
        "palette",
        "rgba",
        "webp",
        "gif",
        "agif",
        "awebp",
        "apng",
    ],
)
def test_keeps_the_colours_of_a_picture_or_its_first_frame(data: bytes) -> None:
    copy = large(data)
    assert (copy.format, copy.mode, copy.size) == ("JPEG", "RGB", (60, 80))
    assert is_about(copy, RED)


def test_sixteen_bits_of_grey_are_scaled_not_clipped() -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    pixels = np.asarray(large(encoded(Image.fromarray(ramp), "PNG")))
    assert 120 < pixels.mean() < 135
    assert pixels[:, -1].mean() > 245


def test_grey_with_alpha_and_bilevel_are_flattened_onto_white() -> None:
    assert is_about(large(encoded(Image.new("LA", (60, 80), (0, 0)), "PNG")), (255, 255, 255))
    assert is_about(large(encoded(Image.new("RGBA", (60, 80), (0, 0, 0, 0)), "PNG")), (255, 255, 255))
    assert is_about(large(encoded(Image.new("1", (60, 80), 1), "PNG")), (255, 255, 255))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = plain(size=(90, 60))
    picture.paste((0, 0, 255), (0, 0, 90, 20))
    pixels = np.asarray(large(encoded(picture, exif=exif, quality=95)), dtype=int)
    assert pixels.shape[:2] == ((60, 90) if orientation <= 4 else (90, 60))
    edges = {1: pixels[0], 2: pixels[0], 3: pixels[-1], 4: pixels[-1]}
    edges |= {5: pixels[:, 0], 8: pixels[:, 0], 6: pixels[:, -1], 7: pixels[:, -1]}
    assert edges[orientation][:, 2].mean() > 200


def test_turns_upright_what_is_no_jpeg() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for mode, kind in (("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("RGB", "WEBP")):
        assert large(encoded(plain(mode, (90, 60)), kind, exif=exif)).size == (60, 90)


def test_nothing_about_place_person_or_camera_is_left() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(plain(), exif=exif, icc_profile=profile, comment=b"SECRETCOMMENT", xmp=b"<SECRETXMP/>")
    assert data.count(b"SECRET") == 3
    prepared = prepare(data)
    for copy in (prepared.large, prepared.small):
        assert b"SECRET" not in copy
        assert not opened(copy).getexif()
        assert set(opened(copy).info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }


def test_colours_of_another_profile_become_srgb() -> None:
    # A profile whose red is our green: pure red must come out as green.
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(swapped[at : at + 4]): at for at in range(132, 132 + 12 * swapped[131], 12)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    data = encoded(plain(colour=(255, 0, 0)), "PNG", icc_profile=bytes(swapped))
    assert is_about(large(data), (0, 255, 0), tolerance=20)


@pytest.mark.parametrize("profile", [b"", b"no profile", b"\0" * 200])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    assert is_about(large(encoded(plain(), icc_profile=profile)), RED)


def test_broken_exif_is_ignored() -> None:
    data = encoded(plain(), exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff" + b"\xff" * 40)
    assert large(data).size == (60, 80)


@pytest.mark.parametrize(("size", "expected"), [((3000, 2000), (1080, 720)), ((500, 400), (500, 400))])
def test_reduces_and_never_enlarges(size: tuple[int, int], expected: tuple[int, int]) -> None:
    prepared = prepare(encoded(plain(size=size)))
    assert (prepared.width, prepared.height) == opened(prepared.large).size == expected
    assert opened(prepared.small).size == small_size(*expected)
    assert max(small_size(*expected)) <= 360


@settings(max_examples=25, deadline=None)
@given(st.integers(32, 1080), st.integers(32, 1080))
def test_the_small_copy_keeps_the_shape(width: int, height: int) -> None:
    prepared = prepare(encoded(plain(size=(width, height))))
    small = opened(prepared.small).size
    assert small == small_size(width, height)
    assert max(small) == min(360, max(width, height))
    assert abs(small[0] * height - small[1] * width) <= max(width, height) / 2 + 1


PNG = encoded(noise(), "PNG")
JPEG = encoded(noise(), "JPEG")
REFUSED = {
    "nothing": (b"", "empty"),
    "noise": (bytes(range(256)) * 4, "not a JPEG, PNG, WebP or GIF"),
    "svg": (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "text"),
    "html as jpeg": (b"<!DOCTYPE html><title>Sign in</title>", "text"),
    "html after a jpeg's first bytes": (b"\xff\xd8\xff<html>", "damaged"),
    "bmp": (encoded(plain(), "BMP"), "not a JPEG"),
    "tiff": (encoded(plain(), "TIFF"), "not a JPEG"),
    "jpeg cut short": (JPEG[: len(JPEG) // 2], "cut short"),
    "png cut short": (PNG[: len(PNG) // 2], "cut short"),
    "webp cut short": (encoded(noise(), "WEBP")[:-300], "damaged|cut short"),
    "gif cut short": (encoded(noise(), "GIF")[:2000], "damaged|cut short"),
    "one pixel": (encoded(plain(size=(1, 1)), "PNG"), "1 x 1 pixels"),
    "a line": (encoded(plain(size=(2000, 33)), "PNG"), "2,000 x 33 pixels"),
    "30,000 x 30,000": (png_header(30_000, 30_000), "pixels than the limit|30,000 x 30,000"),
    "10,000 x 10,000": (png_header(10_000, 10_000), "pixels than the limit|10,000 x 10,000"),
    "8,000 x 8,000": (png_header(8_000, 8_000), "8,000 x 8,000 pixels"),
    "a png without its pixels": (png_header(300, 300), "cut short|damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_with_one_clear_line(name: str) -> None:
    data, reason = REFUSED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # none of Pillow's may leak
        with pytest.raises(PhotoRefused, match=reason) as refusal:
            prepare(data)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 200


def test_refuses_what_is_too_heavy() -> None:
    with override_settings(PHOTO_MAX_BYTES=len(JPEG) - 1), pytest.raises(PhotoRefused, match="bytes"):
        prepare(JPEG)


@settings(deadline=None)
@given(st.sampled_from([PNG, JPEG]), st.data())
def test_damage_never_ends_in_anything_but_copies_or_a_refusal(whole: bytes, data: st.DataObject) -> None:
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        prepared = prepare(bytes(broken))
    except PhotoRefused:
        return
    assert opened(prepared.large).size == (prepared.width, prepared.height)
