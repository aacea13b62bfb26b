"""The table says what there is, in percent, and leaves out what no model has."""

from typing import Any

from ml.evaluate_embedder import Evaluation, Findings
from ml.evaluation_table import MISSING, table

RECALL = {"1": 0.25, "3": 0.5, "5": 0.75, "20": 1.0}


def evaluation(**figures: Any) -> Evaluation:
    baseline = Findings("colour histogram", {"recall": RECALL, "unseen": None, "not_a_dress": None})
    return Evaluation(None, [Findings("abc", {"recall": RECALL, **figures})], [baseline], [])  # type: ignore[arg-type]


def test_every_model_has_a_column_and_every_figure_a_row() -> None:
    columns, rows = table(evaluation(ece=0.0312))
    assert columns == ["DeepDress abc", "colour histogram"]
    assert dict(rows)["Recall @1"] == ["25.0%", "25.0%"]
    assert dict(rows)["Calibration error"] == ["0.031", MISSING]


def test_what_no_model_has_is_left_out() -> None:
    labels = [label for label, _ in table(evaluation(unseen=None, conformal=None))[1]]
    assert labels == ["Recall @1", "Recall @3", "Recall @5", "Recall @20"]


def test_a_figure_of_nought_is_a_figure() -> None:
    assert dict(table(evaluation(ece=0.0))[1])["Calibration error"][0] == "0.000"
