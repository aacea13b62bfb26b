"""Results that stay, and what they say."""

import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ml.scarce.report import page, rows
from ml.scarce.results import (
    BASELINE,
    NAMES,
    ResultsRefused,
    Run,
    add,
    interval,
    read,
    settings,
    summaries,
    verdict,
    write,
)


def run(method: str, seed: int, accuracy: float, precision: float = 0.8, **changes: object) -> Run:
    told = {"data": "toys", "photos": "f" * 64, "labels": 12, "seconds": 5.0, "steps": 90, "spent": 5.01}
    curve = [(0.5, accuracy - 0.1), (1.0, accuracy)]
    fields = {**told, "method": method, "seed": seed, "accuracy": accuracy, "curve": curve, **changes}
    return Run(average_precision=precision, **fields)  # type: ignore[arg-type]


RUNS = [
    *(run(BASELINE, seed, value) for seed, value in enumerate((0.70, 0.74, 0.66))),
    *(run("fixmatch", seed, value, 0.9) for seed, value in enumerate((0.79, 0.82, 0.76))),
    run("gan", 1, 0.75),
    run("gan", 7, 0.11),
]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "there/results.json"
    assert read(file) == []
    write(file, RUNS)
    assert read(file) == RUNS
    assert [path.name for path in file.parent.iterdir()] == ["results.json"]


def test_of_commands_that_add_to_a_file_at_once_none_loses_anothers_run(tmp_path: Path) -> None:
    file = tmp_path / "there/results.json"
    with ThreadPoolExecutor(4) as commands:
        list(commands.map(lambda seed: add(file, [run("gan", seed, 0.5)]), range(12)))
    assert sorted(each.seed for each in read(file)) == list(range(12))
    assert add(file, [run("gan", 3, 0.7)])[-1] in read(file)
    assert len(read(file)) == 12


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"runs": [{"data": "toys"}]}', '{"runs": 3}', "\xff"])
def test_another_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ResultsRefused, match=r"other\.json: no results of ml\.scarce_labels"):
        read(file)


def test_gains_are_paired_by_seed() -> None:
    best, baseline, gan = summaries(RUNS, RUNS[0].setting)
    assert [each.method for each in (best, baseline, gan)] == ["fixmatch", BASELINE, "gan"]
    # Student's t for 95% and two degrees of freedom is 4.303; the differences are .09, .08 and .10.
    assert best.gain is not None
    assert best.gain == pytest.approx((0.09, 4.3027 * 0.01 / math.sqrt(3)), abs=1e-6)
    assert best.gain_in_precision == pytest.approx((0.1, 0), abs=1e-9)
    assert (best.shared, baseline.shared, gan.shared) == (3, 0, 1)
    assert baseline.gain is None
    assert gan.gain is not None
    assert gan.gain.mean == pytest.approx(0.01)
    assert math.isnan(gan.gain.interval)


def test_a_constant_has_no_interval_and_a_single_seed_an_unknown_one() -> None:
    assert interval([0.5, 0.5, 0.5]) == (0.5, 0)
    assert math.isnan(interval([0.5]).interval)


def test_other_settings_are_not_mixed() -> None:
    longer = run("gan", 0, 0.9, seconds=600.0)
    assert settings([*RUNS, longer]) == [RUNS[0].setting, longer.setting]
    assert [each.method for each in summaries([*RUNS, longer], longer.setting)] == ["gan"]


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        (RUNS, "FixMatch wins: +9.0 points to supervised + augmentation (+6.5 to +11.5, 3 seeds)."),
        (RUNS[:4], "with one seed: it may be luck"),
        (RUNS[:3], "Supervised + augmentation wins"),
        (RUNS[3:6], "there is no run of Supervised + augmentation beside it"),
        (
            RUNS[:1] + RUNS[3:6],
            "FixMatch is the most accurate, +9.0 points to supervised + augmentation, with",
        ),
        (
            RUNS[:2] + RUNS[3:6],
            "FixMatch wins: +8.5 points to supervised + augmentation (+2.1 to +14.9, 2 seeds).",
        ),
        ([*RUNS, run("neighbours", 0, 0.99)], "FixMatch wins: +9.0 points"),
        ([*RUNS, run("gan", 0, 0.99)], "FixMatch wins: +9.0 points"),
        ([*RUNS[:3], run("gan", 0, 0.5), run("gan", 1, 0.99)], "Nobody wins: GAN's critic as classifier"),
        (
            [*RUNS[:3], run("fixmatch", 0, 0.6), run("fixmatch", 1, 0.6), run("gan", 0, 0.99)],
            "Supervised + augmentation wins: no other method is more accurate over several seeds.",
        ),
        ([], "Nothing has been measured"),
    ],
)
def test_the_verdict_says_plainly_who_wins(runs: list[Run], told: str) -> None:
    assert told in verdict(summaries(runs, RUNS[0].setting))


def test_the_page_shows_every_setting_with_its_figures() -> None:
    longer = run("gan", 0, 0.9, seconds=600.0)
    html = page([*RUNS, longer])
    assert html.count("<h2>") == 2
    assert html.count("<svg") == 4
    for name, cells in rows(summaries(RUNS, RUNS[0].setting)):
        assert name in html
        assert all(cell in html for cell in cells)
    assert "79.0% ± 7.5" in html
    assert not re.search(r'(src|href)="http', html)
    assert "Nothing has been measured" in page([])


def test_the_page_has_room_and_a_colour_for_every_method() -> None:
    html = page([run(method, 0, 0.5 + place / 50) for place, method in enumerate(NAMES)])
    assert all(html.count(name.replace("'", "&#39;")) >= 1 for name in NAMES.values())


def test_every_method_has_a_name() -> None:
    from ml.scarce_labels import METHODS

    assert list(METHODS) == list(NAMES)
