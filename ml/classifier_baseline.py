"""The usual design as a baseline: a class for each dress, and one for what is no dress.

Trained by python -m ml.train_embedder --loss classifier, on the same photos as DeepDress, from the same
weights or backbone if wanted. It cannot name a dress that it was not trained on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors
from torch import Tensor, nn

from ml import checkpoint
from ml.checkpoint import CheckpointRefused
from ml.embedder import Embedder
from ml.photos import Photo, normalise, read_square, to_batch

CLASSIFIER = "classifier"
WEIGHTS, CONFIG = "classifier.safetensors", "classifier.json"


class ClassHead(nn.Module):
    """Features -> scores of each dress, and at last of no dress."""

    def __init__(self, features: int, dresses: int) -> None:
        super().__init__()
        self.scores = nn.Linear(features, dresses + 1)

    def forward(self, features: Tensor, classes: Tensor) -> Tensor:
        """The cross-entropy of classes (n,), where a negative one is no dress."""
        scores = self.scores(features).float()
        return F.cross_entropy(scores, classes.where(classes >= 0, scores.shape[1] - 1))


class Classifier:
    """A trained one."""

    def __init__(
        self, network: Embedder, head: ClassHead, dresses: Sequence[str], device: torch.device
    ) -> None:
        self.network, self.head = network.to(device).eval(), head.to(device).eval()
        self.dresses, self.device = list(dresses), device

    @torch.inference_mode()
    def probabilities(self, photos: Iterable[Photo], batch_size: int = 64) -> npt.NDArray[np.float32]:
        """(n, dresses + 1), that of no dress at last. Raises ml.photos.UnreadablePhoto."""
        squares = (read_square(photo, self.network.config.input_size) for photo in photos)
        found = [np.empty((0, len(self.dresses) + 1), np.float32)]
        while batch := list(islice(squares, batch_size)):
            features = self.network.look(normalise(to_batch(batch).to(self.device)))
            found.append(self.head.scores(features).softmax(dim=1).cpu().numpy())
        return np.concatenate(found)


def save(
    folder: Path, network: Embedder, head: ClassHead, dresses: Sequence[str], metrics: dict[str, Any]
) -> None:
    """Write network and head, in one file as it is no checkpoint of DeepDress."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"head.{name}": value for name, value in head.state_dict().items()}
    weights = write_tensors({name: value.cpu().contiguous() for name, value in tensors.items()})
    told = {"architecture": asdict(network.config), "dresses": list(dresses), "metrics": metrics}
    told["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    checkpoint.replace(folder, {WEIGHTS: weights, CONFIG: json.dumps(told, indent=2).encode()})


def load(folder: Path, device: torch.device) -> Classifier:
    """Raises CheckpointRefused."""
    try:
        weights, told = (folder / WEIGHTS).read_bytes(), json.loads((folder / CONFIG).read_bytes())
        if hashlib.sha256(weights).hexdigest() != told["weights_sha256"]:
            raise CheckpointRefused(f"{folder / WEIGHTS}: truncated or altered")
        network = checkpoint.network(folder / CONFIG, told)
        head = ClassHead(network.features, len(told["dresses"]))
        tensors = read_tensors(weights)
        for part, module in (("network.", network), ("head.", head)):
            module.load_state_dict(checkpoint.part(tensors, part))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        if isinstance(error, CheckpointRefused):
            raise
        raise CheckpointRefused(f"{folder}: no classifier that can be used ({error})") from error
    return Classifier(network, head, told["dresses"], device)
