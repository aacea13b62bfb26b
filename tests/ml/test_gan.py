"""The nets' shapes, what they can be asked, losses against their formulas, and weights on disk."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ml import gan
from ml.checkpoint import CheckpointRefused
from ml.gan import Critic, GanConfig, Generator, load_generator, save_generator
from ml.gan_augmentation import augment, moved, with_a_hole

small = st.builds(
    GanConfig,
    size=st.sampled_from([32, 64]),
    network=st.sampled_from(gan.NETWORKS),
    noise=st.integers(1, 9),
    width=st.sampled_from([4, 8]),
    condition=st.sampled_from(gan.CONDITIONS),
    classes=st.integers(1, 4),
    embedding=st.integers(2, 6),
    critic_norm=st.sampled_from(gan.NORMS),
)


def rng(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def a_condition(config: GanConfig, count: int) -> torch.Tensor | None:
    if config.condition == "none":
        return None
    if config.condition == "class":
        return torch.arange(count) % (config.classes + 1) - 1
    return F.normalize(torch.randn(count, config.embedding), dim=1)


@settings(max_examples=25, deadline=None)
@given(small)
def test_noise_becomes_photos_and_photos_logits(config: GanConfig) -> None:
    generator, critic = Generator(config), Critic(config)
    condition = a_condition(config, 3)
    photos = generator(torch.randn(3, config.noise), condition)
    assert photos.shape == (3, 3, config.size, config.size)
    assert photos.abs().max() <= 1
    assert critic.features(photos).shape == (3, critic.width)
    assert critic(photos, condition).shape == (3,)
    assert critic(photos).shape == (3,)


def test_nothing_asked_for_is_a_row_of_zeros_a_class_of_minus_1_or_none() -> None:
    noise = torch.randn(2, 8)
    for condition, nothing in (("embedding", torch.zeros(2, 6)), ("class", torch.tensor([-1, -1]))):
        config = GanConfig(32, noise=8, width=4, condition=condition, classes=3, embedding=6)
        generator, critic = Generator(config).eval(), Critic(config).eval()
        photos = generator(noise)
        assert torch.equal(photos, generator(noise, nothing))
        assert torch.equal(critic(photos), critic(photos, nothing))
        asked = a_condition(config, 2)
        assert asked is not None
        assert not torch.equal(photos, generator(noise, asked))


def test_a_made_up_condition_is_a_unit_vector_or_shares_of_classes() -> None:
    noise = torch.randn(5, 8)
    taste = Generator(GanConfig(32, noise=8, width=4, condition="embedding", embedding=6)).condition(noise)
    assert torch.allclose(taste.norm(dim=1), torch.ones(5))
    kinds = Generator(GanConfig(32, noise=8, width=4, condition="class", classes=3)).condition(noise)
    assert torch.allclose(kinds.sum(dim=1), torch.ones(5))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"size": 48}, "size 48"),
        ({"network": "dense"}, "network 'dense'"),
        ({"condition": "text"}, "condition 'text'"),
        ({"critic_norm": "spectral"}, "critic_norm 'spectral'"),
        ({"noise": 0}, "noise 0"),
        ({"network": "resnet", "width": 6}, "width 6: expected a multiple of 4"),
        ({"condition": "class", "classes": 0}, "condition 'class' of 0 values"),
    ],
)
def test_a_net_that_cannot_be_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        GanConfig(**fields)  # type: ignore[arg-type]


def test_a_condition_that_does_not_fit_is_refused_by_its_shape() -> None:
    noise = torch.randn(3, 8)
    generator = Generator(GanConfig(32, noise=8, width=4, condition="embedding", embedding=6))
    for wrong in (torch.zeros(2, 6), torch.zeros(3, 5), torch.zeros(3, dtype=torch.long)):
        with pytest.raises(ValueError, match=r"shape .* for 3 photos; .* 'embedding' of 6 values"):
            generator(noise, wrong)
    plain = GanConfig(32, noise=8, width=4)
    with pytest.raises(ValueError, match="knows no conditions"):
        Generator(plain)(noise, torch.zeros(3, 6))
    with pytest.raises(ValueError, match="knows no conditions"):
        Critic(plain)(torch.zeros(3, 3, 32, 32), torch.zeros(3, 6))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_losses_are_their_formulas(seed: int) -> None:
    real, fake = torch.randn(2, 7, generator=rng(seed), dtype=torch.float64)
    right, wrong = torch.ones(7, dtype=torch.float64), torch.zeros(7, dtype=torch.float64)
    entropy = F.binary_cross_entropy_with_logits
    assert torch.allclose(gan.dcgan_critic(real, fake), entropy(real, right) + entropy(fake, wrong))
    assert torch.allclose(gan.dcgan_generator(fake), entropy(fake, right))
    assert torch.allclose(gan.relativistic_critic(real, fake), entropy(real - fake, right))
    assert torch.allclose(gan.relativistic_generator(real, fake), entropy(fake - real, right))
    assert torch.allclose(gan.wgan_critic(real, fake), fake.mean() - real.mean())
    assert torch.allclose(gan.wgan_generator(fake), -fake.mean())


class Slope(Critic):
    """A critic whose logits rise by `slope` a unit along each pixel."""

    def __init__(self, slope: float) -> None:
        super().__init__(GanConfig(32, width=4))
        self.slope = slope

    def forward(self, photos: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        return (photos * self.slope).flatten(1).sum(1)


def test_penalties_are_of_the_gradients_length() -> None:
    photos = torch.randn(4, 3, 32, 32)
    length = 0.1 * (3 * 32 * 32) ** 0.5
    found = gan.gradient_penalty(Slope(0.1), photos, -photos, None, rng())
    assert found.item() == pytest.approx((length - 1) ** 2, rel=1e-4)
    photos.requires_grad_()
    found = gan.zero_centred_penalty(Slope(0.1)(photos), photos)
    assert found.item() == pytest.approx(length**2, rel=1e-4)


def test_a_penalty_teaches_the_critic() -> None:
    critic = Critic(GanConfig(32, "resnet", width=4))
    photos = torch.randn(2, 3, 32, 32, requires_grad=True)
    gan.zero_centred_penalty(critic(photos), photos).backward()
    assert any(each.grad is not None and each.grad.abs().sum() > 0 for each in critic.parameters())


def test_clipped_weights_are_within_bounds() -> None:
    critic = Critic(GanConfig(32, "conv", width=4))
    gan.clip_weights(critic, 0.01)
    assert max(each.abs().max().item() for each in critic.parameters()) <= 0.01 + 1e-9


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1))
def test_augmented_photos_keep_their_shape_and_let_gradients_through(seed: int, share: float) -> None:
    photos = torch.rand(4, 3, 32, 32, generator=rng(seed)).requires_grad_()
    changed = augment(photos, share, rng(seed))
    assert changed.shape == photos.shape
    (gradient,) = torch.autograd.grad(changed.sum(), photos)
    assert gradient.abs().sum() > 0
    assert torch.equal(augment(photos, share, rng(seed)), changed)  # the same dice, the same changes


def test_no_share_changes_nothing_and_a_share_of_photos_stay_as_they_are() -> None:
    photos = torch.rand(200, 3, 32, 32, generator=rng())
    assert augment(photos, 0, rng()) is photos
    same = (augment(photos, 0.3, rng()) == photos).flatten(1).all(1).float().mean()
    assert 0.2 < same < 0.5  # (1 - .3)³


def test_photos_move_by_an_eighth_at_the_most() -> None:
    photos = torch.zeros(50, 3, 32, 32)
    photos[:, :, 16, 16] = 1
    places = moved(photos, rng())[:, 0].flatten(1).argmax(1)
    rows, columns = places // 32 - 16, places % 32 - 16
    assert rows.abs().max() == columns.abs().max() == 4
    assert len(set(places.tolist())) > 20


def test_a_hole_is_at_most_a_quarter_of_the_photo() -> None:
    holes = (with_a_hole(torch.ones(50, 3, 32, 32), rng())[:, 0] == 0).flatten(1).float().mean(1)
    assert holes.max() <= 0.25
    assert holes.min() > 0.04


def test_a_generator_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    generator = Generator(GanConfig(32, noise=8, width=4, condition="embedding", embedding=6)).eval()
    generator.half().float()
    save_generator(tmp_path, generator, {"fid": 1.5}, deepdress="ab")
    again, noise = load_generator(tmp_path), torch.randn(2, 8)
    assert again.config == generator.config
    assert torch.allclose(again(noise), generator(noise), atol=1e-6)
    assert json.loads((tmp_path / "config.json").read_text())["deepdress"] == "ab"
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"fid": 1.5}


def test_foreign_checkpoints_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match=r"weights\.safetensors: cannot be read"):
        load_generator(tmp_path)
    save_generator(tmp_path, Generator(GanConfig(32, noise=8, width=4)), {})
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "generator": {**config["generator"], "width": 8}}))
    with pytest.raises(CheckpointRefused, match=r"weights of another shape than config\.json tells .*size"):
        load_generator(tmp_path)
    path.write_text(json.dumps({**config, "generator": {"size": 33}}))
    with pytest.raises(CheckpointRefused, match=r"config\.json: not an architecture .*size 33"):
        load_generator(tmp_path)
    path.write_text(json.dumps({"weights_sha256": config["weights_sha256"]}))
    with pytest.raises(CheckpointRefused, match=r"config\.json: tells of no generator"):
        load_generator(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(b"half a fi")
    with pytest.raises(CheckpointRefused, match="truncated or altered"):
        load_generator(tmp_path)
