"""Clips a second of each metric alone, of all in one fused pass, and of torchmetrics on the same frames: `python -m benchmarks.metrics`.

A clip is one second: 25 frames of `single/headpose_31.mp4`, 256 pixels square, beside the same frames blurred. Every figure has the decode
of both sides in it. One thread. Needs HEADSET_MEDIA and HEADSET_WEIGHTS.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from operators.metrics.metric import NOTHING, Look, Looks, Metric, Picture, SetMetric
from pipeline.decode import VideoFrames
from pipeline.fan_out import fan_out
from pipeline.scoring import chosen

SIDE, FRAMES = 256, 25


def looks() -> Iterator[Look]:
    """Decoded anew, as a render and its recording would be."""
    path = Path(os.environ["HEADSET_MEDIA"], "single", "headpose_31.mp4")
    for frame, other in islice(zip(VideoFrames(path), VideoFrames(path), strict=True), FRAMES):
        left = (frame.width - frame.height) // 2
        pictures = [one.crop(left, 0, left + one.height, one.height, (SIDE, SIDE)) for one in (frame, other)]
        made = np.asarray(Image.fromarray(pictures[0]).filter(ImageFilter.GaussianBlur(1)))
        yield Look(Picture(made), Picture(pictures[1]))


def asked(metric: Metric, given: Iterator[Look]) -> None:
    seen = (Look(look.made, None) for look in given) if metric.compares == NOTHING else given
    if isinstance(metric, SetMetric):
        metric.features(Looks(seen))
    else:
        metric.measure(Looks(seen))


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of the process, the second time: models are loaded by then."""
    work()
    began = time.process_time()
    work()
    return time.process_time() - began


def beside() -> dict[str, Callable[[], object]]:
    """torchmetrics, on the frames one by one as it would be called; its LPIPS with random convolutions, which cost the same."""
    import torch
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure
    from torchmetrics.functional.image.lpips import _LPIPS

    torch.set_num_threads(1)
    network = _LPIPS(pretrained=True, net="alex", pnet_rand=True).eval()

    def tensors() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for look in looks():
            made, reference = (torch.from_numpy(one.rgb.copy()).permute(2, 0, 1)[None].float() / 255 for one in look.of_any_size)
            yield made, reference

    def lpips() -> None:
        with torch.inference_mode():
            for made, reference in tensors():
                network(made, reference, normalize=True)

    return {
        "psnr_rgb": lambda: [peak_signal_noise_ratio(*pair, data_range=1.0) for pair in tensors()],
        "ssim_rgb": lambda: [structural_similarity_index_measure(*pair, data_range=1.0) for pair in tensors()],
        "lpips_alex": lpips,
    }


def main() -> None:
    import torch

    torch.set_num_threads(1)
    metrics, left = chosen(sys.argv[1] if len(sys.argv) > 1 else "all")
    theirs = beside()
    print("| | CPU s a clip | clips/s | torchmetrics, clips/s |\n|---|---|---|---|")
    decode_s = seconds(lambda: list(looks()))
    print(f"| decode and crop of both sides | {decode_s:.2f} | {1 / decode_s:.2f} | |")
    total = 0.0
    for metric in metrics:
        own = seconds(lambda metric=metric: asked(metric, looks()))
        total += own
        other = f"{1 / seconds(theirs[metric.variant]):.2f}" if metric.variant in theirs else ""
        print(f"| {metric.variant} | {own:.2f} | {1 / own:.2f} | {other} |", flush=True)
    fused = seconds(lambda: fan_out(looks(), [lambda given, metric=metric: asked(metric, given) for metric in metrics]))
    print(f"| all {len(metrics)}, each alone, added up | {total:.2f} | {1 / total:.3f} | |")
    print(f"| all {len(metrics)} in one pass | {fused:.2f} | {1 / fused:.3f} | |")
    for line in left:
        print(f"\nleft out: {line}")


if __name__ == "__main__":
    main()
