"""Every loss rewards photos beside their own dress's, and what is not known is not learnt from."""

import pytest
import torch

from ml.losses import METRIC_LOSSES, attribute_loss, metric_loss, not_a_dress_loss
from ml.training_set import NO_DRESS, UNKNOWN


@pytest.mark.parametrize("name", METRIC_LOSSES)
def test_photos_beside_their_catalogue_photo_are_rewarded(name: str) -> None:
    torch.manual_seed(0)
    catalogue, dresses = torch.eye(8)[:3], torch.tensor([2, 0, 1])
    loss = metric_loss(name, dresses=3, dimensions=8)
    for proxies in loss.parameters():  # where they have learnt to be
        proxies.data.copy_(catalogue[[1, 2, 0]] if len(proxies) == 3 else catalogue[[1, 2, 0]].T)
    right = loss(catalogue, catalogue, dresses, dresses)
    assert right < loss(catalogue, catalogue[[1, 2, 0]], dresses, dresses)


def test_an_unknown_loss_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'hinge'.*ntxent, multi-similarity, proxy-anchor, arcface"):
        metric_loss("hinge", 3, 8)


def test_the_right_sign_of_not_a_dress_is_rewarded() -> None:
    classes = torch.tensor([0, 1, NO_DRESS])
    logits = torch.tensor([-4.0, -4.0, 4.0])
    assert not_a_dress_loss(logits, classes) < 0.1 < not_a_dress_loss(-logits, classes)


def test_unknown_attributes_are_not_learnt_from() -> None:
    logits = [torch.tensor([[9.0, 0], [0, 9]]), torch.tensor([[0.0, 9], [9, 0]])]
    nothing, first = torch.full((2, 2), UNKNOWN), torch.tensor([[0, UNKNOWN], [1, UNKNOWN]])
    assert attribute_loss(logits, nothing) == 0
    assert attribute_loss(logits, first) < attribute_loss(logits, torch.tensor([[1, UNKNOWN], [0, UNKNOWN]]))
    assert attribute_loss(logits, first) < attribute_loss(logits, torch.tensor([[0, 0], [1, 1]]))
