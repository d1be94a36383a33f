"""Weights of a seed for a network, the same whatever drew them: by NumPy, in the order of the names."""

import numpy as np
import torch
from torch import Tensor, nn


def seeded_state(network: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """A state dict that fits the network, of values that stay of one size from layer to layer."""
    numbers = np.random.default_rng(seed)
    made: dict[str, Tensor] = {}
    for name, value in sorted(network.state_dict().items()):
        size = tuple(value.shape)
        if name.endswith("num_batches_tracked"):
            made[name] = torch.zeros((), dtype=torch.int64)
            continue
        if name.endswith("running_var"):
            drawn = numbers.uniform(0.5, 1.5, size)
        elif value.ndim == 1:
            drawn = numbers.normal(1.0 if name.endswith(".weight") else 0.0, 0.1, size)
        else:
            drawn = numbers.normal(0, np.sqrt(2 / np.prod(size[1:])), size)
        made[name] = torch.from_numpy(np.asarray(drawn, np.float32))
    return made
