"""Training is reproducible, stops at a loss that is no number, and ends in a checkpoint that can be used."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml import checkpoint, train_embedder
from ml.deepdress import DeepDress
from ml.embedder import Embedder, size
from ml.train_embedder import (
    LossNotFinite,
    Options,
    fit,
    learning_rate,
    mixed_batches,
    not_a_dress_loss,
    pair_loss,
    train,
)
from ml.training_set import NO_DRESS, ManifestError, TrainingSet

COLOURS = np.array(
    [[200, 30, 30], [30, 160, 60], [40, 60, 200], [220, 200, 40], [150, 40, 160], [240, 240, 240]]
)


def small_set(side: int = 37) -> TrainingSet:
    """Six dresses, each a stripe, with one catalogue photo and three others, and ten negatives."""
    rng = np.random.default_rng(0)
    dress = np.append(np.repeat(np.arange(6), 4), np.full(10, NO_DRESS))
    pixels = rng.integers(0, 60, (len(dress), side, side, 3)).astype(np.uint8)
    for row, number in enumerate(dress):
        if number != NO_DRESS:
            pixels[row, 8:30, 10 + number : 16 + number] = COLOURS[number]
    role = np.where(dress == NO_DRESS, "negative", np.where(np.arange(34) % 4 == 0, "catalogue", "look"))
    return TrainingSet(pixels, dress, role, np.full(34, "train"), np.ones(34), {})


def options(tmp_path: Path, **changes: object) -> Options:
    return Options(**{"out": tmp_path, "steps": 20, "size": "tiny", "check_every": 1000, **changes})


def trained(tmp_path: Path, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    network = Embedder(size("tiny"))
    fit(network, small_set(), options(tmp_path, seed=seed), torch.device("cpu"))
    return network.state_dict()


def test_the_same_seed_trains_the_same_network(tmp_path: Path) -> None:
    first, again, other = trained(tmp_path, 1), trained(tmp_path, 1), trained(tmp_path, 2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["vector.0.weight"], other["vector.0.weight"])


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*batch: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return pair_loss(*batch) * (float("nan") if len(calls) > 12 else 1.0)

    calls: list[int] = []
    monkeypatch.setattr(train_embedder, "pair_loss", failing)
    with pytest.raises(LossNotFinite, match="loss nan at step 12"):
        fit(Embedder(size("tiny")), small_set(), options(tmp_path, check_every=10), torch.device("cpu"))
    kept = checkpoint.load(tmp_path)
    assert kept.metrics["steps"] == 10
    assert all(torch.isfinite(tensor).all() for tensor in kept.network.state_dict().values())


def test_a_batch_holds_pairs_of_the_same_dresses_and_negatives() -> None:
    data = small_set()
    rows, classes = next(mixed_batches(data, np.arange(6), np.random.default_rng(0)))
    assert data.dress[rows].tolist() == classes.tolist()
    assert set(data.role[rows[:6]]) == {"catalogue"}
    assert set(data.role[rows[6:12]]) == {"look"}
    assert set(data.role[rows[12:]]) == {"negative"}


def test_a_photo_of_no_weight_to_speak_of_is_hardly_ever_drawn() -> None:
    data = small_set()
    data.weight[data.rows("train", catalogue=False)[1::3]] = 1e-9
    batches = mixed_batches(data, np.arange(6), np.random.default_rng(0))
    drawn = np.concatenate([next(batches)[0] for _ in range(20)])
    assert not np.isin(drawn, np.flatnonzero(data.weight < 1)).any()


def test_the_loss_rewards_photos_beside_their_catalogue_photo() -> None:
    catalogue, classes = torch.eye(4)[:3], torch.tensor([7, 5, 9, 7, 5, 9, NO_DRESS])
    right = torch.cat([catalogue, catalogue, torch.eye(4)[3:]])
    swapped = torch.cat([catalogue, catalogue[[1, 2, 0]], torch.eye(4)[3:]])
    assert pair_loss(right, classes) < 0.01 < pair_loss(swapped, classes)


def test_photos_without_a_dress_are_no_pairs() -> None:
    pairs, classes = torch.eye(4)[[0, 1, 0, 1]], torch.tensor([3, 4, 3, 4])
    with_negatives = torch.cat([pairs, torch.eye(4)[[0, 1]]])
    marked = torch.cat([classes, torch.full((2,), NO_DRESS)])
    assert pair_loss(with_negatives, marked) == pair_loss(pairs, classes)


def test_the_loss_rewards_the_right_sign_of_not_a_dress() -> None:
    classes = torch.tensor([0, 1, NO_DRESS])
    logits = torch.tensor([-4.0, -4.0, 4.0])
    assert not_a_dress_loss(logits, classes) < 0.1 < not_a_dress_loss(-logits, classes)


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [learning_rate(progress) for progress in np.linspace(0, 1, 101)]
    assert 0 < rates[0] < rates[5] > rates[50] > rates[100] >= 0


def test_photos_grow_to_the_size_of_the_input() -> None:
    sides = [train_embedder.resolution(progress, 112) for progress in np.linspace(0, 1, 101)]
    assert sides == sorted(sides)
    assert sides[0] < sides[-1] == 112


def write_manifest(folder: Path) -> Path:
    data = small_set()
    lines = []
    for row, (dress, role) in enumerate(zip(data.dress, data.role, strict=True)):
        Image.fromarray(data.pixels[row]).save(folder / f"{row}.png")
        split = ("train", "validation", "test")[row % 4 - 1 if row % 4 > 1 else 0]
        name = None if dress == NO_DRESS else f"dress-{dress}"
        lines.append({"photo": f"{row}.png", "dress": name, "role": str(role), "split": split})
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


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
