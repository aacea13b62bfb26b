"""A game is reproducible, goes on where it was broken off, stops when it is lost, and ends in a generator."""

import errno
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ml import train_gan
from ml.dream_report import write_page
from ml.film import grid
from ml.gan import load_generator
from ml.gan_game import RECIPES, Game
from ml.gan_options import Options
from ml.gan_options import options as parsed
from ml.gan_photos import PhotosRefused
from ml.train_gan import GameDiverged, rows_of, train
from ml.training_options import OptionsRefused
from ml.training_state import StateRefused
from tests.ml.small_gan import options, write_photos


class Killed(Exception):
    pass


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_generator(folder).state_dict()


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def killed_at(monkeypatch: pytest.MonkeyPatch, step: int, error: Exception | None = None) -> Any:
    """The game's turns, of which the one of `step` never happens."""
    play = Game.play

    def broken(game: Game, batches: Any, rng: Any, progress: float, steps: int) -> Any:
        if steps == step:
            raise error or Killed
        return play(game, batches, rng, progress, steps)

    monkeypatch.setattr(Game, "play", broken)
    return play


def test_the_same_seed_gives_the_same_generator(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(options(tmp_path, out=tmp_path / name, steps=3, seed=seed))
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


@pytest.mark.parametrize(
    "chosen",
    [
        {"recipe": "modern", "condition": "embedding", "augmentation": 0.5, "steps": 9, "decay": True},
        {"recipe": "modern", "network": "resnet", "condition": "class"},
        {"recipe": "wgan", "steps": 4},
        {"recipe": "wgan-gp", "steps": 4},
        {"recipe": "dcgan", "precision": "bfloat16"},
    ],
)
def test_a_killed_game_goes_on_to_the_same_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any]
) -> None:
    train(options(tmp_path, out=tmp_path / "whole", check_every=2, **chosen))
    play = killed_at(monkeypatch, 3)
    with pytest.raises(Killed):
        train(options(tmp_path, out=tmp_path / "cut", check_every=2, **chosen))
    monkeypatch.setattr(Game, "play", play)
    metrics = train(options(tmp_path, out=tmp_path / "cut", check_every=2, **chosen))
    assert metrics["steps"] == chosen.get("steps", 6)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))
    assert not (tmp_path / "cut" / "unfinished").exists()


def test_a_game_broken_off_under_one_clock_goes_on_by_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter(range(1000))
    monkeypatch.setattr(train_gan, "clocks", lambda: next(told) * torch.tensor([1.0, 10.0]))
    play = killed_at(monkeypatch, 3)
    with pytest.raises(Killed):
        train(options(tmp_path, check_every=2, minutes=1))
    monkeypatch.setattr(Game, "play", play)
    metrics = train(options(tmp_path, check_every=2, cpu_minutes=1))
    assert (metrics["steps"], metrics["seconds"], metrics["cpu_seconds"]) == (6, 6, 60)


def test_what_is_left_is_judged_drawn_and_logged(tmp_path: Path) -> None:
    chosen = options(tmp_path, steps=21, condition="embedding", check_every=10, judged=4, samples=(1, 20))
    metrics = train(chosen)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == metrics
    for found in (metrics, metrics["asked"]):
        assert found["photos"] == metrics["data"]["held_out"]
        assert found["fid"] >= 0
        assert {"kid", "precision", "recall", "nearest"} <= found.keys()
    assert -1 <= metrics["asked"]["cosine"] <= 1
    grids = sorted((tmp_path / "out" / "samples").glob("step-*.png"))
    assert [grid.name for grid in grids] == ["step-1.png", "step-20.png", "step-21.png"]
    with Image.open(grids[-1]) as grid:
        assert grid.size == (256, 256)
        dreamt = np.asarray(grid)
    with Image.open(tmp_path / "out" / "samples" / "nearest.png") as sheet:
        assert np.array_equal(
            np.asarray(sheet)[::64][:4], dreamt[::32][:4]
        )  # a row of dreams, a row of photos
    log = EventAccumulator(str(tmp_path / "out" / "log"))
    log.Reload()
    tags = log.Tags()["scalars"]
    for tag in ("loss/critic", "D(real)", "D(fake)", "fakes taken for real", "gradient norm/generator"):
        assert tag in tags
    for tag in ("dreams/fid", "dreams/nearest/dreams", "dreams/asked/cosine"):
        assert [event.step for event in log.Scalars(tag)] == [10, 20]


