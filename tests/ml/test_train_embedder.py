"""Training is reproducible, stops at a loss that is no number, and ends in a checkpoint that can be used."""

import errno
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ml import checkpoint, classifier_baseline, train_embedder
from ml.batches import Batches
from ml.checkpoint import CheckpointRefused
from ml.deepdress import DeepDress
from ml.embedder import Embedder, size
from ml.learner import Learner
from ml.manifest import ManifestError
from ml.train_embedder import LossNotFinite, fit, learning_rate, train
from ml.training_set import TrainingSet
from ml.training_state import StateRefused
from tests.ml.small_training import options, partly_labelled, small_set, write_manifest
from tests.verify.tiny_weights import write_tiny_weights

Losses = dict[str, torch.Tensor]


def trained(tmp_path: Path, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    network = Embedder(size("tiny"))
    fit(network, small_set(), options(tmp_path, seed=seed), torch.device("cpu"))
    return network.state_dict()


def test_the_same_seed_trains_the_same_network(tmp_path: Path) -> None:
    first, again, other = trained(tmp_path, 1), trained(tmp_path, 1), trained(tmp_path, 2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["vector.0.weight"], other["vector.0.weight"])


@pytest.mark.parametrize(
    ("photos", "changes"),
    [
        (small_set, {}),
        (small_set, {"unfreeze_every": 4, "body_rate": 0.1}),
        (partly_labelled, {"unlabelled_from": 0.25}),
    ],
)
def test_a_killed_training_goes_on_to_the_same_network(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    photos: Callable[[], TrainingSet],
    changes: dict[str, Any],
) -> None:
    chosen = {"check_every": 5, "groups_from": 0.5, **changes}
    torch.manual_seed(1)
    whole = Embedder(size("tiny"))
    fit(whole, photos(), options(tmp_path / "whole", **chosen), torch.device("cpu"))

    class Killed(Exception):
        pass

    def killed(learner: Learner, batches: Batches, number: int, *others: Any) -> Losses:
        if number == 13:
            raise Killed
        return step(learner, batches, number, *others)

    step = train_embedder.step
    torch.manual_seed(1)
    monkeypatch.setattr(train_embedder, "step", killed)
    with pytest.raises(Killed):
        fit(Embedder(size("tiny")), photos(), options(tmp_path / "cut", **chosen), torch.device("cpu"))
    monkeypatch.setattr(train_embedder, "step", step)
    resumed = Embedder(size("tiny"))
    state = fit(resumed, photos(), options(tmp_path / "cut", **chosen), torch.device("cpu")).state
    assert state.steps == 20
    expected = whole.state_dict()
    assert all(torch.equal(expected[name], value) for name, value in resumed.state_dict().items())


def test_another_command_does_not_go_on_with_it(tmp_path: Path) -> None:
    fit(Embedder(size("tiny")), small_set(), options(tmp_path, check_every=10), torch.device("cpu"))
    other = options(tmp_path, check_every=10, seed=2)
    with pytest.raises(StateRefused, match=r"seed was 1, is 2; .*--restart"):
        fit(Embedder(size("tiny")), small_set(), other, torch.device("cpu"))
    state = fit(Embedder(size("tiny")), small_set(), replace(other, restart=True), torch.device("cpu")).state
    assert state.steps == 20


def test_a_manifest_that_has_changed_does_not_go_on_with_it(tmp_path: Path) -> None:
    chosen = options(tmp_path, check_every=10)
    fit(Embedder(size("tiny")), small_set(), chosen, torch.device("cpu"))
    changed = replace(small_set(), description={"sha256": "b1ff"})
    with pytest.raises(StateRefused, match=r"photos was None, is b1ff; .*--restart"):
        fit(Embedder(size("tiny")), changed, chosen, torch.device("cpu"))


def test_a_broken_state_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "training.safetensors").write_bytes(b"half a fi")
    with pytest.raises(StateRefused, match=r"training\.safetensors: broken"):
        fit(Embedder(size("tiny")), small_set(), options(tmp_path), torch.device("cpu"))


def test_without_getting_better_it_stops_early_and_keeps_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([0.5, 0.7, 0.6, 0.65, 0.9])
    monkeypatch.setattr(train_embedder, "held_out_recall", lambda *_: {"1": next(figures)})
    network, chosen = Embedder(size("tiny")), options(tmp_path, check_every=2, patience=2)
    state = fit(network, small_set(), chosen, torch.device("cpu")).state
    assert (state.steps, state.best) == (8, 0.7)
    assert checkpoint.load(tmp_path / "unfinished").metrics["steps"] == 4
    best = checkpoint.load(tmp_path / "unfinished").network.state_dict()
    assert all(torch.equal(best[name], value) for name, value in network.state_dict().items())


def test_a_checkpoint_can_be_started_from(tmp_path: Path) -> None:
    write_tiny_weights(tmp_path / "given")
    given = checkpoint.load(tmp_path / "given").network
    begun = train_embedder.beginning(options(tmp_path, start_from=tmp_path / "given"))
    assert torch.equal(begun.state_dict()["vector.0.weight"], given.state_dict()["vector.0.weight"])


def test_what_is_frozen_stays_and_the_body_learns_slowly(tmp_path: Path) -> None:
    """The statistics of batch norms stay, too."""
    chosen = options(tmp_path, freeze=2, body_rate=0.1, steps=3)
    network = Embedder(size("tiny"))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    training = fit(network, small_set(), chosen, torch.device("cpu"))
    assert changed_parts(before, network) == {"stages.1", "pools", "vector", "not_a_dress"}
    assert [group["rate"] for group in training.optimiser.param_groups] == pytest.approx([1e-3, 1e-4])


