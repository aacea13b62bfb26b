"""DeepDress and what trains it: plain PyTorch, no Django, no database."""
