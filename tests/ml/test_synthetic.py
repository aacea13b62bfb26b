"""The drawn wardrobe: what it promises about dresses, photos and manifests."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ml.synthetic import (
    NEGATIVE_KINDS,
    VIEWS,
    Wardrobe,
    caption,
    catalogue_photo,
    negative_photo,
    street_photo,
)
from ml.synthetic import __main__ as command
from ml.synthetic.manifest import Order, shots, write

SMALL = (51, 64)
wardrobe = Wardrobe(20)


def pixels(photo: Image.Image) -> np.ndarray:
    return np.asarray(photo, dtype=np.int16)


@given(seed=st.integers(0, 2**32 - 1), index=st.integers(0, 5_000_000))
@settings(max_examples=60, deadline=None)
def test_a_dress_is_a_function_of_seed_and_index(seed: int, index: int) -> None:
    dress = Wardrobe(seed).dress(index)
    assert dress == Wardrobe(seed).dress(index)
    assert (dress.seed, dress.index) == (seed, index)
    assert all(0 <= channel <= 1 for colour in dress.colours for channel in colour)
    assert dress.title()
    assert dress.category
    assert dress.price > 0


def test_negative_index_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        wardrobe.dress(-1)


def test_a_fifth_are_kin_of_a_dress_shortly_before() -> None:
    twins = [d for d in map(wardrobe.dress, range(1000)) if d.twin_of is not None]
    assert len(twins) == 200
    assert all(0 < d.index - d.twin_of <= 40 for d in twins if d.twin_of is not None)


def test_kin_differ_from_their_twin_in_how_they_look() -> None:
    labels = {"index", "twin_of", "designer", "given_name", "word_choice", "price"}
    for index in range(4, 500, 5):
        dress = wardrobe.dress(index)
        assert dress.twin_of is not None
        ours, theirs = dataclasses.asdict(dress), dataclasses.asdict(wardrobe.dress(dress.twin_of))
        changed = {key for key in ours if ours[key] != theirs[key]} - labels
        assert changed
        assert "colours" not in changed or changed <= {"colours", "colour_name"}


def test_titles_rarely_repeat_and_colours_often_do() -> None:
    dresses = [wardrobe.dress(index) for index in range(400)]
    titles = Counter(d.title() for d in dresses if d.twin_of is None)
    assert sum(count - 1 for count in titles.values()) <= 8
    assert max(Counter(d.colour_name for d in dresses).values()) >= 20


@pytest.mark.parametrize("size", [(102, 128), (64, 40), (16, 16)])
def test_every_view_and_kind_is_drawn_at_the_size_asked_for(size: tuple[int, int]) -> None:
    for number, view in enumerate(VIEWS):
        assert catalogue_photo(wardrobe.dress(number), view, size).size == size
    for number in range(6):
        assert street_photo(wardrobe.dress(number), size, number).size == size
    for number, kind in enumerate(NEGATIVE_KINDS):
        photo = negative_photo(kind, size, number, wardrobe.dress(number) if number % 2 else None)
        assert (photo.size, photo.mode) == (size, "RGB")


def test_every_attribute_can_be_drawn() -> None:
    seen: set[tuple[str, str]] = set()
    for index in range(400):
        dress = wardrobe.dress(index)
        fresh = {
            (name, str(getattr(dress, name)))
            for name in ("silhouette", "neckline", "sleeve", "hem", "trim", "waist", "pattern")
        }
        if fresh - seen:
            seen |= fresh
            assert pixels(catalogue_photo(dress, VIEWS[index % 2], SMALL)).std() > 5


def test_photos_are_reproducible_and_differ_by_seed() -> None:
    dress = wardrobe.dress(7)
    assert (pixels(street_photo(dress, SMALL, 3)) == pixels(street_photo(dress, SMALL, 3))).all()
    assert (
        pixels(catalogue_photo(dress, "front", SMALL)) == pixels(catalogue_photo(dress, "front", SMALL))
    ).all()
    assert np.abs(pixels(street_photo(dress, SMALL, 3)) - pixels(street_photo(dress, SMALL, 4))).mean() > 5


def test_dresses_look_different() -> None:
    photos = [pixels(catalogue_photo(wardrobe.dress(index), "front", SMALL)) for index in range(40)]
    gaps = [np.abs(a - b).mean() for k, a in enumerate(photos) for b in photos[:k]]
    assert min(gaps) > 0.8


def test_the_same_drawing_at_two_sizes_looks_the_same() -> None:
    for number in range(5):
        dress = wardrobe.dress(number)
        small = pixels(catalogue_photo(dress, "front", (51, 64)))
        large = catalogue_photo(dress, "front", (204, 256)).resize((51, 64), Image.Resampling.BOX)
        assert np.abs(small - pixels(large)).mean() < 9


def test_no_corner_gives_away_where_a_photo_was_taken() -> None:
    corners = []
    for number in range(25):
        photo = pixels(street_photo(wardrobe.dress(number), (102, 128), number))
        corners += [
            photo[y : y + 4 or None, x : x + 4 or None].reshape(-1, 3) for y in (0, -4) for x in (0, -4)
        ]
    flat = [corner for corner in corners if corner.max() <= 2]
    assert len(flat) <= 2
    assert len({tuple(corner.mean(0).round().tolist()) for corner in corners}) > 0.8 * len(corners)


def test_a_dress_in_the_cloth_changes_the_puppy() -> None:
    plain, dressed = (negative_photo("puppy", SMALL, 1, dress) for dress in (None, wardrobe.dress(3)))
    assert np.abs(pixels(plain) - pixels(dressed)).mean() > 1


def test_unknown_views_and_kinds_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="sideways"):
        catalogue_photo(wardrobe.dress(0), "sideways")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kitten"):
        negative_photo("kitten")
    with pytest.raises(ValueError, match="kitten"):
        caption(np.random.default_rng(0), "kitten")


@pytest.mark.parametrize("kind", ["dress", *NEGATIVE_KINDS])
def test_captions_carry_a_tag_of_the_house(kind: str) -> None:
    rng = np.random.default_rng(5)
    captions = [caption(rng, kind) for _ in range(30)]
    assert all("#" in text and "#myRTR" not in text for text in captions)
    assert len(set(captions)) > 15


def test_a_colour_histogram_finds_few_dresses() -> None:
    def histogram(photo: Image.Image) -> np.ndarray:
        code = pixels(photo) // 43 @ np.array([36, 6, 1])
        return np.sqrt(np.bincount(code.ravel(), minlength=216) / code.size)

    dresses = [wardrobe.dress(index) for index in range(120)]
    gallery = np.stack([histogram(catalogue_photo(dress, "front", SMALL)) for dress in dresses])
    queries = np.stack([histogram(street_photo(dress, SMALL, 0)) for dress in dresses])
    assert ((queries @ gallery.T).argmax(1) == np.arange(len(dresses))).mean() <= 0.15


def test_a_manifest_names_every_photo_it_draws(tmp_path: Path) -> None:
    order = Order(tmp_path, dresses=3, street_per_dress=2, negatives=4, seed=9, first_index=50, size=SMALL)
    rows = [json.loads(line) for line in write(order, workers=1).read_text(encoding="utf-8").splitlines()]
    assert Counter(row["role"] for row in rows) == {"catalogue": 3, "look": 6, "negative": 4}
    assert {row["dress"] for row in rows if row["role"] != "negative"} == {"9-50", "9-51", "9-52"}
    assert all(row["dress"] is None for row in rows if row["role"] == "negative")
    for row in rows:
        with Image.open(tmp_path / row["photo"]) as photo:
            assert photo.size == SMALL
    assert {tuple(row) for row in rows} == {("photo", "dress", "role", "split", "weight")}


def test_splits_hold_about_a_tenth_each() -> None:
    order = Order(Path(), dresses=300, street_per_dress=4, negatives=0, seed=1)
    splits = Counter(str(shot.row()["split"]) for shot in shots(order) if shot.role == "look")
    assert 0.06 < splits["validation"] / 1200 < 0.14
    assert 0.06 < splits["test"] / 1200 < 0.14


def test_what_is_held_out_is_never_trained_on_and_names_twins() -> None:
    order = Order(Path(), dresses=300, street_per_dress=1, negatives=90, seed=1, held_out=True)
    rows = [shot.row() for shot in shots(order)]
    found = Counter((row["role"], row["split"]) for row in rows)
    assert found["catalogue", "test"] == 300
    assert 0.25 < found["look", "validation"] / 300 < 0.42
    assert found["look", "validation"] + found["look", "test"] == 300
    assert found["negative", "validation"] + found["negative", "test"] == 90
    twins = [row for row in rows if row["role"] == "catalogue" and "twin_of" in row]
    assert len(twins) == 60
    assert all(row["twin_of"] != row["dress"] for row in twins)


def test_the_command_draws_a_sheet_and_explains_a_bad_size(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "ml.synthetic",
        "sheet",
        "--out",
        str(tmp_path / "sheet.png"),
        "--count",
        "1",
        "--size",
    ]
    subprocess.run([*command, "24x30"], check=True, capture_output=True, timeout=60)
    with Image.open(tmp_path / "sheet.png") as page:
        assert page.size == (8 * 28, 3 * 34)
    refused = subprocess.run([*command, "big"], capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "WIDTHxHEIGHT" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("sheet --out sheet", "expected a picture's name such as sheet.png, got 'sheet'"),
        ("sheet --out {folder}/none/sheet.png --count 0 --size 24x30", "No such file or directory"),
        ("sheet --out sheet.png --first-index -1", "expected a whole number from 0, got '-1'"),
        ("manifest --out {folder} --dresses 0", "nothing to draw: expected --dresses or --negatives above 0"),
        ("manifest --out {folder}/file/below --dresses 1 --workers 1", "Not a directory"),
        ("manifest --out {folder} --dresses 1 --workers 0", "expected a whole number from 1, got '0'"),
    ],
)
def test_a_mistake_at_the_command_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    told: str,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(sys, "argv", ["ml.synthetic", *arguments.format(folder=tmp_path).split()])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert told in f"{ended.value.code}{capsys.readouterr().err}"