@pytest.mark.parametrize("judged", [1, 3])
def test_so_few_photos_that_a_figure_is_undefined_end_in_a_generator_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], judged: int
) -> None:
    others = write_photos(tmp_path / "others", 3)
    metrics = train(options(tmp_path, held_out=others, steps=2, check_every=1, judged=judged))
    assert (metrics["photos"], metrics["precision"], metrics["recall"]) == (3, None, None)
    assert metrics["fid"] >= 0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == metrics
    assert f"precision –, recall – on {judged} photos" in capsys.readouterr().err


def test_the_config_tells_whose_vectors_it_is_asked_by(tmp_path: Path) -> None:
    metrics = train(options(tmp_path, steps=1, condition="embedding"))
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["deepdress"] == metrics["options"]["deepdress"]
    assert config["generator"]["embedding"] == 128


@pytest.mark.parametrize("net", ["generator", "critic"])
def test_a_game_that_diverges_stops_and_keeps_the_last_good_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, net: str
) -> None:
    play = Game.play

    def poisoned(game: Game, batches: Any, rng: Any, progress: float, steps: int) -> Any:
        if steps == 5:
            next(getattr(game, net).parameters()).data.fill_(float("nan"))
        return play(game, batches, rng, progress, steps)

    monkeypatch.setattr(Game, "play", poisoned)
    with pytest.raises(
        GameDiverged, match=r"step 5: losses of .*; the last good generator is in .*unfinished"
    ):
        train(options(tmp_path, steps=9, check_every=2, samples=(1, 4)))
    assert "4 iterations so far" in (tmp_path / "out" / "report.html").read_text()
    kept = load_generator(tmp_path / "out" / "unfinished")
    assert torch.isfinite(kept(torch.zeros(1, 8))).all()
    assert not (tmp_path / "out" / "weights.safetensors").exists()


def test_a_game_that_diverges_at_once_claims_to_have_kept_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out" / "unfinished").mkdir(parents=True)
    (tmp_path / "out" / "unfinished" / "weights.safetensors").write_bytes(b"another one's, without its state")
    monkeypatch.setattr(train_gan, "LARGEST_LOSS", 0.0)
    with pytest.raises(GameDiverged, match=r"step 0: losses of .*; nothing was kept yet$"):
        train(options(tmp_path))
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize("failing", ["weights.safetensors", "training.safetensors", "step-5.png"])
def test_a_full_disk_leaves_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    calls = []

    def full(descriptor: int) -> None:
        calls.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        if calls.count(f"{failing}.draft") == (1 if failing.endswith("png") else 2):
            raise OSError(errno.ENOSPC, "No space left on device")

    chosen = options(tmp_path, steps=9, check_every=2, samples=(5,))
    monkeypatch.setattr("ml.checkpoint.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        train(chosen)
    kept = json.loads((tmp_path / "out" / "unfinished" / "metrics.json").read_text())
    assert kept["steps"] == (2 if failing.startswith("weights") else 4)
    load_generator(tmp_path / "out" / "unfinished")
    assert not list((tmp_path / "out").rglob("*.draft"))


def test_another_game_does_not_go_on_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play = killed_at(monkeypatch, 3)
    with pytest.raises(Killed):
        train(options(tmp_path, check_every=2))
    monkeypatch.setattr(Game, "play", play)
    for change, said in (({"width": 8}, "width was 4, is 8"), ({"seed": 2}, "seed was 1, is 2")):
        with pytest.raises(StateRefused, match=rf"{said}; .*--restart"):
            train(options(tmp_path, **change))
    assert train(options(tmp_path, width=8, restart=True))["steps"] == 6


def test_a_recipe_that_has_changed_does_not_go_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = killed_at(monkeypatch, 1)
    with pytest.raises(Killed):
        train(options(tmp_path, steps=2, check_every=1))
    monkeypatch.setattr(Game, "play", play)
    with monkeypatch.context() as patched:
        patched.setitem(RECIPES, "modern", replace(RECIPES["modern"], lazily=4))
        with pytest.raises(StateRefused, match=r"broken off after lazily was 8, is 4; .*--restart"):
            train(options(tmp_path, steps=2))
    told = train(options(tmp_path, steps=2))["options"]
    assert (told["recipe"], told["rate"], told["batch"], told["lazily"]) == ("modern", 5e-4, 8, 8)


def test_a_new_training_in_the_same_folder_does_not_mix_with_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn() -> list[str]:
        return sorted(path.name for path in (tmp_path / "out" / "samples").iterdir())

    train(options(tmp_path, steps=5, samples=(3,)))
    assert drawn() == ["nearest.png", "step-3.png", "step-5.png"]
    (tmp_path / "out" / "samples" / "step-final.png").write_bytes(b"somebody's own")
    play = killed_at(monkeypatch, 3)
    chosen = options(tmp_path, seed=2, check_every=2, samples=(1,))
    with pytest.raises(Killed):
        train(chosen)
    assert drawn() == ["step-1.png", "step-final.png"]
    assert "It still goes on" in write_page(tmp_path / "out").read_text()
    monkeypatch.setattr(Game, "play", play)
    train(chosen)
    assert drawn() == ["nearest.png", "step-1.png", "step-6.png", "step-final.png"]
    assert "Ended after 6 iterations" in (tmp_path / "out" / "report.html").read_text()


def test_a_kill_while_it_is_judged_costs_no_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = options(tmp_path, steps=3)
    train(options(tmp_path, steps=3, out=tmp_path / "whole"))

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(train_gan, "figures", killed)
        with pytest.raises(Killed):
            train(chosen)
    monkeypatch.setattr(Game, "play", lambda *_: pytest.fail("played again"))
    assert train(chosen)["steps"] == 3
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "out"))


