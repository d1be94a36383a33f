"""Features that a user gives as tensors, read without running anything of theirs."""

import json
import pickle
import struct
from pathlib import Path

_HEADER = 100 * 2**20  # bytes; a larger header is none


def torch_shape(path: Path) -> tuple[int, ...] | str:
    """The shape of the tensor of finite numbers in a .pt file; or what is wrong with it."""
    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        return f"does not read ({type(error).__name__})"
    if not isinstance(held, torch.Tensor):
        return f"holds {type(held).__name__}, no tensor"
    return tuple(held.shape) if bool(torch.isfinite(held.float()).all()) else "holds what is no finite number"


def safetensors_shape(path: Path, key: str) -> tuple[int, ...] | str:
    """The shape of a tensor of a .safetensors file, by its header: 8 bytes of length, then JSON; or what is wrong with
    it.
    """
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _HEADER:
                return "does not read (its header is too long)"
            header = json.loads(stream.read(length))
            begin, end = header[key]["data_offsets"]
            stream.seek(0, 2)
            if stream.tell() < 8 + length + end or begin > end:
                return "is cut off"
            return tuple(int(side) for side in header[key]["shape"])
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        return f"holds no tensor {key} ({type(error).__name__})"
