"""The page of an evaluation: alone in its file, with every figure, and nobody's markup but its own."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ml.conformal import Coverage
from ml.deepdress import DeepDress
from ml.evaluate_embedder import Evaluation, Findings, evaluate
from ml.evaluation_plots import INK, reliability, trade_off
from ml.evaluation_report import page
from ml.held_out import read
from tests.ml.manifests import ROWS, write_manifest
from tests.verify.tiny_weights import write_tiny_weights


def evaluated(folder: Path, rows: list = ROWS, **changes: object) -> Evaluation:
    model = DeepDress.load(write_tiny_weights(folder / "weights"), device="cpu")
    return evaluate(read(write_manifest(folder, rows, **changes)), [model])


def test_the_page_needs_no_other_file_and_shows_every_figure(tmp_path: Path) -> None:
    found = evaluated(tmp_path)
    html = page(found)
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", html.replace("xlink:href", "href"))
    assert not re.search(r"url\((?!#)|@import|<script|<link", html)
    assert f"{found.versions[0].figures['recall']['1']:.1%}" in html
    assert "colour histogram" in html
    assert html.count("<svg") == 2
    assert "prefers-color-scheme: dark" in html


def test_every_mistake_is_shown_with_its_photo(tmp_path: Path) -> None:
    found = evaluated(tmp_path)
    html = page(found)
    mistakes = found.versions[0].mistakes
    assert html.count("<article") == len(mistakes) > 0
    assert all(found.data.names[mistake.row] in html for mistake in mistakes)


def test_names_of_dresses_are_no_markup(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[:2] != (0, "catalogue")]
    rows.insert(0, (0, "catalogue", "train"))
    html = page(evaluated(tmp_path, rows, dress="<script>alert(1)</script>", split="test"))
    assert "<script>" not in html


def test_what_there_is_no_figure_for_has_no_picture(tmp_path: Path) -> None:
    html = page(evaluated(tmp_path, [row for row in ROWS if row[1] != "catalogue"]))
    assert "<svg" not in html
    assert "AUROC" in html
    assert "posts whose dress cannot be named" in html


@pytest.fixture
def findings() -> Findings:
    confidence, right = np.linspace(0.1, 1.0, 40, dtype=np.float32), np.arange(40) % 3 > 0
    sizes = [(0.8, 3.0), (0.9, 12.0), (0.95, 700.0)]
    coverages = tuple(Coverage(promised, 0.1, promised, size) for promised, size in sizes)
    return Findings("abc", {}, (confidence, right), coverages)


def test_pictures_take_the_pages_ink_and_name_two_versions(findings: Findings) -> None:
    for versions in ([findings], [findings, Findings("def", {})]):
        for picture in (reliability(versions), trade_off(versions, 0.9)):
            ElementTree.fromstring(picture)
            assert "currentColor" in picture
            assert INK not in picture
            assert (">abc</text>" in picture) == (len(versions) > 1)


def test_the_same_figures_draw_the_same_picture(findings: Findings) -> None:
    assert reliability([findings]) == reliability([findings])
    assert trade_off([findings], 0.9) == trade_off([findings], 0.9)