def test_a_batch_larger_than_the_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionsRefused, match=r"--batch 64: there are 3\d photos to train on"):
        train(options(tmp_path, batch=64))


def test_one_class_is_none(tmp_path: Path) -> None:
    chosen = options(tmp_path, condition="class")
    for path in list(chosen.photos.glob("*/*.png")):
        path.rename(chosen.photos / path.name)
    with pytest.raises(PhotosRefused, match="one class; --condition class expects a subfolder"):
        train(chosen)


def test_an_epoch_shows_each_photo_once_and_orders_differ() -> None:
    epochs = [np.concatenate([rows_of(5 * epoch + k, 23, 4, 1) for k in range(5)]) for epoch in range(2)]
    assert all(len(set(epoch)) == 20 for epoch in epochs)
    assert not np.array_equal(*epochs)
    assert not np.array_equal(rows_of(0, 23, 4, 1), rows_of(0, 23, 4, 2))


def test_pictures_stand_in_rows() -> None:
    pixels = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    sheet = np.asarray(grid(pixels, 3, gap=0))
    assert sheet.shape == (4, 6, 3)
    assert sheet[::2, ::2, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = f"--photos {tmp_path}/none --out {tmp_path}/out --device cpu"
    for wrong, said in (
        ("--width 6 --network resnet", "width 6: expected a multiple of 4"),
        ("--size 48", "invalid choice"),
        ("--recipe wgan-gp --gamma .5", "gamma 0.5: the recipe penalises slopes"),
        (
            "--recipe dcgan --gamma .5",
            "gamma 0.5: no penalty on each photo's gradient goes through the batch",
        ),
        ("--augmentation 1.5", "expected a share, 0 to 1"),
        ("--steps 5 --minutes 5", "not allowed with argument"),
        ("--seed 4294967296", "expected a whole number, 0 to 4294967295"),
    ):
        with pytest.raises(SystemExit):
            parsed(f"{base} {wrong}".split())
        assert said in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["train_gan", *base.split()])
    with pytest.raises(SystemExit, match=r"^train_gan: .*none: expected a folder of photos, or a manifest$"):
        train_gan.main()


@pytest.mark.parametrize("width", [1_000_000, 1_000_000_000])
def test_nets_that_no_memory_holds_are_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(train_gan, "options", lambda: options(tmp_path, width=width))
    with pytest.raises(SystemExit, match=r"^train_gan: the memory does not hold it; .*--width"):
        train_gan.main()


def test_grids_are_kept_of_the_steps_that_are_told_or_ever_rarer() -> None:
    told = Options(Path("photos"), Path("out"), samples=(3, 40))
    assert [step for step in range(100) if told.drawn_at(step)] == [3, 40]
    rarer = Options(Path("photos"), Path("out"))
    assert [step for step in range(1, 1001) if rarer.drawn_at(step)] == [
        1,
        2,
        5,
        10,
        20,
        50,
        100,
        200,
        500,
        1000,
    ]
