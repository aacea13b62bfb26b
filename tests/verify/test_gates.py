"""What gates measure, and how they judge: on drawn pictures and on whatever numbers there are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.verify.intake.pictures import encoded, noise, plain
from verify import gates
from verify.gates import FARTHEST, Gate, Measures, bands, distance, fingerprint, holds, judge, measure

FACES = st.integers(1, 9) | st.none()
PRINTS = st.integers(-(2**63), 2**63 - 1)
NUMBERS = st.floats(-1e6, 1e6)


def photo(seed: int = 1, size: tuple[int, int] = (300, 400)) -> Image.Image:
    """Something with light, shade and edges, other for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    picture.paste(noise((120, 160)), (60, 90))
    return picture


def page(lines: int, top: int = 20, size: tuple[int, int] = (400, 500)) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(22)
    for line in range(lines):
        pen.text((20, top + 32 * line), "the night we danced until morning", font=font, fill="black")
    return picture


def measured(picture: Image.Image) -> Measures:
    return measure(picture, min(picture.size))


def test_a_photo_is_sharp_no_page_and_no_screenshot() -> None:
    found = measured(photo())
    assert found.side == 300
    assert found.sharpness > 60
    assert found.paper < 0.3
    assert found.writing == 0
    assert found.fingerprint is not None


def test_the_more_a_photo_is_blurred_the_less_sharp_it_is() -> None:
    values = [
        measured(photo().filter(ImageFilter.GaussianBlur(radius))).sharpness for radius in (0, 1, 2, 4, 8)
    ]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 25 < values[0]


def test_a_sharp_dress_before_a_blurred_room_is_sharp() -> None:
    picture = photo().filter(ImageFilter.GaussianBlur(8))
    picture.paste(noise((150, 200)), (70, 100))
    assert measured(picture).sharpness > 60


def test_a_page_of_text_is_paper() -> None:
    assert measured(page(4, top=160)).paper > 0.55
    assert measured(plain(size=(400, 500))).paper == 0  # nothing is written on it


def test_writing_beside_a_photo_is_a_screenshot_and_borders_are_none() -> None:
    shot = page(9, top=300, size=(400, 700))
    shot.paste(photo(size=(400, 260)), (0, 20))
    assert measured(shot).writing > 0.08
    bordered = Image.new("RGB", (500, 700), "white")
    bordered.paste(photo(), (100, 150))
    assert measured(bordered).writing < 0.02


@pytest.mark.parametrize("size", [(1, 1), (3, 300), (300, 3), (17, 17), (8, 8)])
def test_no_size_is_too_odd_to_measure(size: tuple[int, int]) -> None:
    assert measured(plain(size=size)).side == min(size)


def test_a_copy_has_nearly_the_fingerprint_and_another_photo_has_not() -> None:
    whole = photo(size=(600, 800))
    prints = fingerprint(whole.convert("L"))
    copies = [
        whole.resize((150, 200)),
        whole.point(lambda value: value * 0.8 + 10),
        Image.open(_file(whole, quality=30)),
        whole.crop((6, 8, 594, 792)),
        whole.filter(ImageFilter.GaussianBlur(3)),
    ]
    assert all(distance(prints, fingerprint(copy.convert("L"))) <= 5 for copy in copies)
    others = [fingerprint(photo(seed).convert("L")) for seed in range(2, 40)]
    assert all(distance(prints, other) > 12 for other in others)


def _file(picture: Image.Image, quality: int) -> object:
    from io import BytesIO

    return BytesIO(encoded(picture, quality=quality))


def test_what_has_no_shade_has_no_fingerprint() -> None:
    assert fingerprint(plain(size=(200, 300)).convert("L")) is None


@given(PRINTS, st.sets(st.integers(0, 63), max_size=FARTHEST))
def test_whatever_is_near_shares_a_band(one: int, flipped: set[int]) -> None:
    other = one ^ sum(1 << bit for bit in flipped)
    assert distance(one, other) == len(flipped)
    assert set(bands(one)) & set(bands(other))


@given(PRINTS, PRINTS)
def test_distances_are_distances(one: int, other: int) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert len(bands(one)) == gates.BANDS
    assert all(-(2**15) <= band < 2**15 for band in bands(one))


MEASURED = st.builds(Measures, st.integers(1, 5000), NUMBERS, NUMBERS, NUMBERS, PRINTS | st.none(), FACES)


@given(MEASURED, st.data())
def test_each_gate_with_a_threshold_finds_something(found: Measures, data: st.DataObject) -> None:
    thresholds = data.draw(st.dictionaries(st.sampled_from(list(Gate)), NUMBERS))
    nearest = data.draw(st.integers(0, 64) | st.none())
    findings = judge(found, thresholds, nearest)
    assert {finding.gate for finding in findings} == set(thresholds) - (
        set() if found.faces else {Gate.PEOPLE}
    )
    for finding in findings:
        assert finding.threshold == thresholds[finding.gate]
        assert finding.held == holds(finding.gate, finding.value, finding.threshold)
        assert finding.flagged == (finding.gate == Gate.PEOPLE and finding.value > finding.threshold)
        assert not (finding.held and finding.flagged)


@given(st.sampled_from(list(Gate)), NUMBERS, NUMBERS, NUMBERS)
def test_a_stricter_threshold_never_lets_more_through(
    gate: Gate, value: float, one: float, two: float
) -> None:
    rising = gate in (Gate.SIZE, Gate.BLUR, Gate.DUPLICATE)
    lax, strict = sorted((one, two), reverse=not rising)
    assert holds(gate, value, strict) or not holds(gate, value, lax)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_whatever_the_pixels_measures_are_numbers(width: int, height: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = measured(Image.fromarray(pixels))
    assert 0 <= found.paper <= 1
    assert 0 <= found.writing <= 1
    assert np.isfinite(found.sharpness)
    assert found.fingerprint is None or -(2**63) <= found.fingerprint < 2**63