def changed_parts(before: dict[str, torch.Tensor], network: Embedder) -> set[str]:
    changed = [name for name, value in network.state_dict().items() if not torch.equal(before[name], value)]
    return {".".join(name.split(".")[: 2 if name.startswith("stages") else 1]) for name in changed}


def test_a_classifier_is_trained_on_the_same_photos(tmp_path: Path) -> None:
    chosen = {"loss": "classifier", "steps": 3, "check_every": 2, "workers": 1, "device": "cpu"}
    manifest = write_manifest(tmp_path)
    train(options(tmp_path / "model", manifest=manifest, cache=tmp_path / "cache", **chosen))
    classifier = classifier_baseline.load(tmp_path / "model", torch.device("cpu"))
    assert classifier.dresses == [f"dress-{number}" for number in range(6)]
    found = classifier.probabilities([tmp_path / "0.png", tmp_path / "30.png"])
    assert found.shape == (2, 7)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    with pytest.raises(CheckpointRefused):
        DeepDress.load(tmp_path / "model")


def test_curves_for_tensorboard_go_on_where_a_training_does(tmp_path: Path) -> None:
    for _ in range(2):  # the second start has nothing left to do
        fit(Embedder(size("tiny")), small_set(), options(tmp_path, check_every=20), torch.device("cpu"))
    curves = EventAccumulator(str(tmp_path / "log")).Reload()
    assert curves.Tags()["scalars"] == [
        *("loss", "loss/metric", "loss/not_a_dress", "loss/attributes"),
        *("learning rate", "gradient norm", "photos per second"),
    ]
    assert [point.step for point in curves.Scalars("loss")] == [20]


@pytest.mark.parametrize("failing", ["weights.safetensors", "training.safetensors"])
def test_a_full_disk_leaves_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    chosen = options(tmp_path, check_every=5, steps=20)
    calls = []

    def full(descriptor: int) -> None:
        calls.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        if calls.count(f"{failing}.draft") == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ml.checkpoint.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        fit(Embedder(size("tiny")), small_set(), chosen, torch.device("cpu"))
    assert checkpoint.load(tmp_path / "unfinished").metrics["steps"] == (
        5 if failing.startswith("weights") else 10
    )
    assert not list(tmp_path.rglob("*.draft"))
    monkeypatch.undo()
    assert fit(Embedder(size("tiny")), small_set(), chosen, torch.device("cpu")).state.steps == 20


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(learner: Learner, batches: Batches, number: int, *others: Any) -> Losses:
        losses = step(learner, batches, number, *others)
        return {name: loss * (float("nan") if number == 12 else 1.0) for name, loss in losses.items()}

    step = train_embedder.step
    monkeypatch.setattr(train_embedder, "step", failing)
    with pytest.raises(LossNotFinite, match="loss nan at step 12"):
        fit(Embedder(size("tiny")), small_set(), options(tmp_path, check_every=10), torch.device("cpu"))
    kept = checkpoint.load(tmp_path / "unfinished")
    assert kept.metrics["steps"] == 10
    assert all(torch.isfinite(tensor).all() for tensor in kept.network.state_dict().values())


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [learning_rate(progress) for progress in np.linspace(0, 1, 101)]
    assert 0 < rates[0] < rates[5] > rates[50] > rates[100] >= 0


def test_photos_grow_to_the_size_of_the_input() -> None:
    sides = [train_embedder.resolution(progress, 112) for progress in np.linspace(0, 1, 101)]
    assert sides == sorted(sides)
    assert sides[0] < sides[-1] == 112


def test_a_manifest_becomes_a_model_that_embeds(tmp_path: Path) -> None:
    chosen = options(
        tmp_path / "model", manifest=write_manifest(tmp_path), cache=tmp_path / "cache", workers=1
    )
    metrics = train(chosen)
    model = DeepDress.load(chosen.out, device="cpu")
    assert model.metrics == metrics
    assert metrics["steps"] == 20
    assert metrics["unseen"]["recall"] is None
    assert metrics["seen"]["recall"]["dresses"] == 6
    assert 0 <= metrics["not_a_dress"]["auroc"] <= 1
    assert model.embed([tmp_path / "0.png"]).vectors.shape == (1, 128)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photo": "gone.png"}, r"manifest\.jsonl:1: no file .*gone\.png"),
        ({"role": "advert"}, r"manifest\.jsonl:1: role 'advert'"),
        ({"split": "holdout"}, r"manifest\.jsonl:1: .*split 'holdout'"),
        ({"dress": None}, r"manifest\.jsonl:1: role 'catalogue' with dress None"),
        ({"weight": -1}, r"manifest\.jsonl:1: weight -1"),
        ({"weight": "heavy"}, r"manifest\.jsonl:1: expected an object"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict, message: str) -> None:
    path = write_manifest(tmp_path)
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(first), **change}), *others]))
    with pytest.raises(ManifestError, match=message):
        train(options(tmp_path / "model", manifest=path, cache=tmp_path / "cache"))


def test_a_manifest_without_dresses_to_train_on_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text("not json\n")
    with pytest.raises(ManifestError, match=":1: expected an object"):
        train(options(tmp_path / "model", manifest=path, cache=tmp_path / "cache"))
    path.write_text("\n")
    with pytest.raises(ManifestError, match="no photo of a dress"):
        train(options(tmp_path / "model", manifest=path, cache=tmp_path / "cache"))


def test_a_users_mistake_ends_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text("[]\n")
    monkeypatch.setattr(
        "sys.argv", ["train_embedder", "--out", str(tmp_path / "model"), "--manifest", str(path)]
    )
    with pytest.raises(SystemExit, match=r"train_embedder: .*manifest\.jsonl:1: expected an object"):
        train_embedder.main()
