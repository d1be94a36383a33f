"""TransNetV2: at which frames does a shot end?

The network of Souček and Lokoč, "TransNet V2: An effective deep network architecture for fast shot transition
detection", 2020 (arXiv:2008.04838). It looks at windows of 100 frames of 48 x 27 pixels: six cells, each of
convolutions across a frame and along time at four rates of dilation, beside what the frames of the window have in
common with one another, by their features and by their colours. Every published tensor is used, none is missing.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

WIDTH, HEIGHT = 48, 27
WINDOW, STEP = 100, 50  # frames looked at together, and those in the middle of them that are scored
FIRST = (WINDOW - STEP) // 2  # of the scored ones, within the window
DILATIONS = (1, 2, 4, 8)
LOOKUP = 101  # frames that a frame is compared with: those up to 50 before and after


class Cell(nn.Module):
    """Convolutions across each frame, then along time at four dilations, side by side. (b, t, c, h, w) to (b, t, 4 *
    filters, h, w).

    The kernels that look across are one convolution here, since all four see the same frames; those along time are
    computed as the 2-D convolutions they amount to.
    """

    def __init__(self, channels: int, filters: int):
        super().__init__()
        self.across = nn.Conv2d(channels, 8 * filters, 3, padding=1, bias=False)
        self.along = nn.ModuleList(
            nn.Conv2d(2 * filters, filters, (3, 1), padding=(d, 0), dilation=(d, 1), bias=False) for d in DILATIONS
        )
        self.norm = nn.BatchNorm2d(4 * filters, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        batch, time, _, height, width = x.shape
        seen = self.across(x.flatten(0, 1)).view(batch, time, -1, height * width).transpose(1, 2)
        series = [layer(part) for layer, part in zip(self.along, seen.chunk(len(DILATIONS), dim=1), strict=True)]
        return self.norm(torch.cat(series, dim=1)).transpose(1, 2).unflatten(3, (height, width))


class Compared(nn.Module):
    """What each frame has in common with those around it. (b, t, n) unit vectors to (b, t, 128)."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(LOOKUP, 128)

    def forward(self, x: Tensor) -> Tensor:
        half = LOOKUP // 2
        likeness = nn.functional.pad(torch.bmm(x, x.transpose(1, 2)), (half, half))
        steps = torch.arange(x.shape[1], device=x.device)[:, None] + torch.arange(LOOKUP, device=x.device)
        return torch.relu(self.fc(likeness.gather(2, steps.expand(len(x), -1, -1))))


class TransNetV2(nn.Module):
    """(b, 100, 27, 48, 3) uint8 RGB frames to (b, 100, 2) probabilities: that a transition has its middle here, that
    the frame is part of one.
    """

    def __init__(self):
        super().__init__()
        sizes = ((3, 16), (64, 32), (128, 64))
        self.stages = nn.ModuleList(nn.ModuleList((Cell(channels, f), Cell(4 * f, f))) for channels, f in sizes)
        self.project = nn.Linear(448, 128)
        self.by_features, self.by_colours = Compared(), Compared()
        self.fc = nn.Linear(256 + 256 * 3 * 6, 1024)
        self.middle, self.part = nn.Linear(1024, 1), nn.Linear(1024, 1)

    @classmethod
    def load(cls, path: Path) -> "TransNetV2":
        """The network with published weights, on the GPU where there is one, ready to score.

        Raises:
            RuntimeError: where the file lacks a tensor, or has one too many.
        """
        net = cls()
        net.load_state_dict(own_names(torch.load(path, map_location="cpu", weights_only=True)), strict=True)
        return net.eval().requires_grad_(False).to("cuda" if torch.cuda.is_available() else "cpu")

    def forward(self, frames: Tensor) -> Tensor:
        x = frames.movedim(4, 2).float() / 255
        means = []
        for first, second in self.stages:  # pyright: ignore[reportGeneralTypeIssues]
            shortcut = torch.relu(first(x))
            x = torch.relu(second(shortcut)) + shortcut
            x = nn.functional.avg_pool2d(x.flatten(0, 1), 2).unflatten(0, x.shape[:2])
            means.append(x.mean(dim=(3, 4)))
        likeness = self.by_features(nn.functional.normalize(self.project(torch.cat(means, dim=2)), dim=2))
        pictures = x.permute(0, 1, 3, 4, 2).flatten(2)
        known = torch.relu(self.fc(torch.cat([self.by_colours(colours(frames)), likeness, pictures], dim=2)))
        return torch.sigmoid(torch.cat([self.middle(known), self.part(known)], dim=2))


