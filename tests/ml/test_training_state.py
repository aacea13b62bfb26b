"""What a broken training left on disk, and what of it is refused."""

from pathlib import Path

import pytest
import torch
from torch import nn

from ml.training_state import State, StateRefused, resume, save


def test_a_state_of_another_shape_is_refused_in_a_line(tmp_path: Path) -> None:
    nets = nn.Linear(3, 2), nn.Linear(3, 4)
    optimisers = [torch.optim.Adam(net.parameters()) for net in nets]
    save(tmp_path, nets[0], optimisers[0], State(steps=7), {"seed": 1})
    assert resume(tmp_path, nets[0], optimisers[0], {"seed": 1}).steps == 7
    with pytest.raises(
        StateRefused, match=r"training\.safetensors: of a network of another shape; --restart"
    ):
        resume(tmp_path, nets[1], optimisers[1], {"seed": 1})
