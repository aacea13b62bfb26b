"""DeepDress's network: a photo in, a unit vector and a not-a-dress logit out.

It compares photos and classifies none: a dress it never saw in training is named by its catalogue photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class EmbedderConfig:
    """Everything that decides the shapes of the weights, and the input they expect."""

    input_size: int = 112  # pixels, square
    stem: int = 32  # channels after the first convolution
    widths: tuple[int, ...] = (32, 64, 160, 192)  # channels of each stage
    blocks: tuple[int, ...] = (1, 2, 3, 3)  # residual blocks in each stage
    strides: tuple[int, ...] = (1, 2, 2, 1)  # by which each stage divides the resolution
    pooled: int = 3  # last stages that are looked at: prints are found in an early one, shapes in the last
    heads: int = 4  # places the pooling of each can look at
    dimensions: int = 128  # of the vector
    # Whether a photo in use is also looked at in the mirror, and both answers are averaged: twice the work,
    # for two of a hundred photos that are named rightly and were not.
    mirrored: bool = False
    backbone: dict[str, Any] | None = None  # another body in the place of stem and stages: ml.backbones


SIZES = {
    "tiny": EmbedderConfig(
        input_size=32, stem=8, widths=(8, 16), blocks=(1, 1), strides=(1, 2), pooled=2, heads=2
    ),
    "small": EmbedderConfig(mirrored=True),
    "base": EmbedderConfig(
        input_size=192, stem=64, widths=(96, 192, 384, 512), blocks=(2, 3, 4, 2), heads=8, mirrored=True
    ),
}


def size(name: str) -> EmbedderConfig:
    """The configuration called `tiny` (tests), `small` (shipped, for a CPU) or `base` (for a GPU)."""
    if name not in SIZES:
        raise ValueError(f"no network of size {name!r}; expected one of {', '.join(SIZES)}")
    return SIZES[name]


class Block(nn.Module):
    """Two 3x3 convolutions and a way around them (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.around: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.around = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(x)), inplace=True)
        return F.relu(self.second_norm(self.second(y)) + self.around(x), inplace=True)


class AttentionPool(nn.Module):
    """Each head averages the map where it finds the dress, and not over the street around it."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.where = nn.Conv2d(channels, heads, 1)

    def forward(self, x: Tensor) -> Tensor:  # (n, c, h, w) -> (n, heads * c)
        attention = self.where(x).flatten(2).softmax(dim=2)  # (n, heads, h * w)
        return torch.einsum("nkp,ncp->nkc", attention, x.flatten(2)).flatten(1)


class Embedder(nn.Module):
    """(n, 3, s, s) normalised photos -> (n, dimensions) unit vectors and (n,) not-a-dress logits."""

    def __init__(self, config: EmbedderConfig) -> None:
        super().__init__()
        self.config = config
        self._build(config)
        looked_at = config.widths[-config.pooled :]
        self.pools = nn.ModuleList(AttentionPool(width, config.heads) for width in looked_at)
        self.features = config.heads * sum(looked_at)
        self.vector = nn.Sequential(
            nn.Linear(self.features, config.dimensions, bias=False), nn.BatchNorm1d(config.dimensions)
        )
        self.not_a_dress = nn.Linear(self.features, 1)

    def _build(self, config: EmbedderConfig) -> None:
        """The body, which gives maps."""
        self.stem = nn.Sequential(
            nn.Conv2d(3, config.stem, 5, 2, 2, bias=False),  # s / 2
            nn.BatchNorm2d(config.stem),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),  # s / 4
        )
        self.stages = nn.ModuleList(_stages(config))  # the last (n, widths[-1], s / 16, s / 16)

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        return self.read(self.look(photos))

    def look(self, photos: Tensor) -> Tensor:
        """(n, 3, s, s) normalised photos -> (n, features)."""
        looked_at = zip(self.pools, self.maps(photos)[-len(self.pools) :], strict=True)
        return torch.cat([pool(found) for pool, found in looked_at], dim=1)

    def maps(self, photos: Tensor) -> list[Tensor]:
        """What the body finds: (n, c, h, w) of each stage."""
        found, maps = self.stem(photos), []
        for stage in self.stages:
            found = stage(found)
            maps.append(found)
        return maps

    def parts(self) -> list[nn.Module]:
        """The body's parts from the photo on, which can be frozen."""
        return [self.stem, *self.stages]

    def body_parameters(self) -> list[nn.Parameter]:
        """All below the pooling."""
        heads = (self.pools, self.vector, self.not_a_dress)
        above = {id(each) for head in heads for each in head.parameters()}
        return [each for each in self.parameters() if id(each) not in above]

    def freeze(self, count: int) -> None:
        """Keep the first `count` parts as they are, the statistics of their batch norms too."""
        for place, part in enumerate(self.parts()):
            part.requires_grad_(place >= count)
            if place < count:
                part.eval()

    def read(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(n, features) -> (n, dimensions) unit vectors and (n,) not-a-dress logits."""
        vectors = F.normalize(self.vector(features).float(), dim=1)
        return vectors, self.not_a_dress(features).float().squeeze(1)


def _stages(config: EmbedderConfig) -> list[nn.Sequential]:
    stages, channels = [], config.stem
    for width, count, stride in zip(config.widths, config.blocks, config.strides, strict=True):
        blocks = [
            Block(width if place else channels, width, 1 if place else stride) for place in range(count)
        ]
        stages.append(nn.Sequential(*blocks))
        channels = width
    return stages
