"""Which word does this mouth say? A lip reader for the 500 words of LRW, and how its pictures are made.

The network of Martinez et al., "Lipreading Using Temporal Convolutional Networks", ICASSP 2020, as trained by Ma et
al., "Training Strategies for Improved Lip-Reading", ICASSP 2022: a 3-D convolution, ResNet-18 on every frame, and four
layers of convolutions along time with kernels of 3, 5 and 7 frames side by side (mpc001's
Lipreading_using_Temporal_Convolutional_Networks at 0cc99fab, `configs/lrw_resnet18_mstcn.json`). Its authors report
88.9 % of LRW's test words; the 89.6 % they head the page with is of another network, with dense layers along time.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from operators.base import Drop

FRAMES = 29  # of an LRW clip: 1.16 s at 25 a second
WORDS = 500
ROI_PX, CROP_PX, CANVAS_PX = 96, 88, 256
MEAN, DEVIATION = 0.421, 0.165
SMOOTH = 6  # frames on each side that the points are averaged over
STABLE = (28, 33, 36, 39, 42, 45, 48, 54)  # points of the iBUG scheme: nose, corners of the eyes and of the mouth
MOUTH = slice(48, 68)
# Where the mean face of the published alignment has them, in a picture of 256 x 256.
MEAN_FACE = np.array(
    [
        [128.488545, 106.924595], [128.870170, 137.302534], [92.522456, 94.368760], [112.772417, 94.943609],
        [145.525115, 94.534999], [166.677101, 93.565623], [107.167606, 157.196068], [152.192840, 156.987112],
    ]
)  # fmt: skip


class LipReader(nn.Module):
    """36 million parameters. Loads the published state dict as it is: modules have the published names."""

    def __init__(self):
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, 64, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False), nn.BatchNorm3d(64), nn.SiLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        )  # fmt: skip
        self.trunk = nn.Sequential()
        before = 64
        for n, after in enumerate((64, 128, 256, 512), start=1):
            stride = 1 if n == 1 else 2
            self.trunk.add_module(
                f"layer{n}", nn.Sequential(ResidualBlock(before, after, stride), ResidualBlock(after, after, 1))
            )
            before = after
        layers = nn.Sequential(*(TimeBlock(512 if n == 0 else 768, 768, 2**n) for n in range(4)))
        self.tcn = nn.ModuleDict({"mb_ms_tcn": nn.ModuleDict({"network": layers}), "tcn_output": nn.Linear(768, WORDS)})

    @classmethod
    def load(cls, path: Path) -> "LipReader":
        """The network with published weights, on the GPU where there is one, ready to read.

        Raises:
            RuntimeError: where the file lacks a tensor, has one too many, or one of another shape.
        """
        net = cls()
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["model_state_dict"], strict=True)
        return net.eval().requires_grad_(False).to("cuda" if torch.cuda.is_available() else "cpu")

    def forward(self, mouths: Tensor) -> Tensor:
        """Normalised mouths (batch, frames, 88, 88) to a score for each word, (batch, 500)."""
        batch, frames = mouths.shape[:2]
        seen = self.frontend3D(mouths[:, None]).transpose(1, 2).flatten(0, 1)
        shapes = self.trunk(seen).mean((2, 3)).view(batch, frames, -1)
        over_time = self.get_submodule("tcn.mb_ms_tcn.network")(shapes.transpose(1, 2)).mean(2)
        return self.tcn["tcn_output"](over_time)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around which the input passes: the block of ResNet-18, with swish."""

    def __init__(self, channels_in: int, channels_out: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.downsample = None
        if stride != 1 or channels_in != channels_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(nn.functional.silu(self.bn1(self.conv1(x)))))
        return nn.functional.silu(inner + (x if self.downsample is None else self.downsample(x)))


