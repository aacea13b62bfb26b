"""``manage.py evaluate_recommenders``: its files, its table, its page, its complaints."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.recommend.test_evaluate import crowd

FIGURES = {"rmse", "mae", "coverage", "auc", "topn", "fit_seconds", "predict_seconds", "peak_mb"}
LISTS = {"precision", "recall", "tpr", "fpr", "f", "arhr", "ndcg", "catalogue_coverage"}


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    found = crowd()
    rows = zip(found.user_of, found.matrix.indices, found.matrix.data, strict=True)
    path = tmp_path / "<ratings>.csv"
    lines = [f"{found.users[user]},{found.items[item]},{value:g}\n" for user, item, value in rows]
    path.write_text("user,item,rating\n" + "".join(lines), encoding="utf-8")
    return path


def told(*options: object) -> tuple[str, str]:
    said, complained = io.StringIO(), io.StringIO()
    call_command("evaluate_recommenders", *map(str, options), stdout=said, stderr=complained)
    return said.getvalue(), complained.getvalue()


def test_figures_are_written_told_and_drawn(ratings: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    options = ["--methods", "RANDOM,POPULAR", "--given", 3, "--n", "1,10", "--json", out, "--report", page]
    said, _ = told("--ratings", ratings, *options)
    found = json.loads(out.read_text())
    assert found["protocol"].items() >= {"scheme": "split", "given": 3, "good": 4, "n": [1, 10]}.items()
    popular = found["methods"]["POPULAR"]
    assert popular.keys() >= FIGURES
    assert popular["topn"].keys() == {"1", "10"}
    assert set(popular["topn"]["10"]) == set(popular["standard_errors"]["topn"]["10"]) == LISTS
    assert popular["peak_mb"] > 10
    assert f"{popular['rmse']:.3f}" in said
    html = page.read_text()
    assert f"{popular['rmse']:.3f}" in html
    assert html.count("<svg") == 2 + 4 + 4
    assert "<ratings>" not in html
    assert not re.search(r"url\((?!#)|@import|<script|<link|src=", html)


def test_a_given_split_and_a_cross_validation(ratings: Path, tmp_path: Path) -> None:
    rows = ratings.read_text().splitlines(keepends=True)[1:]
    parts = {"train": rows[:160], "known": rows[160:320:2], "unknown": rows[161:320:2]}
    for name, lines in parts.items():
        (tmp_path / f"s_{name}.csv").write_text("".join(lines))
    out = tmp_path / "out.json"
    told("--split", tmp_path / "s", "--methods", "POPULAR:by=count", "--json", out)
    found = json.loads(out.read_text())
    assert found["protocol"].items() >= {"train_users": 20, "test_users": 20, "given": 4, "items": 12}.items()
    assert found["methods"]["POPULAR:by=count"]["rmse"] is None
    said, _ = told("--ratings", ratings, "--folds", 4, "--given", -2, "--methods", "POPULAR", "--json", out)
    assert json.loads(out.read_text())["protocol"]["scheme"] == "cross-validation"
    assert "30 people are learnt from and 10 tested, 4 times over, by all but 2" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--methods", "FAME"], "'FAME' is no method; there are"),
        (["--methods", "POPULAR:by=fame"], "expected one of mean, count"),
        (["--given", 15], "0 of 40 users have 16 ratings"),
        (["--given", 0], "nothing is known"),
        (["--n", "0,ten"], "expected lengths of lists"),
        (["--good", "nan"], "expected a number"),
        (["--json", "/nowhere/out.json"], "there is no folder /nowhere"),
        (["--split", "/nowhere/s", "--seed", 3], "--seed goes without --split"),
        (["--split", "/nowhere/s"], "/nowhere/s_train.csv: cannot be read"),
        (["--methods", "POPULAR:good=1|4", "--given", 3], "takes --tune"),
        (["--tune", "fame", "--given", 3], "is no figure to tune by"),
    ],
)
def test_what_cannot_be_done_is_said(ratings: Path, options: list[Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        told("--ratings", ratings, *options)
