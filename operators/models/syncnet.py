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

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from manifests.boxes import iou
from operators.base import Drop
from operators.models.mfcc import mfcc

FPS = 25
HZ = 16000
PICTURE_PX = 224
WINDOW = 5  # pictures
CEPSTRA = 20  # MFCC frames a window
REACH = 15  # frames that the sound is shifted each way
BATCH = 20  # windows at once, as published

MIN_TRACK = 100  # a face is judged when it was detected in more frames than this
MIN_FACE_PX = 100  # and its mean box is longer than this, one way or the other
MAX_GAP = 25  # frames that a face may be missed for and still be the same
MIN_OVERLAP = 0.5  # of its boxes in following frames, intersection over union
CROP_SCALE = 0.4  # of the box's longer side, left on each side of it and twice below
STEADY = 13  # frames of the median that steadies the box
PAD = 110  # grey beyond the picture's edge
QSCALE = 2  # of the JPEG that whole pictures pass through before they are cropped


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


# lse_lrs: the pictures are taken for face crops as they are.


def lrs_pictures(pictures: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Whole BGR pictures, through JPEG and squeezed to 224 x 224 without regard to their shape, as
    `calculate_scores_LRS.py` does.
    """
    import cv2

    for picture in through_jpeg(pictures):
        yield np.asarray(cv2.resize(picture, (PICTURE_PX, PICTURE_PX)), np.uint8)


# lse_tracked: a face is found, followed and cropped first.


class FaceTrack(NamedTuple):
    sights: int  # frames in which it was detected
    frames: NDArray[np.int64]  # (n,) one after the other
    boxes: NDArray[np.float64]  # (n, 4) left, top, right, bottom in pixels; between sights a straight line

    @property
    def side_px(self) -> float:
        """Mean width or height of the box, whichever is longer."""
        return float((self.boxes[:, 2:] - self.boxes[:, :2]).mean(axis=0).max())

    @property
    def judged(self) -> bool:
        """Whether the published code would compare it: detected in more than 100 frames, longer than 100 pixels."""
        return self.sights > MIN_TRACK and self.side_px > MIN_FACE_PX


def link_faces(faces: Sequence[Sequence[Sequence[float]]]) -> list[FaceTrack]:
    """Joins the boxes of one shot to tracks, as `run_pipeline.py` does.

    A box goes on from the last one of a track when the two overlap by more than half and lie 25 frames apart at most.

    Args:
        faces: of each frame, the boxes (left, top, right, bottom).
    """
    left = [[tuple(float(side) for side in box) for box in boxes] for boxes in faces]
    tracks = []
    while any(left):
        taken: list[tuple[int, tuple[float, ...]]] = []
        for k, boxes in enumerate(left):
            n = 0
            while n < len(boxes):
                if not taken or (k - taken[-1][0] <= MAX_GAP and iou(boxes[n], taken[-1][1]) > MIN_OVERLAP):
                    taken.append((k, boxes.pop(n)))
                # also past the box after a taken one: a published quirk, which matters where two boxes lie on one face
                n += 1
        seen, sides = np.array([k for k, _ in taken]), np.array([box for _, box in taken])
        frames = np.arange(seen[0], seen[-1] + 1)
        tracks.append(
            FaceTrack(len(taken), frames, np.stack([np.interp(frames, seen, side) for side in sides.T], axis=1))
        )
    return tracks


def steady_squares(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3): centre x, centre y and half the longer side of each box, by a median over 13 frames.

    As published, what lies beyond the ends counts as 0, so that the first and last six are drawn to smaller values.

    Args:
        boxes: (n, 4) left, top, right, bottom.
    """
    from scipy.signal import medfilt

    left, top, right, bottom = boxes.T
    squares = (left + right) / 2, (top + bottom) / 2, np.maximum(right - left, bottom - top) / 2
    return np.stack([medfilt(one, STEADY) for one in squares], axis=1)


def face_crop(picture: NDArray[np.uint8], square: Sequence[float]) -> NDArray[np.uint8]:
    """(224, 224, 3): the face with some room around it and below, grey beyond the picture.

    Args:
        picture: (h, w, 3)
        square: centre x, centre y and half the side of the face's box, in pixels.
    """
    import cv2

    x, y, half = (float(value) for value in square)
    pad = int(half * (1 + 2 * CROP_SCALE))
    padded = cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(PAD, PAD, PAD))
    x, y = x + pad, y + pad
    rows = slice(int(y - half), int(y + half * (1 + 2 * CROP_SCALE)))
    columns = slice(int(x - half * (1 + CROP_SCALE)), int(x + half * (1 + CROP_SCALE)))
    return np.asarray(cv2.resize(padded[rows, columns], (PICTURE_PX, PICTURE_PX)), np.uint8)


def tracked_pictures(files: Sequence[bytes], track: FaceTrack) -> Iterator[NDArray[np.uint8]]:
    """The face of a track in each of its frames, BGR, through JPEG once more after it is cropped, as `run_pipeline.py`
    does.

    Args:
        files: the whole picture of every frame from number 0 on, as `jpeg_files(pictures, QSCALE)` makes them.
    """
    squares = steady_squares(track.boxes)
    return through_jpeg(face_crop(from_jpeg(files[k]), square) for k, square in zip(track.frames, squares, strict=True))


def through_jpeg(pictures: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """BGR pictures (h, w, 3) as they come back from `jpeg_files` at the default rate."""
    return (from_jpeg(file) for file in jpeg_files(pictures))


def jpeg_files(pictures: Iterable[NDArray[np.uint8]], qscale: int | None = None) -> Iterator[bytes]:
    """BGR pictures (h, w, 3) of one size as the JPEG files that the `ffmpeg` command makes of a video.

    Args:
        qscale: its `-qscale:v`, 1 to 31, lower is better. None for its default, a rate control that aims at 200 kbit/s,
            so that after half a second every picture has the lowest quality there is. Both published protocols look at
            such pictures.
    """
    from fractions import Fraction

    import av
    from av.video.reformatter import ColorRange, Colorspace

    encoder: av.VideoCodecContext | None = None
    for k, picture in enumerate(pictures):
        if encoder is None:
            encoder = av.VideoCodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = picture.shape[1], picture.shape[0], "yuvj420p"
            encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
            encoder.bit_rate = 200_000
            encoder.thread_count = 1
            if qscale is not None:
                encoder.qmin = encoder.qmax = qscale
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
        frame = frame.reformat(
            format="yuvj420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.JPEG, threads=1
        )
        frame.pts, frame.time_base = k, Fraction(1, FPS)
        yield from (bytes(packet) for packet in encoder.encode(frame))


def from_jpeg(file: bytes) -> NDArray[np.uint8]:
    """(h, w, 3) BGR."""
    import cv2

    picture = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)
