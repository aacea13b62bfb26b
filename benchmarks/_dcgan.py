"""DCGAN written plainly in PyTorch, as its paper and PyTorch's own example have it (arXiv:1511.06434)."""

import torch
from torch import Tensor, nn

NOISE, WIDTH, SIZE = 100, 64, 64


class Plain:
    """Both nets at 64 pixels, their optimisers, and one iteration of both."""

    def __init__(self) -> None:
        self.generator, self.critic = _generator().apply(_begin), _critic().apply(_begin)
        self.loss = nn.BCELoss()
        self.of_generator = torch.optim.Adam(self.generator.parameters(), 2e-4, (0.5, 0.999))
        self.of_critic = torch.optim.Adam(self.critic.parameters(), 2e-4, (0.5, 0.999))

    def iteration(self, photos: Tensor) -> None:
        """Photos (n, 3, 64, 64) in -1..1."""
        right, wrong = torch.ones(len(photos)), torch.zeros(len(photos))
        self.critic.zero_grad()
        self.loss(self.critic(photos).flatten(), right).backward()
        fake = self.generator(torch.randn(len(photos), NOISE, 1, 1))
        self.loss(self.critic(fake.detach()).flatten(), wrong).backward()
        self.of_critic.step()
        self.generator.zero_grad()
        self.loss(self.critic(fake).flatten(), right).backward()
        self.of_generator.step()


def _generator() -> nn.Module:
    w = WIDTH
    layers: list[nn.Module] = [
        *(nn.ConvTranspose2d(NOISE, 8 * w, 4, 1, 0, bias=False), nn.BatchNorm2d(8 * w), nn.ReLU(True)),
        *(nn.ConvTranspose2d(8 * w, 4 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(4 * w), nn.ReLU(True)),
        *(nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * w), nn.ReLU(True)),
        *(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU(True)),
        *(nn.ConvTranspose2d(w, 3, 4, 2, 1, bias=False), nn.Tanh()),
    ]
    return nn.Sequential(*layers)


def _critic() -> nn.Module:
    w = WIDTH
    layers: list[nn.Module] = [
        *(nn.Conv2d(3, w, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * w), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(2 * w, 4 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(4 * w), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(4 * w, 8 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(8 * w), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(8 * w, 1, 4, 1, 0, bias=False), nn.Sigmoid()),
    ]
    return nn.Sequential(*layers)


def _begin(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
