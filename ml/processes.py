"""Several processes that train one network, a part of each batch in each: what torchrun starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

# Others wait while the first one decodes photos; if it dies, torchrun ends them.
PATIENCE = timedelta(days=1)


@dataclass(frozen=True)
class Processes:
    """Which of how many this one is; of one alone, everything here is free of cost."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            distributed.barrier()

    def mean(self, value: Tensor) -> Tensor:
        """Over all processes; not a number if one of them has none."""
        if self.count == 1:
            return value
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total / self.count

    def agreed(self, value: Tensor, device: torch.device) -> Tensor:
        """The first process's value, of the same shape and type everywhere."""
        if self.count == 1:
            return value
        there = value.to(device)
        distributed.broadcast(there, 0)
        return there.to(value.device)

    def average_gradients(self, module: nn.Module) -> None:
        """For losses with gradients of gradients, which `together` does not know."""
        if self.count == 1:
            return
        for parameter in module.parameters():
            if parameter.grad is not None:
                distributed.all_reduce(parameter.grad)
                parameter.grad /= self.count

    def together(self, module: nn.Module, device: torch.device) -> nn.Module:
        """The module, its gradients averaged over all processes."""
        if self.count == 1:
            return module
        # Attributes of which a process's part of the batch knows none leave parameters without a gradient.
        ids = [device] if device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=ids, find_unused_parameters=True)


ALONE = Processes()


def device_of_its_own(device: torch.device) -> torch.device:
    """Each process its own GPU."""
    if device.type == "cuda" and (place := os.environ.get("LOCAL_RANK")):
        device = torch.device("cuda", int(place))
        torch.cuda.set_device(device)
    return device


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """The processes that torchrun started, or this one alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    ours = not distributed.is_initialized()
    if ours:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        if ours:
            distributed.destroy_process_group()
