"""Two nets at play: a generator that dreams photos of dresses, and a critic that judges which are real.

`conv` is DCGAN (Radford et al. 2016, arXiv:1511.06434). `resnet` has residual blocks of grouped convolutions
without any normalisation, as in R3GAN (Huang et al. 2024, arXiv:2501.05441).

A condition is what to dream: a class (n,) from 0, or a unit vector (n, d) of DeepDress, near which the dress
shall be. None, a class of -1 or a row of zeros is no condition: the generator makes one up of its noise, and
the critic asks only whether the photo is real. Trained with some conditions dropped, one generator does both.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save as write_tensors
from torch import Tensor, nn

from ml import checkpoint
from ml.checkpoint import CONFIG, METRICS, WEIGHTS, CheckpointRefused

SIZES = (32, 64, 128)
NETWORKS = ("conv", "resnet")
CONDITIONS = ("none", "class", "embedding")
NORMS = ("batch", "layer", "none")
SLOPE = 0.2  # of the leaky rectifiers


@dataclass(frozen=True)
class GanConfig:
    """Everything that decides the shapes of both nets' weights. Raises ValueError for what cannot be."""

    size: int = 64  # pixels, square
    network: str = "resnet"  # of NETWORKS
    noise: int = 64  # dimensions
    width: int = 32  # channels of the largest maps; they double as those halve, to at most eight times
    condition: str = "none"  # of CONDITIONS
    classes: int = 0  # with the condition "class"
    embedding: int = 128  # dimensions, with the condition "embedding"
    critic_norm: str = "batch"  # of a conv critic; with a penalty on each photo's gradient not "batch"

    def __post_init__(self) -> None:
        known = {"size": SIZES, "network": NETWORKS, "condition": CONDITIONS, "critic_norm": NORMS}
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} {getattr(self, name)!r}: expected one of {values}")
        if min(self.noise, self.width) < 1:
            raise ValueError(f"noise {self.noise} and width {self.width}: expected at least 1")
        if self.network == "resnet" and self.width % 4:
            raise ValueError(f"width {self.width}: expected a multiple of 4 for a resnet")
        if self.condition != "none" and self.told < 1:
            raise ValueError(f"condition {self.condition!r} of {self.told} values: expected at least 1")

    @property
    def told(self) -> int:
        """Numbers that tell a condition: classes, or dimensions of the vector; 0 without conditions."""
        return {"none": 0, "class": self.classes, "embedding": self.embedding}[self.condition]

    @property
    def channels(self) -> tuple[int, ...]:
        """Of the maps at 4, 8, ... size / 2 pixels."""
        sides = (self.size // 4).bit_length() - 1
        return tuple(self.width * 2 ** min(3, sides - 1 - place) for place in range(sides))


def told(condition: Tensor | None, config: GanConfig, like: Tensor) -> Tensor:
    """(n, config.told) float rows, zeros where there is no condition. Raises ValueError for other shapes."""
    if condition is None:
        return like.new_zeros(len(like), config.told)
    if config.condition == "class" and condition.shape == like.shape[:1]:
        return F.one_hot(condition + 1, config.classes + 1)[:, 1:].to(like.dtype)
    if config.condition == "embedding" and condition.shape == (len(like), config.told):
        return condition.to(like.dtype)
    raise ValueError(
        f"a condition of shape {tuple(condition.shape)} for {len(like)} photos; "
        f"this net's condition is {config.condition!r} of {config.told} values"
    )


class Generator(nn.Module):
    """Noise (n, z) of N(0, 1), and conditions or None -> photos (n, 3, s, s) in -1..1."""

    def __init__(self, config: GanConfig) -> None:
        super().__init__()
        self.config = config
        if config.told:
            self.made_up = nn.Linear(config.noise, config.told)
            self.asked = nn.Linear(config.told, 2 * config.noise)
        inputs = 3 * config.noise if config.told else config.noise
        self.body = (_conv_generator if config.network == "conv" else _resnet_generator)(config, inputs)
        if config.network == "conv":
            self.apply(_as_dcgan_begins)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.config.told:
            asked = self.condition(noise, condition)
            # As long as the noise is, on average, whatever the condition's length.
            noise = torch.cat([noise, self.asked(asked * self.config.told**0.5)], dim=1)
        elif condition is not None:
            raise ValueError("this generator knows no conditions")
        photos: Tensor = self.body(noise[:, :, None, None])
        return photos.float().tanh()

    @torch.no_grad()
    def make_up_like(self, vectors: Tensor) -> None:
        """From now on made-up conditions spread as these (n, told) unit vectors do: with their mean and
        their largest principal components, one for each dimension of the noise. That is not learnt further.
        """
        mean = vectors.mean(dim=0)
        _, lengths, directions = torch.linalg.svd(vectors - mean, full_matrices=False)
        count = min(self.config.noise, len(lengths))
        self.made_up.weight.zero_()
        self.made_up.weight[:, :count] = directions[:count].T * (lengths[:count] * len(vectors) ** -0.5)
        self.made_up.bias.copy_(mean)
        self.made_up.requires_grad_(False)

    def condition(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """(n, told): what is asked for and, where nothing is, what this noise makes up."""
        rows = told(condition, self.config, noise)
        made_up = self.made_up(noise)
        of_a_kind = made_up.softmax(1) if self.config.condition == "class" else F.normalize(made_up, dim=1)
        return rows.where(rows.any(dim=1, keepdim=True), of_a_kind.to(rows.dtype))


class Critic(nn.Module):
    """Photos (n, 3, s, s) in -1..1 -> (n,) logits, higher for real ones.

    With a condition also whether they are what was asked for (projection; Miyato & Koyama 2018,
    arXiv:1802.05637).
    """

    def __init__(self, config: GanConfig) -> None:
        super().__init__()
        self.config = config
        self.body = (_conv_critic if config.network == "conv" else _resnet_critic)(config)
        top = config.channels[0]
        self.width = 16 * top if config.network == "conv" else top  # of the features
        self.real = nn.Linear(self.width, 1)
        if config.told:
            self.asked = nn.Linear(config.told, self.width, bias=False)
        if config.network == "conv":
            self.apply(_as_dcgan_begins)

    def features(self, photos: Tensor) -> Tensor:
        """(n, 3, s, s) -> (n, width): what the logits are read from."""
        found: Tensor = self.body(photos.contiguous(memory_format=torch.channels_last))
        return found.flatten(1)

    def forward(self, photos: Tensor, condition: Tensor | None = None) -> Tensor:
        features = self.features(photos)
        logits: Tensor = self.real(features).squeeze(1)
        if condition is None:
            return logits.float()
        if not self.config.told:
            raise ValueError("this critic knows no conditions")
        asked = self.asked(told(condition, self.config, features)) * (self.config.told / self.width) ** 0.5
        together: Tensor = logits + (features * asked).sum(dim=1)
        return together.float()


class Residual(nn.Module):
    """Channels -> channels at the same resolution: 1x1, grouped 3x3, 1x1, and a way around them.

    The last convolution begins at zero, so that a deep net begins as a shallow one (Zhang et al. 2019,
    arXiv:1901.09321); grouped convolutions of 16 channels cost an eighth of full ones of 128.
    """

    def __init__(self, channels: int, group: int = 16) -> None:
        super().__init__()
        inner = 2 * channels
        groups = inner // group if inner % group == 0 else 1
        self.first = nn.Conv2d(channels, inner, 1)
        self.spatial = nn.Conv2d(inner, inner, 3, padding=1, groups=groups)
        self.last = nn.Conv2d(inner, channels, 1, bias=False)
        for each in (self.first, self.spatial):
            nn.init.kaiming_normal_(each.weight, SLOPE)
            nn.init.zeros_(each.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.first(x), SLOPE, inplace=True)
        y = F.leaky_relu(self.spatial(y), SLOPE, inplace=True)
        added: Tensor = x + self.last(y)
        return added


def _resnet_generator(config: GanConfig, inputs: int) -> nn.Module:
    top, last = config.channels[0], config.channels[-1]
    layers: list[nn.Module] = [nn.ConvTranspose2d(inputs, top, 4), Residual(top)]
    for before, channels in pairwise(config.channels):
        if channels != before:
            layers.append(nn.Conv2d(before, channels, 1))
        layers += [nn.Upsample(scale_factor=2, mode="bilinear"), Residual(channels)]
    return nn.Sequential(*layers, _smooth(nn.ConvTranspose2d(last, 3, 4, 2, 1)))


@torch.no_grad()
def _smooth(layer: nn.ConvTranspose2d) -> nn.ConvTranspose2d:
    """Begins as an enlargement by interpolation: random weights would begin with a chessboard."""
    slope = torch.tensor([0.25, 0.75, 0.75, 0.25])
    layer.weight.copy_(
        torch.randn_like(layer.weight[:, :, :1, :1]) * len(layer.weight) ** -0.5 * torch.outer(slope, slope)
    )
    return layer


def _resnet_critic(config: GanConfig) -> nn.Module:
    channels = config.channels[::-1]
    layers: list[nn.Module] = [nn.Conv2d(3, channels[0], 4, 2, 1)]
    for before, after in pairwise(channels):
        layers += [Residual(before), nn.AvgPool2d(2)]
        if before != after:
            layers.append(nn.Conv2d(before, after, 1))
    top = channels[-1]
    whole = nn.Conv2d(top, top, 4, groups=top)  # a look at the whole photo, each channel by itself
    return nn.Sequential(*layers, Residual(top), whole, nn.LeakyReLU(SLOPE))


def _conv_generator(config: GanConfig, inputs: int) -> nn.Module:
    channels = config.channels
    layers: list[nn.Module] = [nn.ConvTranspose2d(inputs, channels[0], 4, bias=False)]
    for before, after in pairwise(channels):
        layers += [nn.BatchNorm2d(before), nn.ReLU(inplace=True)]
        layers.append(nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False))
    layers += [nn.BatchNorm2d(channels[-1]), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(channels[-1], 3, 4, 2, 1, bias=False))


def _conv_critic(config: GanConfig) -> nn.Module:
    channels = config.channels[::-1]
    layers: list[nn.Module] = [
        nn.Conv2d(3, channels[0], 4, 2, 1, bias=False),
        nn.LeakyReLU(SLOPE, inplace=True),
    ]
    for before, after in pairwise(channels):
        layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=config.critic_norm == "none"))
        layers += [*_norms(config.critic_norm, after), nn.LeakyReLU(SLOPE, inplace=True)]
    return nn.Sequential(*layers)


