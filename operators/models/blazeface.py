"""MediaPipe's face detectors as networks of torch: over batches of pictures, on a CPU or a GPU.

What MediaPipe does around the networks is done here as its graphs have it
(`tasks/cc/vision/face_detector/face_detector_graph.cc`, and the calculators that it names; Apache-2.0): the picture is
fitted into the network's square, boxes are told against the middles of cells, and boxes of one face are averaged by
their scores. The networks' answers differ from MediaPipe's by the order of sums alone.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from operators.models.detections import Detection
from operators.models.tflite import TfliteNetwork

if TYPE_CHECKING:
    from torch import Tensor

SUPPRESSION = 0.3  # intersection over union, above which two boxes are one face: MediaPipe's
SCORE_CLIP = 100.0


class Blazeface:
    """A face detector of MediaPipe's on pictures of one size."""

    def __init__(self, content: bytes, min_score: float, device: str = "cpu"):
        """
        Args:
            content: of the file.
            min_score: 0 to 1; faces below it are left out.
        """
        self._network = TfliteNetwork(content, device)
        self.side = self._network.inputs[0][1]
        self._anchors = _anchors(self.side, self._network.outputs[0][1])
        self._min_score, self._device = min_score, device

    def look(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """The faces of each picture (h, w, 3), RGB, all of one size, the surest first.

        Corners are whole pixels, as MediaPipe's task tells them: what comes after the point is cut off, left and top
        are 0 at least, and the size stays.
        """
        import torch

        if not len(pictures):
            return []
        found = self.look_at(torch.from_numpy(np.stack(pictures)).to(self._device).float())
        return [[seen._replace(corners=_whole(seen.corners)) for seen in faces] for faces in found]

    def look_at(self, pictures: "Tensor") -> list[list[Detection]]:
        """The faces of each picture (n, h, w, 3), RGB of 0 to 255 as float32 on the network's device, the surest
        first.
        """

        count, height, width, _ = pictures.shape
        longer = max(height, width)
        scale = longer / self.side
        corner = (width - longer) / 2, (height - longer) / 2
        whole = np.array([[scale, 0.0, corner[0]], [0.0, scale, corner[1]]])
        given = sampled(pictures, np.repeat(whole[None], count, axis=0), self.side, beyond_is_black=True)
        boxes, logits = self._network(given / 127.5 - 1)
        scores = logits[..., 0].double().clamp(-SCORE_CLIP, SCORE_CLIP).sigmoid()
        at = (scores >= self._min_score).nonzero()
        picture, cell = at.cpu().numpy().T
        numbers = boxes[at[:, 0], at[:, 1]].cpu().numpy() / self.side
        told = scores[at[:, 0], at[:, 1]].cpu().numpy()
        middles = self._anchors[cell]
        points = numbers.reshape(-1, 8, 2) + middles[:, None]
        half = numbers[:, 2:4] / 2
        # corners, then points
        spans = np.stack([points[:, 0] - half, points[:, 0] + half, *points[:, 2:].transpose(1, 0, 2)], axis=1)
        return [_apart(spans[picture == n], told[picture == n], longer, corner) for n in range(count)]


def sampled(pictures: "Tensor", onto: NDArray[np.float64], side: int, beyond_is_black: bool) -> "Tensor":
    """(n, side, side, 3): each picture (n, h, w, 3) as seen through a matrix, bilinear.

    In steps of 1/32 pixel and rounded to whole levels, halves up, as OpenCV's `warpPerspective` does it for MediaPipe.
    All its numbers are whole ones that float32 holds, so a GPU gives what a CPU gives.

    Args:
        onto: (n, 2, 3) from a pixel's number x, y, 1 in what is made to where it lies in the picture, in the numbers of
            its pixels.
        beyond_is_black: beyond the picture; else its edge goes on.
    """
    import torch

    count, height, width, _ = pictures.shape
    matrices = torch.from_numpy(np.asarray(onto, np.float64)).to(pictures.device)[:, None, None]  # (n, 1, 1, 2, 3)
    steps = torch.arange(side, device=pictures.device, dtype=torch.float64)
    x, y = steps[None, None, :, None], steps[None, :, None, None]
    places = ((matrices[..., 0] * x + matrices[..., 1] * y + matrices[..., 2]) * 32).round()
    whole = torch.div(places, 32, rounding_mode="floor")
    shares = (places - 32 * whole).float()
    number = torch.arange(count, device=pictures.device)[:, None, None]
    total = torch.full((count, side, side, 3), 512.0, device=pictures.device)
    for down in (0, 1):
        for across in (0, 1):
            left, top = (whole[..., 0] + across).long(), (whole[..., 1] + down).long()
            weight = (shares[..., 0] if across else 32 - shares[..., 0]) * (
                shares[..., 1] if down else 32 - shares[..., 1]
            )
            if beyond_is_black:
                weight = weight * ((left >= 0) & (left < width) & (top >= 0) & (top < height))
            total += weight[..., None] * pictures[number, top.clamp(0, height - 1), left.clamp(0, width - 1)]
    return (total / 1024).floor()


def _anchors(side: int, count: int) -> NDArray[np.float32]:
    """(count, 2): the middles of the cells that boxes are told against, x and y as shares of the square.

    Raises:
        ValueError: for a number of boxes that neither MediaPipe's short-range nor its full-range detector has.
    """
    grids = {896: ((side // 8, 2), (side // 16, 6)), 2304: ((side // 4, 1),)}
    if count not in grids:
        raise ValueError(f"a face detector of {count} boxes, where MediaPipe's have {' or '.join(map(str, grids))}")
    found = []
    for cells, boxes in grids[count]:
        y, x = np.mgrid[:cells, :cells]
        found.append(np.repeat((np.stack([x, y], -1).reshape(-1, 2) + 0.5) / cells, boxes, axis=0))
    return np.concatenate(found).astype(np.float32)


def _apart(
    spans: NDArray[np.float32], scores: NDArray[np.float64], longer: int, corner: tuple[float, float]
) -> list[Detection]:
    """The faces among the boxes of a picture: of those that overlap the surest, the mean by scores."""
    order = np.argsort(-scores, kind="stable")
    spans, scores = spans[order], scores[order]
    found = []
    while len(scores):
        low, high = np.maximum(spans[:, 0], spans[0, 0]), np.minimum(spans[:, 1], spans[0, 1])
        both = np.clip(high - low, 0, None).prod(axis=1)
        areas = np.clip(spans[:, 1] - spans[:, 0], 0, None).prod(axis=1)
        same = both / np.maximum(areas + areas[0] - both, 1e-12) > SUPPRESSION
        same[0] = True
        mean = (spans[same] * scores[same, None, None]).sum(axis=0) / scores[same].sum()
        placed = mean.astype(np.float64) * longer + corner
        found.append(Detection(placed[:2].ravel(), placed[2:], float(scores[0])))
        spans, scores = spans[~same], scores[~same]
    return found


def _whole(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    low, size = np.maximum(np.trunc(corners[:2]), 0), np.trunc(corners[2:] - corners[:2])
    return np.concatenate([low, low + size])
