"""Other tools that give the values of our metrics, on the same frames with the same weights: those of them that can be
imported.

torchmetrics comes with the developer's environment. pyiqa (IQA-PyTorch), lpips and pytorch-fid are no dependencies, and
pyiqa's licence (PolyForm Noncommercial) keeps it from being one: for a comparison they are installed apart, `pip
install --no-deps --target PEERS pyiqa lpips pytorch-fid`, and found by `PYTHONPATH=.:PEERS`. Where they would download
weights they are given ours.
"""

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from operators.metrics.base import FramePair
from operators.models.backbones import backbone
from operators.models.catalogue import DISTS, NIQE_PRISTINE

# The name of a tool, and a function of video to its value of a clip; for FID, to the features of one.
Peer = tuple[str, Callable[[Iterator[FramePair]], Any]]


def peers(inception: Path) -> dict[str, list[Peer]]:
    """By variant.

    Args:
        inception: a file of weights for FID's network.
    """
    found: dict[str, list[Peer]] = {}
    for name, module, made in (
        ("torchmetrics", "torchmetrics", _torchmetrics),
        ("IQA-PyTorch", "pyiqa", _pyiqa),
        ("lpips", "lpips", _lpips),
    ):
        if importlib.util.find_spec(module):
            for variant, call in made().items():
                found.setdefault(variant, []).append((name, call))
    if importlib.util.find_spec("pytorch_fid"):
        found["fid_legacy"] = [("pytorch-fid", _pytorch_fid(inception))]
    return found


def _tensors(video: Iterator[FramePair]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(1, 3, h, w), 0 to 1, of each frame and its reference."""
    for pair in video:
        made, reference = (
            torch.from_numpy(one.rgb.copy()).permute(2, 0, 1)[None].float() / 255 for one in pair.of_any_size
        )
        yield made, reference


def _of_pairs(
    metric: Callable[..., Any], every: int = 1, alone: bool = False
) -> Callable[[Iterator[FramePair]], float]:
    """The mean over frames, one by one, as such a tool is called."""

    def value(video: Iterator[FramePair]) -> float:
        with torch.inference_mode():
            pairs = (pair for number, pair in enumerate(_tensors(video)) if number % every == 0)
            return float(np.mean([metric(*(pair[:1] if alone else pair)).item() for pair in pairs]))

    return value


def _torchmetrics() -> dict[str, Callable[[Iterator[FramePair]], float]]:
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure
    from torchmetrics.functional.image.lpips import _LPIPS

    made = {
        "psnr_rgb": _of_pairs(lambda one, other: peak_signal_noise_ratio(one, other, data_range=1.0)),
        "ssim_rgb": _of_pairs(lambda one, other: structural_similarity_index_measure(one, other, data_range=1.0)),
    }
    for net in ("alex", "vgg"):
        network = _LPIPS(pretrained=True, net=net, pnet_rand=True).eval()  # type: ignore[arg-type]
        _given_backbone(network.net, net)
        made[f"lpips_{net}"] = _of_pairs(lambda one, other, network=network: network(one, other, normalize=True))
    return made


def _lpips() -> dict[str, Callable[[Iterator[FramePair]], float]]:
    import lpips  # pyright: ignore[reportMissingImports]

    made = {}
    for net in ("alex", "vgg"):
        network = lpips.LPIPS(net=net, pnet_rand=True, verbose=False).eval()
        _given_backbone(network.net, net)
        made[f"lpips_{net}"] = _of_pairs(lambda one, other, network=network: network(one, other, normalize=True))
    return made


def _pyiqa() -> dict[str, Callable[[Iterator[FramePair]], float]]:
    from pyiqa.archs.dists_arch import DISTS as Dists  # pyright: ignore[reportMissingImports]
    from pyiqa.archs.lpips_arch import LPIPS  # pyright: ignore[reportMissingImports]
    from pyiqa.archs.niqe_arch import NIQE  # pyright: ignore[reportMissingImports]
    from pyiqa.archs.psnr_arch import PSNR  # pyright: ignore[reportMissingImports]
    from pyiqa.archs.ssim_arch import SSIM  # pyright: ignore[reportMissingImports]
    from scipy.io import savemat

    made: dict[str, Callable[..., Any]] = {
        "psnr_rgb": PSNR(),
        "psnr_y": PSNR(test_y_channel=True),
        "ssim_y": SSIM(test_y_channel=True),
        "ssim_rgb": SSIM(test_y_channel=False),
    }
    with tempfile.TemporaryDirectory() as folder:
        with np.load(NIQE_PRISTINE.path(), allow_pickle=False) as held:
            savemat(
                f"{folder}/niqe.mat", {"mu_prisparam": held["mu_pris_param"], "cov_prisparam": held["cov_pris_param"]}
            )
        niqe = NIQE(pretrained_model_path=f"{folder}/niqe.mat")
    with _no_downloads():
        networks = {net: LPIPS(net=net, pretrained=False).eval() for net in ("alex", "vgg")}
        dists = Dists(pretrained_model_path=str(DISTS.path())).eval()
    for net, network in networks.items():
        _given_backbone(network.net, net)
        for head, weight in zip(network.lins, backbone(net)[1], strict=True):
            head.model[-1].weight.data.copy_(weight)
        made[f"lpips_{net}"] = network
    _given_backbone(dists, "vgg")
    made["dists"] = dists
    calls = {variant: _of_pairs(metric) for variant, metric in made.items()}
    return {**calls, "niqe_matlab": _of_pairs(niqe, every=5, alone=True)}


@contextmanager
def _no_downloads() -> Iterator[None]:
    """torchvision's AlexNet and VGG16 without weights, whatever is asked for: they are given ours afterwards."""
    import torchvision

    official = {name: getattr(torchvision.models, name) for name in ("alexnet", "vgg16")}
    try:
        for name, made in official.items():
            setattr(torchvision.models, name, lambda made=made, **_: made(weights=None))
        yield
    finally:
        for name, made in official.items():
            setattr(torchvision.models, name, made)


def _pytorch_fid(weights: Path) -> Callable[[Iterator[FramePair]], Any]:
    from pytorch_fid import inception  # pyright: ignore[reportMissingImports]

    inception.load_state_dict_from_url = lambda *_, **__: torch.load(weights, map_location="cpu", weights_only=True)
    network = inception.InceptionV3([3]).eval()

    def features(video: Iterator[FramePair]) -> Any:
        with torch.inference_mode():
            pictures = torch.cat([made for made, _ in _tensors(video)])
            return torch.cat([network(part)[0].flatten(1) for part in pictures.split(16)]).numpy()

    return features


def _given_backbone(network: torch.nn.Module, name: str) -> None:
    """Puts our convolutions of AlexNet or VGG16 into a network that has as many, in the same order."""
    ours, _ = backbone(name)
    layers, into = ([one for one in held.modules() if isinstance(one, torch.nn.Conv2d)] for held in (ours, network))
    for layer, other in zip(layers, into, strict=True):
        other.load_state_dict(layer.state_dict())