def colours(frames: Tensor) -> Tensor:
    """(b, t, h, w, 3) uint8 frames to (b, t, 512) unit vectors: how many pixels have each colour, of eight levels a
    channel.
    """
    levels = frames.long() >> 5
    bins = ((levels[..., 0] << 6) + (levels[..., 1] << 3) + levels[..., 2]).flatten(0, 1).flatten(1)
    bins = bins + 512 * torch.arange(len(bins), device=bins.device)[:, None]
    counts = torch.bincount(bins.flatten(), minlength=512 * len(bins)).view(*frames.shape[:2], 512)
    return nn.functional.normalize(counts.float(), dim=2)


def own_names(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """The published tensors by the names they have here; the four kernels of a cell that look across a frame as one."""
    state, across = {}, {}
    for name, tensor in published.items():
        parts = name.split(".")
        if parts[0] == "SDDCNN":
            cell = f"stages.{parts[1]}.{parts[3]}"
            if parts[4] == "bn":
                state[f"{cell}.norm.{parts[5]}"] = tensor
            else:
                place = DILATIONS.index(int(parts[4].removeprefix("Conv3D_")))
                if parts[6] == "0":
                    across.setdefault(cell, {})[place] = tensor.squeeze(2)
                else:
                    state[f"{cell}.along.{place}.weight"] = tensor.squeeze(4)
        else:
            for theirs, ours in _RENAMED.items():
                name = name.replace(theirs, ours)
            state[name] = tensor
    return state | {f"{cell}.across.weight": torch.cat([of[n] for n in sorted(of)]) for cell, of in across.items()}


_RENAMED = {
    "frame_sim_layer.projection": "project",
    "frame_sim_layer": "by_features",
    "color_hist_layer": "by_colours",
    "fc1": "fc",
    "cls_layer1": "middle",
    "cls_layer2": "part",
}


def score_frames(net: TransNetV2, pictures: Iterable[NDArray[np.uint8]], batch: int) -> Iterator[NDArray[np.float32]]:
    """For each picture (27, 48, 3), two probabilities (2,): see `TransNetV2`.

    Windows overlap, and only their middle is used; before the first picture and after the last that one is repeated.
    `batch` windows are scored together, and no more pictures are held than those see.
    """
    device = next(net.parameters()).device
    held: list[NDArray[np.uint8]] = []
    ahead = 0  # pictures taken and not scored yet

    def scored(windows: int) -> Iterator[NDArray[np.float32]]:
        seen = torch.from_numpy(np.stack(held[: STEP * (windows - 1) + WINDOW])).to(device)
        views = seen.unfold(0, WINDOW, STEP).movedim(4, 1)
        # TF32 would cost three digits; nothing else here depends on the device by more than rounding.
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            scores = net(views)[:, FIRST : FIRST + STEP].flatten(0, 1).cpu().numpy()
        yield from scores
        del held[: STEP * windows]

    for picture in pictures:
        if not held:
            held += [picture] * FIRST
        held.append(picture)
        ahead += 1
        if len(held) == STEP * (batch - 1) + WINDOW:
            yield from scored(batch)
            ahead -= STEP * batch
    if ahead:
        windows = -(-ahead // STEP)
        held += [held[-1]] * (STEP * (windows - 1) + WINDOW - len(held))
        yield from (score for score, _ in zip(scored(windows), range(ahead), strict=False))
