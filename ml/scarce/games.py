"""Methods with a generator: does the judge, who learns from fakes too, judge better?"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ml.gan import GanConfig, Generator
from ml.gan_augmentation import augment
from ml.photos import MEAN, SPREAD, Pixels, normalise
from ml.scarce.learner import STRONG, Learner, Task, half_bits, statistics_kept
from ml.scarce.transfer import begun_as_deepdress

REAL = DREAMT = 32  # photos in a step
MATCHED = 64  # dreams in a generator's step
GENERATOR_RATE, BETAS = 3e-4, (0.5, 0.999)
SHARE = 0.5  # of photos that are augmented, real ones and dreams
GAMES = 0.6  # of the time that the generator takes, where a judge is to learn from its photos afterwards
GENERATED = 32  # such photos in a step
TRUST = 0.5  # what one of them weighs


class Judge(Learner):
    """The critic tells the classes apart, and the generator's photos as one more.

    Salimans et al. 2016 (arXiv:1606.03498): the photo is real by the odds sum(exp(logits)), the extra class's
    logit is 0, and the generator matches the mean features of real photos. The critic is the network that
    all methods have, unless another is given.
    """

    def __init__(self, task: Task, classes: int = 0, network: nn.Module | None = None) -> None:
        super().__init__(task, network)
        kind = "class" if classes else "none"
        config = GanConfig(task.photos.shape[1], "conv", width=32, condition=kind, classes=classes)
        self.generator = Generator(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.playing = torch.optim.Adam(self.generator.parameters(), GENERATOR_RATE, BETAS)

    def step(self, progress: float) -> None:
        self.judge(progress)
        self.play()

    def judge(self, progress: float) -> None:
        """The critic's step."""
        photos, labels = self.labelled(STRONG)
        loss = F.cross_entropy(self.logits(photos), labels)
        loss = loss + F.softplus(-odds(self.logits(self.real(REAL)))).mean()
        with torch.no_grad():
            dreams, _ = self.dreams(DREAMT)
        with statistics_kept(self.network):
            loss = loss + F.softplus(odds(self.logits(self.shown(dreams)))).mean()
        self.descend(loss, progress)

    def play(self) -> None:
        """The generator's step."""
        dreams, asked = self.dreams(MATCHED)
        with statistics_kept(self.network), half_bits():
            with torch.no_grad():
                wanted = self.network.look(self.real(MATCHED)).float().mean(dim=0)
            found = self.network.look(self.shown(dreams)).float()
            loss = (found.mean(dim=0) - wanted).square().sum()
            if asked is not None:
                loss = loss + F.cross_entropy(self.network.head(found), asked)
        self.playing.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.generator.parameters(), 5.0)
        self.playing.step()

    def real(self, count: int) -> Tensor:
        """Unlabelled photos, augmented as the dreams are."""
        return self.shown(self.views(self.unlabelled(count), 0) * SPREAD * 2 + 2 * MEAN - 1)

    def dreams(self, count: int) -> tuple[Tensor, Tensor | None]:
        """Photos in -1..1, and of which class each shall be, where the generator can be asked."""
        noise = torch.randn(count, self.generator.config.noise, generator=self.random)
        asked = self.some(count, self.task.classes) if self.generator.config.told else None
        with half_bits():
            photos: Tensor = self.generator(noise, asked)
        if self.task.grey:
            photos = photos.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
        return photos, asked

    def shown(self, photos: Tensor) -> Tensor:
        """-1..1 -> as the network takes them, augmented so that gradients pass."""
        return normalise((augment(photos, SHARE, self.random) + 1) / 2)


class TransferJudge(Judge):
    """The critic begins as DeepDress, its first layers frozen. The network is another, larger one."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, network=begun_as_deepdress(task))


def odds(logits: Tensor) -> Tensor:
    """(n, k) -> (n,) log odds that a photo is real."""
    return logits.logsumexp(dim=1)


class Generated:
    """A generator learns to dream each class; then a new network learns from labelled photos and dreams."""

    def __init__(self, task: Task) -> None:
        self.game = Judge(task, task.classes)
        self.learner = Learner(task)

    @property
    def steps(self) -> int:
        return self.game.steps + self.learner.steps

    def step(self, progress: float) -> None:
        if progress < GAMES:
            self.game.step(progress / GAMES)
            return
        photos, labels = self.learner.labelled(STRONG)
        with torch.no_grad():
            dreams, asked = self.game.dreams(GENERATED)
            dreams = normalise((dreams + 1) / 2)
        logits = self.learner.logits(torch.cat([photos, dreams]))
        loss = F.cross_entropy(logits[: len(photos)], labels)
        if asked is not None:
            loss = loss + TRUST * F.cross_entropy(logits[len(photos) :], asked)
        self.learner.descend(loss, (progress - GAMES) / (1 - GAMES))

    def probabilities(self, photos: Pixels) -> Tensor:
        """(n, side, side, 1 or 3) -> (n, classes): while the game is on, its judge's."""
        return (self.learner if self.learner.steps else self.game).probabilities(photos)
