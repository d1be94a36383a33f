"""Clips a second of each metric alone, of all in one fused pass, and of other tools on the same frames: `python -m
benchmarks.speed.metrics [METRICS]`.

A clip is one second: 25 frames of `single/headpose_31.mp4`, 256 pixels square, beside the same frames blurred. Every
figure has the decode of both sides in it. One thread. What other tools give is compared before they are timed;
`benchmarks/peers/metrics.py` says which there are. FID, FVD, LSE, LRA, AED and APD of Deep3DFaceRecon run on random
weights where the files are not at hand: the cost is the same, the values say nothing. Needs HEADSET_MEDIA and
HEADSET_WEIGHTS.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.peers.metrics import Peer, peers
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.metrics.base import NOTHING, FramePair, Metric, SetMetric, Video
from operators.picture import Picture
from pipeline.engine.fan_out import fan_out
from pipeline.scoring.score import chosen, metrics_there

SIDE, FRAMES = 256, 25
VIDEO = ("single", "headpose_31.mp4")
RANDOM = ("fid_legacy", "fvd_videogpt", "lse_d_lrs")


def video() -> Iterator[FramePair]:
    """Decoded anew, as a render and its recording would be."""
    path = Path(os.environ["HEADSET_MEDIA"], *VIDEO)
    for frame, other in islice(zip(VideoFrames(path), VideoFrames(path), strict=True), FRAMES):
        left = (frame.width - frame.height) // 2
        pictures = [one.crop(left, 0, left + one.height, one.height, (SIDE, SIDE)) for one in (frame, other)]
        made = np.asarray(Image.fromarray(pictures[0]).filter(ImageFilter.GaussianBlur(1)))
        yield FramePair(Picture(made), Picture(pictures[1]))


def asked(metric: Metric, given: Iterator[FramePair]) -> Any:
    """The metric's value, its features, or the reason why it has none."""
    seen = (FramePair(pair.made, None) for pair in given) if metric.compares == NOTHING else given
    shown = Video(seen, 25, lambda: SourceAudio(Path(os.environ["HEADSET_MEDIA"], *VIDEO)), "r", FRAMES)
    try:
        return metric.features(shown) if isinstance(metric, SetMetric) else metric.measure(shown)
    except Drop as drop:
        return drop.reason


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of the process and the answer, the second time: models are loaded by then."""
    work()
    began = time.process_time()
    answer = work()
    return time.process_time() - began, answer


def with_random_weights(inception: Path) -> list[Metric]:
    """Metrics whose files cannot be had, on networks of a seed."""
    import torch

    from operators.metrics import fid as score_fid
    from operators.metrics import lip_sync
    from operators.models.i3d import I3D, prepared
    from operators.models.syncnet import SyncNet

    torch.manual_seed(0)
    listening = SyncNet().eval().requires_grad_(False)
    there = metrics_there()
    made = [there[variant] for variant in RANDOM if any(weight.found() is None for weight in there[variant].weights)]
    for metric in made:
        if metric.metric == "fid":
            metric.__dict__["_network"] = score_fid.inception(inception)
        elif metric.metric == "fvd":
            network = I3D().eval()
            metric.__dict__["_network"] = lambda frames, network=network: network(prepared(frames)[None])
        else:
            lip_sync.network = lambda: listening
    return made


def random_inception(place: Path) -> Path:
    """A file of FID's Inception with weights of a seed."""
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Empty(FeatureExtractorInceptionV3):
        """Takes a file without weights: the library knows no other way to a network than by a file."""

        def load_state_dict(self, *_: Any, **__: Any) -> None: ...

    torch.save({}, place)
    torch.manual_seed(0)
    network = Empty("fid", ["2048"], feature_extractor_weights_path=str(place))
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    torch.save(network.state_dict(), place)
    return place


def row(metric: Metric, theirs: list[Peer]) -> tuple[float, str]:
    own_s, value = timed(lambda: asked(metric, video()))
    told = []
    for name, call in theirs:
        other_s, other = timed(lambda call=call: call(video()))
        told.append(f"{name} {1 / other_s:.2f} ({float(np.abs(np.subtract(value, other)).max()):.1g} apart)")
    shown = (
        f"{value:.4g}" if isinstance(value, float) else value if isinstance(value, str) else f"features {value.shape}"
    )
    return own_s, f"| {metric.variant} | {own_s:.2f} | {1 / own_s:.2f} | {shown} | {', '.join(told)} |"


def main() -> None:
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        inception = random_inception(Path(folder, "inception.pth"))
        metrics, left = chosen(sys.argv[1] if len(sys.argv) > 1 else "all")
        metrics += with_random_weights(inception)
        theirs = peers(inception)
    print("| | CPU s a clip | clips/s | value | other tools, clips/s |\n|---|---|---|---|---|")
    decode_s, _ = timed(lambda: list(video()))
    print(f"| decode and crop of both sides | {decode_s:.2f} | {1 / decode_s:.2f} | | |")
    total = 0.0
    for metric in metrics:
        own_s, line = row(metric, theirs.get(metric.variant, []))
        total += own_s
        print(line, flush=True)
    fused, _ = timed(
        lambda: fan_out(video(), [lambda given, metric=metric: asked(metric, given) for metric in metrics])
    )
    print(f"| all {len(metrics)}, each alone, added up | {total:.2f} | {1 / total:.3f} | | |")
    print(f"| all {len(metrics)} in one pass | {fused:.2f} | {1 / fused:.3f} | | |")
    for line in left:
        print(f"\nleft out: {line}")


if __name__ == "__main__":
    main()
