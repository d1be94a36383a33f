"""SyncNet v2: does the mouth in these pictures move to this sound?

The network of Chung and Zisserman, "Out of time: automated lip sync in the wild", ACCV workshops 2016, as published for
PyTorch (joonson/syncnet_python at 6efbb1c3), with both protocols by which the field measures LSE-D and LSE-C with it
(Prajwal et al., "A Lip Sync Expert Is All You Need", ACM MM 2020; Rudrabha/Wav2Lip, `evaluation/scores_LSE`).

One branch looks at five pictures, another listens to the 0.2 s of sound that go with them; both answer with 1024
numbers, close to each other where sound and picture belong together. Every window of five pictures is compared with the
sound at 31 shifts, and the distances are averaged over the windows:

    LSE-D   the least of the 31 mean distances, from 0; lower is better
    LSE-C   their median minus the least, from 0; higher is better
    offset  15 minus the shift of the least, in frames: above 0 where the sound comes early

Beyond both ends of the clip the sound's numbers are zeros, as published. A clip of n windows has its farthest shifts
filled with 15 of them, so that short clips are biased: compare clips of like length.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from operators.base import Drop
from operators.models.mfcc import mfcc

FPS = 25
HZ = 16000
PICTURE_PX = 224
WINDOW = 5  # pictures
CEPSTRA = 20  # MFCC frames a window
REACH = 15  # frames that the sound is shifted each way
BATCH = 20  # windows at once, as published


class SyncNet(nn.Module):
    """13.6 million parameters.

    Its 3-D convolutions span time in the first layer only, where they take in all five pictures. So each is computed as
    the 2-D one it amounts to, the first over 5 x 3 channels.
    """

    renamed: ClassVar[dict[str, str]] = {
        "netcnnaud.": "sound.",
        "netfcaud.": "sound_head.",
        "netcnnlip.": "sight.",
        "netfclip.": "sight_head.",
    }

    def __init__(self):
        super().__init__()
        same = {"padding": 1}
        self.sound = nn.Sequential(
            *_layer(1, 64, 3, **same), nn.Identity(), *_layer(64, 192, 3, **same), nn.MaxPool2d(3, (1, 2)),
            *_layer(192, 384, 3, **same), *_layer(384, 256, 3, **same), *_layer(256, 256, 3, **same),
            nn.MaxPool2d(3, 2),
            *_layer(256, 512, (5, 4)),
        )  # fmt: skip
        self.sight = nn.Sequential(
            *_layer(3 * WINDOW, 96, 7, stride=2), nn.MaxPool2d(3, 2), *_layer(96, 256, 5, stride=2, **same),
            nn.MaxPool2d(3, 2, 1), *_layer(256, 256, 3, **same), *_layer(256, 256, 3, **same),
            *_layer(256, 256, 3, **same), nn.MaxPool2d(3, 2),
            *_layer(256, 512, 6),
        )  # fmt: skip
        self.sound_head, self.sight_head = _head(), _head()

    @classmethod
    def load(cls, path: Path) -> "SyncNet":
        """The network with published weights, on the GPU where there is one, ready to compare.

        Raises:
            RuntimeError: where the file lacks a tensor, has one too many, or one of another shape.
        """
        net = cls()
        net.load_published(torch.load(path, map_location="cpu", weights_only=True))
        return net.eval().requires_grad_(False).to("cuda" if torch.cuda.is_available() else "cpu")

    def load_published(self, state: dict[str, Tensor]) -> None:
        """Takes on a state dict under its published names, strictly; see `load`."""
        own = {}
        for name, tensor in state.items():
            part = next((part for part in self.renamed if name.startswith(part)), "")
            own[self.renamed.get(part, "") + name.removeprefix(part)] = (
                tensor.flatten(1, 2) if tensor.ndim == 5 else tensor
            )
        self.load_state_dict(own, strict=True)

    def see(self, pictures: Tensor) -> Tensor:
        """BGR pictures (n + 4, 3, 224, 224), 0 to 255, to (n, 1024): a window from each picture on."""
        windows = pictures.unfold(0, WINDOW, 1).permute(0, 1, 4, 2, 3).flatten(1, 2)
        return self.sight_head(self.sight(windows).flatten(1))

    def hear(self, windows: Tensor) -> Tensor:
        """MFCCs (n, 13, 20) to (n, 1024)."""
        return self.sound_head(self.sound(windows[:, None]).flatten(1))


def _layer(
    channels_in: int, channels_out: int, kernel: int | tuple[int, int], stride: int = 1, padding: int = 0
) -> Sequence[nn.Module]:
    return nn.Conv2d(channels_in, channels_out, kernel, stride, padding), nn.BatchNorm2d(channels_out), nn.ReLU()


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


class Sync(NamedTuple):
    """What SyncNet says of a clip."""

    distance: float  # LSE-D
    confidence: float  # LSE-C
    offset_frames: int  # above 0 where the sound comes early
    distances: NDArray[np.float32]  # (windows, 31), from the sound 15 frames early to 15 late


def compare(net: SyncNet, pictures: Iterable[NDArray[np.uint8]], samples: NDArray[np.float32]) -> Sync:
    """How far pictures and sound are apart at each shift, as published.

    Of n pictures and of sound for m frames, there are min(n, m) - 5 windows. (There is one more; the published code
    leaves it out.)

    Args:
        pictures: (224, 224, 3) BGR each, 25 a second.
        samples: (n,) at 16 kHz, -1 to 1, from the first picture on.

    Raises:
        Drop: those of `check_sound`; `too_short` (fewer than 6 frames).
    """
    check_sound(samples)
    device = next(net.parameters()).device
    # TF32 would cost three digits; nothing else here depends on the device by more than rounding.
    with (
        torch.inference_mode(),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
    ):
        seen, shown = _see_all(net, pictures, len(samples) * FPS // HZ)
        count = windows_of(shown, len(samples))
        if count < 1:
            raise Drop("too_short", detail=f"{min(shown, len(samples) * FPS // HZ)} frames with sound, 6 are needed")
        heard = [net.hear(part.to(device)) for part in mfcc_windows(samples, count).split(BATCH)]
        return measured(distances(seen[:count], torch.cat(heard)).cpu().numpy())


def check_sound(samples: NDArray[np.float32]) -> None:
    """
    Raises:
        Drop: `no_sound` where there is no sample, `silent_audio` where each is zero to 16 bits.
    """
    if not len(samples):
        raise Drop("no_sound")
    if not np.round(samples * 32768).any():
        raise Drop("silent_audio", detail=f"{len(samples) / HZ:.2f} s of digital silence")


def windows_of(pictures: int, samples: int) -> int:
    """How many windows of five pictures are compared; below 1 where the clip is too short."""
    return min(pictures, samples * FPS // HZ) - WINDOW


def _see_all(net: SyncNet, pictures: Iterable[NDArray[np.uint8]], most: int) -> tuple[Tensor, int]:
    """What the network sees in each window of the first `most` pictures, with bounded memory, and how many pictures
    there were.
    """
    device = next(net.parameters()).device
    held: list[NDArray[np.uint8]] = []
    seen: list[Tensor] = []
    shown = 0
    for picture in pictures:
        if shown == most:
            break
        shown += 1
        held.append(picture)
        if len(held) == BATCH + WINDOW - 1:
            seen.append(net.see(_stacked(held).to(device)))
            held = held[BATCH:]
    if len(held) >= WINDOW:
        seen.append(net.see(_stacked(held).to(device)))
    return torch.cat(seen) if seen else torch.zeros(0, 1024, device=device), shown


def _stacked(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()


def mfcc_windows(samples: NDArray[np.float32], count: int) -> Tensor:
    """(count, 13, 20): the MFCCs that go with each window of pictures, four frames of them to a picture."""
    cepstra = torch.from_numpy(mfcc(samples).astype(np.float32))
    return cepstra.unfold(0, CEPSTRA, 4)[:count].contiguous()


def distances(seen: Tensor, heard: Tensor) -> Tensor:
    """(n, 31): the Euclidean distance of what is seen in each window from what is heard at each shift.

    Args:
        seen: (n, 1024)
        heard: (n, 1024); beyond its ends it is zero.
    """
    padded = nn.functional.pad(heard, (0, 0, REACH, REACH))
    return torch.stack(
        [nn.functional.pairwise_distance(seen, padded[shift : shift + len(seen)]) for shift in range(2 * REACH + 1)],
        dim=1,
    )


def measured(apart: NDArray[np.float32]) -> Sync:
    """LSE-D, LSE-C and the offset of (n, 31) distances."""
    means = apart.mean(axis=0)
    best = int(means.argmin())
    return Sync(float(means[best]), float(np.median(means) - means[best]), REACH - best, apart)