def _norms(name: str, channels: int) -> list[nn.Module]:
    if name == "none":
        return []
    return [nn.BatchNorm2d(channels) if name == "batch" else nn.GroupNorm(1, channels)]


def _as_dcgan_begins(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


@torch.no_grad()
def begin_smoothly(generator: Generator, critic: Critic) -> None:
    """Conv nets, before they learn: enlargements begin by interpolating, so that no chessboard has to be
    unlearnt, and what is seen or asked is not lost on its way through small weights (He et al. 2015,
    arXiv:1502.01852)."""
    layers = [each for each in generator.modules() if isinstance(each, nn.ConvTranspose2d)]
    enlarging = [each for each in layers if each.stride == (2, 2)]
    for layer in enlarging:
        _smooth(layer)
    enlarging[-1].weight *= 0.5  # far from white and black
    for each in critic.modules():
        if isinstance(each, nn.Conv2d):
            nn.init.kaiming_normal_(each.weight, SLOPE)
        elif isinstance(each, nn.Linear):
            nn.init.normal_(each.weight, 0.0, each.in_features**-0.5)
    if generator.config.told:
        nn.init.normal_(generator.asked.weight, 0.0, generator.config.told**-0.5)


# Losses: logits (n,) of real photos and of dreams -> what the critic, and what the generator makes small.


def dcgan_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Cross-entropy (Goodfellow et al. 2014, arXiv:1406.2661)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def dcgan_generator(fake: Tensor) -> Tensor:
    """The non-saturating one, whose gradient does not vanish where the critic wins."""
    return F.softplus(-fake).mean()


def wgan_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the estimated distance of two distributions (Arjovsky et al. 2017, arXiv:1701.07875)."""
    return fake.mean() - real.mean()


def wgan_generator(fake: Tensor) -> Tensor:
    return -fake.mean()


@torch.no_grad()
def clip_weights(critic: nn.Module, largest: float = 0.01) -> None:
    """After each of a WGAN critic's steps, so that its slope is bounded."""
    for each in critic.parameters():
        each.clamp_(-largest, largest)


def relativistic_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Each real photo shall look more real than a dream (Jolicoeur-Martineau 2019, arXiv:1807.00734)."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(real - fake).mean()


def gradient_penalty(
    critic: Critic, real: Tensor, fake: Tensor, condition: Tensor | None, generator: torch.Generator
) -> Tensor:
    """Of slopes other than 1 between real photos and dreams (Gulrajani et al. 2017, arXiv:1704.00028)."""
    share = torch.rand(len(real), 1, 1, 1, device=real.device, generator=generator)
    between = torch.lerp(fake, real, share).detach().requires_grad_()
    return (_slopes(critic(between, condition), between).sqrt() - 1).square().mean()


def zero_centred_penalty(logits: Tensor, photos: Tensor) -> Tensor:
    """R1 of real photos, R2 of dreams: mean squared length of the gradient (Mescheder et al. 2018,
    arXiv:1801.04406); `photos` require gradients, and `logits` (n,) are the critic's of them."""
    return _slopes(logits, photos).mean()


def _slopes(logits: Tensor, photos: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(logits.sum(), photos, create_graph=True)
    return gradient.float().flatten(1).square().sum(dim=1)


def save_generator(directory: Path | str, generator: Generator, metrics: dict[str, Any], **more: Any) -> None:
    """Write weights (float16), config.json (with `more`) and metrics.json; on a full disk (OSError) those
    before stay."""
    weights = write_tensors(
        {name: checkpoint.stored(value) for name, value in generator.state_dict().items()}
    )
    digest = hashlib.sha256(weights).hexdigest()
    config = {"generator": asdict(generator.config), "weights_sha256": digest, **more}
    told = {CONFIG: json.dumps(config, indent=2), METRICS: json.dumps(metrics, indent=2, allow_nan=False)}
    files = {name: f"{text}\n".encode() for name, text in told.items()}
    checkpoint.replace(Path(directory), {WEIGHTS: weights, **files})


def load_generator(directory: Path | str) -> Generator:
    """The generator of a checkpoint folder, in evaluation mode, float32, on the CPU.

    Raises CheckpointRefused for missing, truncated, altered or foreign files: the message says which and why.
    """
    folder = Path(directory)
    tensors, config, _ = checkpoint.contents(folder)
    generator = _told_of(folder, config)
    try:
        generator.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointRefused(
            f"{folder}: weights of another shape than {CONFIG} tells ({reason})"
        ) from error
    return generator.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _told_of(folder: Path, config: dict[str, Any]) -> Generator:
    try:
        return Generator(GanConfig(**config["generator"]))
    except KeyError as error:
        raise CheckpointRefused(
            f"{folder / CONFIG}: tells of no generator; expected a folder of ml.train_gan"
        ) from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise CheckpointRefused(f"{folder / CONFIG}: not an architecture of a generator ({error})") from error
