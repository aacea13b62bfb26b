"""A generator of the smallest size with random weights: real files, real torch, no training."""

from pathlib import Path

import torch

from ml.gan import GanConfig, Generator, save_generator

SIZE = 32


def write_tiny_dreamer(folder: Path, seed: int = 1, condition: str = "embedding", **more: str) -> Path:
    torch.manual_seed(seed)
    config = GanConfig(size=SIZE, noise=8, width=4, condition=condition, classes=3)
    generator = Generator(config).eval()
    for layer in (generator.body[0], generator.body[-1]):
        layer.weight.data.mul_(6)  # or all its dreams would be grey
    save_generator(folder, generator, {"steps": 0}, **more)
    return folder
