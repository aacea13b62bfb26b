"""DeepDress and what trains it: plain PyTorch, no Django, no database."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`ml.DeepDress`, imported when somebody asks: what needs vectors alone goes without torch."""
    if name == "DeepDress":
        from ml.deepdress import DeepDress

        return DeepDress
    raise AttributeError(f"module 'ml' has no attribute {name!r}")
