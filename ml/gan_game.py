"""One game of generator and critic: who learns how, and what a turn of each is."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ml import gan
from ml.gan import Critic, GanConfig, Generator
from ml.gan_augmentation import augment
from ml.processes import ALONE, Processes

AFAR = 4  # pixels, which are one there
Batch = tuple[Tensor, Tensor | None]  # photos (n, 3, s, s) in -1..1, and what they are
Figures = dict[str, Tensor]


@dataclass(frozen=True)
class Recipe:
    """How the two learn. Raises ValueError for penalties that cannot be."""

    loss: str  # dcgan, wgan or relativistic
    network: str
    critic_norm: str
    rate: float
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 64
    critics: int = 1  # turns of the critic to one of the generator
    clip: float = 0.0  # of the critic's weights
    slope: float = 0.0  # weight of the penalty on slopes other than 1
    gamma: float = 0.0  # of the zero-centred penalties on both sides; half of it weighs each
    penalised: float = 1.0  # share of a batch that those look at, to cost less; they do
    lazily: int = 1  # at each so many-th step, weighing so many times as much (arXiv:1912.04958)
    smooth: bool = False  # conv nets begin as in gan.begin_smoothly, not as DCGAN's
    # Weight of how far dreams asked for by the vector of a photo are from it, seen from afar: what is asked
    # for is known, and a critic teaches it slowly.
    likeness: float = 0.0
    augmentation: float = 0.0  # share of photos
    decay: bool = False  # of the rate: from a third of the training on, down to a tenth

    def __post_init__(self) -> None:
        if self.gamma and self.slope:
            raise ValueError(f"gamma {self.gamma:g}: the recipe penalises slopes, and has no other penalty")
        if (self.gamma or self.slope) and (self.critic_norm, self.network) == ("batch", "conv"):
            raise ValueError(
                f"gamma {self.gamma:g}: no penalty on each photo's gradient goes through the batch norms of "
                "the recipe's critic; a resnet has none"
            )

    def rate_at(self, progress: float) -> float:
        """Part of the highest rate, `progress` in 0..1."""
        return max(0.1, min(1.0, 1.5 * (1 - progress))) if self.decay else 1.0


RECIPES = {
    # Radford et al. 2016, arXiv:1511.06434
    "dcgan": Recipe("dcgan", "conv", "batch", 2e-4),
    # Arjovsky et al. 2017, arXiv:1701.07875
    "wgan": Recipe("wgan", "conv", "batch", 5e-5, critics=5, clip=0.01),
    # Gulrajani et al. 2017, arXiv:1704.00028
    "wgan-gp": Recipe("wgan", "conv", "layer", 1e-4, (0.0, 0.9), critics=5, slope=10.0),
    # Huang et al. 2024, arXiv:2501.05441, with DCGAN's nets, whose pictures were better after
    # the same time.
    "modern": Recipe(
        *("relativistic", "conv", "none", 5e-4, (0.5, 0.99)),
        batch=32,
        gamma=0.05,
        penalised=0.25,
        lazily=8,
        smooth=True,
        likeness=5.0,
    ),
}


class Game:
    """Generator, critic and the generator's moving average, which is what dreams in the end."""

    def __init__(
        self,
        config: GanConfig,
        recipe: Recipe,
        device: torch.device,
        *,
        dtype: torch.dtype = torch.float32,
        average: float = 0.995,
        processes: Processes = ALONE,
    ) -> None:
        self.config, self.recipe, self.device, self.processes = config, recipe, device, processes
        self.dtype, self.average = dtype, average
        self.generator, self.critic = Generator(config).to(device), Critic(config).to(device)
        if recipe.smooth and config.network == "conv":
            gan.begin_smoothly(self.generator, self.critic)
        for net in (self.generator, self.critic):
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = deepcopy(self.generator).eval().requires_grad_(False)
        self.optimisers = {
            "generator": _optimiser(self.generator, recipe, device),
            "critic": _optimiser(self.critic, recipe, device),
        }

    def nets(self) -> nn.ModuleDict:
        """All that is learnt."""
        return nn.ModuleDict({"generator": self.generator, "critic": self.critic, "averaged": self.averaged})

    def play(
        self,
        batches: Sequence[Batch],
        rng: torch.Generator,
        progress: float = 0.0,
        steps: int = 1_000_000,
    ) -> Figures:
        """A turn of the critic on each batch, then one of the generator, on the last one's dreams; returns
        what there is to log, over all processes. `steps` were played before."""
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = self.recipe.rate * self.recipe.rate_at(progress)
        for photos, condition in batches[:-1]:
            self._critics_turn(photos, condition, rng, steps, differentiable=False)
        photos, condition = batches[-1]
        fake, real_logits, found = self._critics_turn(photos, condition, rng, steps)
        found |= self._generators_turn(fake, photos, condition, real_logits, rng)
        self._follow(steps)
        return {name: self.processes.mean(value.detach().float()) for name, value in found.items()}

    def _critics_turn(
        self,
        photos: Tensor,
        condition: Tensor | None,
        rng: torch.Generator,
        steps: int,
        *,
        differentiable: bool = True,
    ) -> tuple[Tensor, Tensor, Figures]:
        """The dreams, with the generator's graph, for its own turn; the logits of the photos; figures."""
        recipe = self.recipe
        noise = torch.randn(len(photos), self.config.noise, device=self.device, generator=rng)
        with self._precision():
            with torch.set_grad_enabled(differentiable):
                fake = self.generator(noise, condition)
            real = augment(photos, recipe.augmentation, rng)
            shown = augment(fake.detach(), recipe.augmentation, rng)
            real_logits, fake_logits = self._judged(real, shown, condition)
            adversarial = _critic_loss(recipe.loss, real_logits, fake_logits)
            penalty = self._penalty(real, shown, condition, rng, steps)
        (adversarial if penalty is None else adversarial + penalty).backward()  # type: ignore[no-untyped-call]
        norm = self._step("critic", self.critic)
        if recipe.clip:
            gan.clip_weights(self.critic, recipe.clip)
        figures = {
            "loss/critic": adversarial,
            "D(real)": real_logits.sigmoid().mean(),
            "D(fake)": fake_logits.sigmoid().mean(),
            # A dream and a photo side by side: one half when the critic can only guess.
            "fakes taken for real": (fake_logits > real_logits).float().mean(),
            "gradient norm/critic": norm,
        }
        if penalty is not None:
            figures["loss/penalty"] = penalty
        return fake, real_logits.detach(), figures

    def _judged(self, real: Tensor, fake: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """In one pass, unless the critic's batch norms would mix the statistics of both."""
        if self.config.critic_norm == "batch" and self.config.network == "conv":
            return self.critic(real, condition), self.critic(fake, condition)
        twice = None if condition is None else torch.cat([condition, condition])
        real_logits, fake_logits = self.critic(torch.cat([real, fake]), twice).chunk(2)
        return real_logits, fake_logits

    def _penalty(
        self, real: Tensor, fake: Tensor, condition: Tensor | None, rng: torch.Generator, steps: int
    ) -> Tensor | None:
        recipe = self.recipe
        if recipe.slope:
            return recipe.slope * gan.gradient_penalty(self.critic, real, fake, condition, rng)
        if not recipe.gamma or (steps + 1) % recipe.lazily:
            return None
        count = max(1, round(len(real) * recipe.penalised))
        places = torch.randperm(len(real), device=self.device, generator=rng)[:count]
        both = torch.cat([real[places], fake[places]]).requires_grad_()
        asked = None if condition is None else torch.cat([condition[places]] * 2)
        return recipe.lazily * recipe.gamma * gan.zero_centred_penalty(self.critic(both, asked), both)

    def _generators_turn(
        self,
        fake: Tensor,
        photos: Tensor,
        condition: Tensor | None,
        real_logits: Tensor,
        rng: torch.Generator,
    ) -> Figures:
        """The photos' logits are from before the critic's step, which moves them little: a pass saved."""
        self.critic.requires_grad_(False)
        with self._precision():
            fake_logits = self.critic(augment(fake, self.recipe.augmentation, rng), condition)
            loss = _generator_loss(self.recipe.loss, real_logits, fake_logits)
            unlike = self._unlikeness(fake, photos, condition)
        (loss if unlike is None else loss + unlike).backward()  # type: ignore[no-untyped-call]
        self.critic.requires_grad_(True)
        found = {"loss/generator": loss, "gradient norm/generator": self._step("generator", self.generator)}
        return found if unlike is None else {**found, "loss/likeness": unlike}

    def _unlikeness(self, fake: Tensor, photos: Tensor, condition: Tensor | None) -> Tensor | None:
        if not self.recipe.likeness or self.config.condition != "embedding" or condition is None:
            return None
        asked = condition.any(dim=1).float()
        apart = F.avg_pool2d(fake - photos, AFAR).abs().mean(dim=(1, 2, 3))
        return self.recipe.likeness * (apart * asked).sum() / asked.sum().clamp(min=1)

    def _step(self, name: str, net: nn.Module) -> Tensor:
        """One of the optimiser's; returns the gradient's length."""
        self.processes.average_gradients(net)
        norm = nn.utils.get_total_norm([each.grad for each in net.parameters() if each.grad is not None])
        self.optimisers[name].step()
        self.optimisers[name].zero_grad(set_to_none=True)
        return norm

    @torch.no_grad()
    def _follow(self, steps: int) -> None:
        """Young averages follow faster: most of what they hold is noise."""
        weight = 1 - min(self.average, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(list(self.averaged.parameters()), list(self.generator.parameters()), weight)
        for mine, theirs in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            mine.copy_(theirs)

    def _precision(self) -> Any:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def _critic_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    losses = {"dcgan": gan.dcgan_critic, "wgan": gan.wgan_critic, "relativistic": gan.relativistic_critic}
    return losses[name](real, fake)


def _generator_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    if name == "relativistic":
        return gan.relativistic_generator(real, fake)
    return gan.wgan_generator(fake) if name == "wgan" else gan.dcgan_generator(fake)


def _optimiser(net: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    if recipe.clip:  # momentum made WGAN's training unstable, says its paper
        return torch.optim.RMSprop(net.parameters(), recipe.rate)
    return torch.optim.Adam(net.parameters(), recipe.rate, recipe.betas, fused=device.type != "mps")
