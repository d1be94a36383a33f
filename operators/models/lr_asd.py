"""LR-ASD and Light-ASD: is the face in these pictures the one that is heard?

Two networks of one family (Liao et al., "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", IJCV
2025; "A Light Weight Model for Active Speaker Detection", CVPR 2023) with their front end. An encoder looks at grey
mouth crops at 25 Hz, another listens to MFCCs at 100 Hz and pools them to 25 Hz, a recurrent layer runs over both. The
modules load the state dicts as published: every tensor is used, none is missing.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from operators.models.streamed_sight import DEVIATION, MEAN, StreamedSight

TICK_HZ = 25
WINDOWS_S = (1, 2, 3, 4, 5, 6)
REACH = 9  # ticks on each side that a tick's encoding depends on: three blocks with kernels of 5 and 3 along time

# Which axes of a feature map a kernel spans: (pitch, time) of the sound's, (time, height, width) of the picture's.
_PITCH, _SOUND_TIME = (1, 0), (0, 1)
_SPACE, _SIGHT_TIME = (0, 1, 1), (1, 0, 0)


class FlatConv3d(nn.Conv3d):
    """A 3-D convolution that spans only space or only time, computed as the 2-D one it amounts to: twice as fast on a
    CPU.
    """

    def forward(self, input: Tensor) -> Tensor:
        batch, channels, ticks, height, width = input.shape
        if self.kernel_size[0] == 1:
            pictures = input.transpose(1, 2).reshape(batch * ticks, channels, height, width)
            made = nn.functional.conv2d(pictures, self.weight[:, :, 0], None, self.stride[1:], self.padding[1:])  # pyright: ignore[reportArgumentType]
            return made.reshape(batch, ticks, *made.shape[1:]).transpose(1, 2)
        series = input.reshape(batch, channels, ticks, height * width)
        made = nn.functional.conv2d(series, self.weight[..., 0], None, 1, (int(self.padding[0]), 0))
        return made.reshape(batch, -1, ticks, height, width)


_CONVOLUTION: dict[int, Callable[..., nn.Module]] = {2: nn.Conv2d, 3: FlatConv3d}
_NORM: dict[int, Callable[..., nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def _layer(
    channels_in: int, channels_out: int, kernel: int, axes: tuple[int, ...], stride: int = 1
) -> tuple[nn.Module, nn.Module]:
    """A convolution along some axes that keeps their length at stride 1, and its batch norm."""
    size = tuple(kernel if axis else 1 for axis in axes)
    strides, padding = tuple(stride if axis else 1 for axis in axes), tuple(n // 2 for n in size)
    return _CONVOLUTION[len(axes)](channels_in, channels_out, size, strides, padding, bias=False), _NORM[len(axes)](
        channels_out, eps=1e-3
    )


class LowRankBlock(nn.Sequential):
    """Kernels of 5 and 3 across a moment, then of 5 and 3 along time: the block of LR-ASD."""

    def __init__(
        self, channels_in: int, channels_out: int, across: tuple[int, ...], along: tuple[int, ...], stride: int = 1
    ):
        super().__init__()
        moment = "s" if across == _SPACE else "m"
        half = channels_out // 2
        for name, layer in (
            ((moment, 1), _layer(channels_in, half, 5, across, stride)),
            ((moment, 2), _layer(half, channels_out, 3, across)),
            (("t", 1), _layer(channels_out, channels_out, 5, along)),
            (("t", 2), _layer(channels_out, channels_out, 3, along)),
        ):
            self.add_module("{}_{}".format(*name), layer[0])
            self.add_module("{}_norm_{}".format(*name), layer[1])
            self.add_module("{}_relu_{}".format(*name), nn.ReLU())


class TwoScaleBlock(nn.Module):
    """A path with kernels of 3 and one with kernels of 5, each across a moment and then along time, added and mixed:
    the block of Light-ASD.
    """

    def __init__(
        self, channels_in: int, channels_out: int, across: tuple[int, ...], along: tuple[int, ...], stride: int = 1
    ):
        super().__init__()
        self.moment = "s" if across == _SPACE else "m"
        for kernel in (3, 5):
            self._add(f"{self.moment}_{kernel}", _layer(channels_in, channels_out, kernel, across, stride))
            self._add(f"t_{kernel}", _layer(channels_out, channels_out, kernel, along))
        self._add("last", _layer(channels_out, channels_out, 1, along))

    def _add(self, name: str, layer: tuple[nn.Module, nn.Module]) -> None:
        self.add_module(name, layer[0])
        self.add_module(f"bn_{name}", layer[1])

    def _apply_layer(self, name: str, x: Tensor) -> Tensor:
        return torch.relu(self.get_submodule(f"bn_{name}")(self.get_submodule(name)(x)))

    def forward(self, x: Tensor) -> Tensor:
        paths = [self._apply_layer(f"t_{kernel}", self._apply_layer(f"{self.moment}_{kernel}", x)) for kernel in (3, 5)]
        return self._apply_layer("last", paths[0] + paths[1])


class Gate(nn.Module):
    """Weighs each channel of a moment by what all of them hold. (batch, time, channels) in and out."""

    def __init__(self, channels: int):
        super().__init__()
        self.attention = nn.Conv1d(channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm1d(channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        channels_first = x.transpose(1, 2)
        return (channels_first * torch.sigmoid(self.bn(self.attention(channels_first)))).transpose(1, 2)


class SpeakerNet(nn.Module):
    """What both networks share. A subclass says how its blocks look and how sight and sound are joined."""

    block: ClassVar[type[LowRankBlock] | type[TwoScaleBlock]]
    renamed: ClassVar[dict[str, str]] = {
        "model.visualEncoder.": "sight.",
        "model.audioEncoder.": "sound.",
        "lossAV.FC.": "head.",
        "lossV.FC.": "sight_head.",
    }

    def __init__(self):
        super().__init__()
        self.sight = nn.Sequential()
        self.sound = nn.Sequential()
        for n, (channels_in, channels_out) in enumerate([(1, 32), (32, 64), (64, 128)], start=1):
            if n > 1:
                self.sight.add_module(f"pool{n - 1}", nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))
                self.sound.add_module(f"pool{n - 1}", nn.MaxPool2d((1, 3), (1, 2), (0, 1)))
            self.sight.add_module(
                f"block{n}", self.block(channels_in, channels_out, _SPACE, _SIGHT_TIME, 2 if n == 1 else 1)
            )
            self.sound.add_module(f"block{n}", self.block(channels_in, channels_out, _PITCH, _SOUND_TIME))
        self.head = nn.Linear(128, 2)
        self.sight_head = nn.Linear(128, 2)  # trained to tell from the picture alone

    @classmethod
    def load(cls, path: Path) -> "SpeakerNet":
        """The network with published weights, on the GPU where there is one, ready to score.

        Raises:
            RuntimeError: where the file lacks a tensor, or has one too many.
        """
        net = cls()
        state = torch.load(path, map_location="cpu", weights_only=True)
        net.load_state_dict({cls._own_name(name): tensor for name, tensor in state.items()}, strict=True)
        return net.eval().requires_grad_(False).to("cuda" if torch.cuda.is_available() else "cpu")

    @classmethod
    def _own_name(cls, name: str) -> str:
        for published, own in cls.renamed.items():
            name = name.replace(published, own)
        return name

    def join(self, sight: Tensor, sound: Tensor) -> Tensor:
        """(batch, ticks, 128) of each, to what the head judges: (batch, ticks, 128)."""
        raise NotImplementedError

    def see(self, faces: Tensor) -> Tensor:
        """Grey crops (batch, ticks, 112, 112), 0 to 255, to (batch, ticks, 128)."""
        normal = (faces[:, None] / 255 - MEAN) / DEVIATION
        return self.sight(normal).amax((-2, -1)).transpose(1, 2)

    def hear(self, cepstra: Tensor) -> Tensor:
        """MFCCs (batch, 4 * ticks, 13) to (batch, ticks, 128)."""
        return self.sound(cepstra.transpose(1, 2)[:, None]).mean(2).transpose(1, 2)

    def judge(self, sight: Tensor, sound: Tensor) -> Tensor:
        """The score of every tick, (batch, ticks); above 0 where the face speaks what is heard."""
        return self.head(self.join(sight, sound))[..., 1]

    def forward(self, faces: Tensor, cepstra: Tensor) -> Tensor:
        return self.judge(self.see(faces), self.hear(cepstra))


class LrAsd(SpeakerNet):
    """LR-ASD, 0.84 million parameters."""

    block = LowRankBlock
    renamed: ClassVar[dict[str, str]] = {
        **SpeakerNet.renamed,
        "model.fusion.": "gate.",
        "model.detector.attention.": "detector_gate.",
        "model.detector.gru_forward.": "detector.",
        "model.detector.gru_backward.": "detector.",
    }

    def __init__(self):
        super().__init__()
        self.gate = Gate(256)
        self.detector = nn.GRU(256, 64, batch_first=True, bidirectional=True)
        self.detector_gate = Gate(128)

    @classmethod
    def _own_name(cls, name: str) -> str:
        return super()._own_name(name) + ("_reverse" if "gru_backward" in name else "")

    @cached_property
    def streamed(self) -> StreamedSight:
        return StreamedSight(self.sight)

    def join(self, sight: Tensor, sound: Tensor) -> Tensor:
        return self.detector_gate(self.detector(self.gate(torch.cat([sound, sight], dim=2)))[0])


class LightAsd(SpeakerNet):
    """Light-ASD, 1.0 million parameters."""

    block = TwoScaleBlock
    renamed: ClassVar[dict[str, str]] = {**SpeakerNet.renamed, "model.GRU.gru_": ""}

    def __init__(self):
        super().__init__()
        self.forward_ = nn.GRU(128, 128, batch_first=True)
        self.backward_ = nn.GRU(128, 128, batch_first=True)

    @classmethod
    def _own_name(cls, name: str) -> str:
        return super()._own_name(name).replace("forward.", "forward_.").replace("backward.", "backward_.")

    def join(self, sight: Tensor, sound: Tensor) -> Tensor:
        onward = nn.functional.gelu(self.forward_(sight + sound)[0])
        return nn.functional.gelu(self.backward_(onward.flip(1))[0].flip(1))


def score_ticks(
    net: SpeakerNet,
    faces: NDArray[np.uint8],
    cepstra: NDArray[np.float64],
    windows_s: Sequence[int] = WINDOWS_S,
    encode_once: bool = True,
) -> NDArray[np.float64]:
    """The scores of a face, averaged over windows of several lengths as the published inference does.

    Args:
        faces: (ticks, 112, 112) grey mouth crops at 25 Hz.
        cepstra: (4 * ticks, 13) MFCCs at 100 Hz of the same time.
        windows_s: sight and sound are cut into windows of each of these lengths, and each is scored on its own.
        encode_once: both are encoded before they are cut, so that only the recurrent layer runs once a length and a
            window's edge sees its neighbours. False is the published protocol, which encodes every window anew.

    Returns:
        (ticks,), above 0 where the face speaks what is heard.

    Raises:
        ValueError: where sound and sight are not of one length.
    """
    if len(cepstra) != 4 * len(faces):
        raise ValueError(f"{len(cepstra)} MFCC frames for {len(faces)} faces; there are four to a face")
    device = next(net.parameters()).device
    scores = np.zeros((len(windows_s), len(faces)))
    # TF32 would cost three digits; nothing else here depends on the device by more than rounding.
    with (
        torch.inference_mode(),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
    ):
        sight, sound = torch.from_numpy(faces), torch.from_numpy(cepstra).to(device, torch.float32)
        seen, heard = (see_all(net, sight), net.hear(sound[None])) if encode_once else (None, None)
        for row, window_s in zip(scores, windows_s, strict=True):
            size = window_s * TICK_HZ
            for first in range(0, len(faces), size):
                part = slice(first, first + size)
                if seen is not None and heard is not None:
                    judged = net.judge(seen[:, part], heard[:, part])
                else:
                    judged = net(
                        sight[None, part].to(device, torch.float32), sound[None, 4 * first : 4 * (first + size)]
                    )
                row[part] = judged[0].double().cpu().numpy()
    return scores.mean(axis=0)


def see_all(net: SpeakerNet, faces: Tensor) -> Tensor:
    """What the network sees in (ticks, 112, 112) crops of bytes, (1, ticks, 128), with bounded memory and no seams."""
    device = next(net.parameters()).device
    if isinstance(net, LrAsd) and device.type == "cpu":
        return net.streamed(faces)
    chunk = (2 if device.type == "cpu" else 20) * TICK_HZ  # what a CPU's cache holds is done faster
    parts = []
    for first in range(0, len(faces), chunk):
        low = max(0, first - REACH)
        seen = net.see(faces[None, low : first + chunk + REACH].to(device, torch.float32))
        parts.append(seen[:, first - low : first - low + chunk])
    return torch.cat(parts, dim=1)