class TimeBlock(nn.Module):
    """Twice three convolutions along time side by side, with kernels of 3, 5 and 7 and steps of `dilation`, around
    which the input passes.
    """

    def __init__(self, channels_in: int, channels_out: int, dilation: int):
        super().__init__()
        for row, channels in enumerate((channels_in, channels_out)):
            for branch, kernel in enumerate((3, 5, 7)):
                self.add_module(f"cbcr{row}_{branch}", TimeLayer(channels, channels_out // 3, kernel, dilation))
        self.downsample = nn.Conv1d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = x
        for row in range(2):
            inner = torch.cat([self.get_submodule(f"cbcr{row}_{branch}")(inner) for branch in range(3)], dim=1)
        return nn.functional.silu(inner + self.downsample(x))


class TimeLayer(nn.Module):
    def __init__(self, channels_in: int, channels_out: int, kernel: int, dilation: int):
        super().__init__()
        self.conv = nn.Conv1d(
            channels_in, channels_out, kernel, padding=(kernel - 1) * dilation // 2, dilation=dilation
        )
        self.batchnorm = nn.BatchNorm1d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.silu(self.batchnorm(self.conv(x)))


def word_scores(net: LipReader, rois: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(500,): the score of every word, before any softmax; the highest is what is read.

    Args:
        rois: (frames, 96, 96) grey mouths of `mouth_rois`.
    """
    device = next(net.parameters()).device
    with (
        torch.inference_mode(),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
    ):
        return net(torch.from_numpy(normalised(rois)).to(device)[None])[0].cpu().numpy()


def normalised(rois: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(frames, 88, 88): the middle of each mouth, freed of the mean and deviation of the published training
    pictures.
    """
    edge = (ROI_PX - CROP_PX) // 2
    return ((rois[:, edge:-edge, edge:-edge] / 255.0 - MEAN) / DEVIATION).astype(np.float32)


def mouth_rois(
    pictures: Sequence[NDArray[np.uint8]], points: Sequence[NDArray[np.float64] | None]
) -> NDArray[np.uint8]:
    """(frames, 96, 96): grey mouths, turned and scaled so that the face lies as the mean face does.

    As the published `preprocessing` does: where no face was found, the points lie between those around; they are
    averaged over up to 6 frames on each side, fewer at the ends, about the frame's own centre.

    Args:
        pictures: (h, w) grey each.
        points: of each picture, (68, 2) x and y in pixels in the iBUG scheme; None where no face was found.

    Raises:
        Drop: `no_face` where none has points, `too_short` below 12 pictures, which the published code refuses.
    """
    import cv2

    if len(pictures) < 2 * SMOOTH:
        raise Drop("too_short", detail=f"{len(pictures)} frames, {2 * SMOOTH} are needed")
    every = _filled(points)
    rois = []
    for k, picture in enumerate(pictures):
        reach = min(SMOOTH, k, len(every) - 1 - k)
        smooth = every[k - reach : k + reach + 1].mean(axis=0)
        smooth = smooth + (every[k].mean(axis=0) - smooth.mean(axis=0))
        turn = cv2.estimateAffinePartial2D(smooth[list(STABLE)], MEAN_FACE, method=cv2.LMEDS)[0]
        if turn is None:
            raise Drop("no_face", detail=f"the points of frame {k} make no face")
        canvas = cv2.warpAffine(picture, turn, (CANVAS_PX, CANVAS_PX))
        x, y = (smooth[MOUTH] @ turn[:, :2].T + turn[:, 2]).mean(axis=0)
        left, top = (round(min(max(float(at), ROI_PX / 2), CANVAS_PX - ROI_PX / 2)) - ROI_PX // 2 for at in (x, y))
        rois.append(canvas[top : top + ROI_PX, left : left + ROI_PX])
    return np.stack(rois).astype(np.uint8)


def _filled(points: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64]:
    """(frames, 68, 2): with what is missing put on a straight line between the neighbours, or, at an end, like the
    nearest.
    """
    seen = [k for k, one in enumerate(points) if one is not None]
    if not seen:
        raise Drop("no_face", detail=f"in {len(points)} frames")
    known = np.stack([points[k] for k in seen]).reshape(len(seen), -1)  # pyright: ignore[reportArgumentType, reportCallIssue]
    at = np.arange(len(points))
    return np.stack([np.interp(at, seen, column) for column in known.T], axis=1).reshape(len(points), -1, 2)
