"""The colours of tokens.css can be read: WCAG 2.2 contrast, in both themes."""

import re

import pytest
from django.conf import settings

TOKENS = (settings.BASE_DIR / "dressportal" / "static" / "tokens.css").read_text()
LIGHT, DARK = TOKENS.split("@media (prefers-color-scheme: dark)")
AA, EDGES = 4.5, 3.0


def colours(theme: str) -> dict[str, str]:
    pairs = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", LIGHT))
    return pairs if theme == "light" else {**pairs, **dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", DARK))}


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        *((ink, back, AA) for ink in ("ink", "quiet", "accent") for back in ("paper", "raised", "blush")),
        *((ink, back, AA) for ink in ("settled", "disputed") for back in ("paper", "raised")),
        ("ink", "mat", AA),
        ("on-accent", "accent", AA),
        ("edge", "paper", EDGES),
        ("edge", "raised", EDGES),
    ],
)
def test_contrast(theme: str, front: str, back: str, least: float) -> None:
    palette = colours(theme)
    assert contrast(palette[front], palette[back]) >= least


@pytest.mark.parametrize("photo", ["#ffffff", "#000000"])
def test_text_on_photos_is_aaa_over_any_photo(photo: str) -> None:
    red, green, blue, alpha = map(
        int, re.search(r"--scrim: rgb\((\d+) (\d+) (\d+) / (\d+)%\)", TOKENS).groups()
    )
    below = [int(photo[place : place + 2], 16) for place in (1, 3, 5)]
    mixed = [
        round(over * alpha / 100 + under * (1 - alpha / 100))
        for over, under in zip((red, green, blue), below, strict=True)
    ]
    backdrop = "#{:02x}{:02x}{:02x}".format(*mixed)
    assert contrast(colours("light")["on-scrim"], backdrop) >= 7
