"""The network while it learns, with what it needs for that alone and leaves behind."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ml.classifier_baseline import CLASSIFIER, ClassHead
from ml.embedder import Embedder
from ml.losses import attribute_loss, metric_loss, not_a_dress_loss
from ml.training_options import Options
from ml.training_set import TrainingSet


class Learner(nn.Module):
    """The network, the metric loss and a classifier of each known attribute (auxiliary tasks).

    To say from the same features that a sleeve is puffed and a hem scalloped teaches where to look, long
    before pairs of photos do.
    """

    def __init__(self, network: Embedder, data: TrainingSet, dresses: int, chosen: Options) -> None:
        super().__init__()
        self.network = network
        if chosen.loss == CLASSIFIER:
            self.metric: nn.Module = ClassHead(network.features, dresses)
        else:
            self.metric = metric_loss(chosen.loss, dresses, network.config.dimensions)
        self.values = [len(values) for values in data.vocabulary.values()]
        self.attributes = nn.Linear(network.features, sum(self.values)) if self.values else nn.Identity()
        self.weight = chosen.attributes

    def forward(self, photos: Tensor, classes: Tensor, pairs: int, attributes: Tensor) -> dict[str, Tensor]:
        """The losses of a batch as ml.batches.Batch lays it out: (n, 3, s, s), (n,) and (n, a)."""
        features = self.network.look(photos)
        if isinstance(self.metric, ClassHead):
            return {"classifier": self.metric(features, classes)}
        vectors, logits = self.network.read(features)
        catalogue, others = slice(pairs), slice(pairs, 2 * pairs)
        losses = {
            "metric": self.metric(vectors[catalogue], vectors[others], classes[catalogue], classes[others]),
            "not_a_dress": not_a_dress_loss(logits, classes),
        }
        if self.values and self.weight:
            values = self.attributes(features).float().split(self.values, dim=1)
            losses["attributes"] = self.weight * attribute_loss(values, attributes)
        return losses

    def parameter_groups(self, rate: float, body_rate: float | None = None) -> list[dict[str, object]]:
        """The network and classifiers at `rate`, the body by the factor `body_rate` slower, if there is one.

        Proxies, which few batches concern, learn ten times as fast.
        """
        slow = [] if body_rate is None else self.network.body_parameters()
        apart = {id(each) for each in slow}
        quick = [each for each in self.network.parameters() if id(each) not in apart]
        groups: list[dict[str, object]] = [{"params": [*quick, *self.attributes.parameters()], "rate": rate}]
        if body_rate is not None:
            groups.append({"params": slow, "rate": rate * body_rate})
        if isinstance(self.metric, ClassHead):
            groups.append({"params": list(self.metric.parameters()), "rate": rate})
        elif proxies := list(self.metric.parameters()):
            groups.append({"params": proxies, "rate": 10 * rate})
        return groups


def precision(name: str, device: torch.device) -> torch.dtype:
    """In which matrices are multiplied: bfloat16 where the processor has instructions for it, unless told."""
    if name != "auto":
        return torch.float32 if name == "float32" else torch.bfloat16
    if device.type == "cpu":
        able = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    else:
        able = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if able else torch.float32
