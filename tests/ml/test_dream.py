"""python -m ml.dream: grids, walks, films and the page of a run, and what it refuses in one line."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml import dream, film
from ml.dream_report import write_page
from ml.film import FilmRefused
from ml.training_log import TrainingLog
from tests.ml.tiny_dreamer import SIZE, write_tiny_dreamer
from tests.verify.tiny_weights import write_tiny_weights

Run = Callable[..., int]
LIKING = ("--seed", 1, "--like", "a.png", "--out", "a.png")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["ml.dream", *map(str, arguments)])
        return dream.main()

    return run


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_dreamer(tmp_path_factory.mktemp("dreamer"))


@pytest.fixture(scope="module")
def deepdress(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_weights(tmp_path_factory.mktemp("deepdress"))


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A run after 20 and 1,000 steps that is just writing its next grid."""
    samples = tmp_path / "run" / "samples"
    samples.mkdir(parents=True)
    for number, colour in ((1000, "teal"), (20, "gray")):
        Image.new("RGB", (32, 32), colour).save(samples / f"step-{number}.png")
    (samples / "step-2000.png").write_bytes((samples / "step-20.png").read_bytes()[:40])
    (samples / "step-final.png").write_bytes(b"somebody's own")
    return tmp_path / "run"


def photo(path: Path, colour: str) -> Path:
    Image.new("RGB", (40, 60), colour).save(path)
    return path


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_the_same_seed_gives_the_same_grid(run: Run, weights: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        assert (
            run(
                "sample",
                "--weights",
                weights,
                "--seed",
                seed,
                "--count",
                5,
                "--out",
                tmp_path / f"{name}.png",
            )
            == 0
        )
    one, same, other = (pixels(tmp_path / f"{name}.png") for name in ("one", "same", "other"))
    assert one.shape == (2 * SIZE + 2, 3 * SIZE + 4, 3)
    assert np.array_equal(one, same)
    # The second of the first grid is the first of the other.
    assert np.array_equal(one[:SIZE, SIZE + 2 : 2 * SIZE + 2], other[:SIZE, :SIZE])


def test_a_taste_is_the_mean_of_what_photos_show(
    run: Run, weights: Path, deepdress: Path, tmp_path: Path
) -> None:
    told = ("sample", "--weights", weights, "--deepdress", deepdress, "--seed", 5, "--count", 1)
    photos = [photo(tmp_path / f"{colour}.png", colour) for colour in ("red", "navy")]
    for name, liked in (("plain", []), ("red", photos[:1]), ("both", photos), ("turned", photos[::-1])):
        like = ["--like", *liked] if liked else []
        assert run(*told, *like, "--out", tmp_path / f"{name}-grid.png") == 0
    plain, red, both, turned = (
        pixels(tmp_path / f"{name}-grid.png").astype(int) for name in ("plain", "red", "both", "turned")
    )
    assert np.abs(both - turned).max() <= 1
    assert min(np.abs(plain - red).max(), np.abs(red - both).max()) >= 1


@pytest.mark.parametrize("name", ["walk.webp", "walk.png"])
def test_a_walk_goes_from_one_dream_to_the_other(run: Run, weights: Path, tmp_path: Path, name: str) -> None:
    path, strip = tmp_path / name, tmp_path / "strip.png"
    told = ("walk", "--weights", weights, "--seeds", 1, 2, "--frames", 5)
    assert run(*told, "--out", path) == 0
    with Image.open(path) as animation:
        assert animation.n_frames == 5
        assert min(animation.size) >= 320
    assert run(*told, "--strip", "--out", strip) == 0
    assert pixels(strip).shape == (SIZE, 5 * SIZE + 8, 3)
    run("sample", "--weights", weights, "--seed", 1, "--count", 2, "--out", tmp_path / "ends.png")
    ends = pixels(tmp_path / "ends.png").astype(int)
    assert np.abs(pixels(strip)[:, :SIZE] - ends[:, :SIZE]).max() <= 1
    assert np.abs(pixels(strip)[:, -SIZE:] - ends[:, -SIZE:]).max() <= 1


def test_a_walk_between_two_dresses(run: Run, weights: Path, deepdress: Path, tmp_path: Path) -> None:
    photos = [photo(tmp_path / f"{colour}.png", colour) for colour in ("red", "navy")]
    told = ("walk", "--weights", weights, "--deepdress", deepdress, "--photos", *photos, "--frames", 3)
    assert run(*told, "--strip", "--out", tmp_path / "strip.png") == 0
    first, _, last = np.split(pixels(tmp_path / "strip.png")[:, : 3 * SIZE].astype(int), 3, axis=1)
    assert np.abs(first - last).max() >= 1


@pytest.mark.parametrize("name", ["film.webp", "film.png"])
def test_a_film_shows_the_grids_in_their_order_with_the_iteration_on_each(
    run: Run, training: Path, tmp_path: Path, name: str
) -> None:
    assert run("film", training, "--out", tmp_path / name) == 0
    with Image.open(tmp_path / name) as animation:
        assert animation.n_frames == 2  # without the half of one
        shown = []
        for frame in range(2):
            animation.seek(frame)
            shown.append(np.asarray(animation.convert("RGB")).astype(int))
    grey, teal = (frame[100, 100] for frame in shown)
    assert np.abs(grey - (128, 128, 128)).max() < 12
    assert np.abs(teal - (0, 128, 128)).max() < 12
    assert all(frame[-20:].min() < 90 for frame in shown)  # words below, on paper
    assert np.abs(shown[0][-20:] - shown[1][-20:]).max() > 90  # other ones


def test_of_many_grids_the_film_takes_some_the_first_and_the_last_among_them() -> None:
    found = [(number, Path(f"step-{number}.png")) for number in range(100)]
    taken = [number for number, _ in film.evenly(found, 5)]
    assert (taken[0], taken[-1], len(taken)) == (0, 99, 5)
    assert film.evenly(found, None) == found


def test_the_page_of_a_run_that_goes_on_and_of_one_that_has_ended(training: Path, weights: Path) -> None:
    html = write_page(training).read_text()
    assert "It still goes on" in html
    assert "1,000 iterations" in html
    assert "The game" not in html  # no log yet
    log = TrainingLog(training, 0)
    for step in (20, 40, 1000):
        log.check(step, {"loss/critic": 1.2, "loss/generator": float("nan") if step == 40 else 0.8})
        log.check(step, {"fakes taken for real": 0.4, "dreams/fid": 100 / step})
    log.close()
    for file in weights.iterdir():
        (training / file.name).write_bytes(file.read_bytes())
    (training / "metrics.json").write_text('{"fid": 0.1234567, "nearest": {"dreams": 0.5}, "steps": 1000}')
    html = write_page(training).read_text()
    assert "Ended after 1,000 iterations" in html
    assert html.count("<svg") == 3
    assert ("0.1235" in html, "nearest: dreams" in html) == (True, True)
    assert 'src="http' not in html
    with Image.open(training / "film.webp") as animation:
        assert animation.n_frames == 2
    (training / "unfinished").mkdir()  # another one goes on in the same folder
    html = write_page(training).read_text()
    assert "It still goes on" in html
    assert "0.1235" not in html


def test_a_page_that_cannot_be_written_is_one_line(
    run: Run, training: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ml.checkpoint.os.fsync", full)
    assert run("page", training) == 1
    assert capsys.readouterr().err == "[Errno 28] No space left on device\n"


def test_a_run_that_has_drawn_nothing_has_no_page(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FilmRefused, match=r"no grid step-N\.png"):
        write_page(tmp_path)
    assert run("page", tmp_path) == 1
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("sample", "--weights", "{there}", "--seed", 1, "--out", "{there}/a.nothing"), "cannot be written"),
        (("sample", "--weights", "/nowhere", "--seed", 1, "--out", "a.png"), "/nowhere/"),
        (
            ("sample", "--weights", "{plain}", "--seed", 1, "--like", "a.png", "--out", "a.png"),
            "know no tastes",
        ),
        (
            ("sample", "--weights", "{weights}", "--seed", 1, "--like", "a.png", "--out", "a.png"),
            "a.png: no such",
        ),
        (("walk", "--weights", "{weights}", "--out", "a.webp"), "Either --seeds"),
        (("walk", "--weights", "{weights}", "--seeds", 1, 2, "--out", "a.gif"), "ends in .webp or .png"),
        (("film", "{there}", "--out", "a.webp"), "no grid step-N.png"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    run: Run,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[object, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = write_tiny_dreamer(tmp_path / "plain", condition="none")
    places = {"there": write_tiny_dreamer(tmp_path), "plain": plain, "weights": weights}
    assert run(*(str(each).format(**places) for each in arguments)) == 1
    told = capsys.readouterr().err.strip()
    assert says in told
    assert "\n" not in told


@pytest.mark.parametrize("value", ["-1", "4294967296", "one"])
def test_a_seed_is_a_number_of_32_bits(run: Run, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("sample", "--seed", value, "--out", "a.png")
    assert "expected" in capsys.readouterr().err
