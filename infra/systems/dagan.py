"""FOMM with the depth of the face, found by a network of its own without supervision, in its keypoints and its
attention.

Inputs are cropped as for FOMM. It reads two more model files, of the depth network (18 layers).
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#   "torch==2.11.0", "numpy", "opencv-python-headless", "torchvision", "pyyaml", "scipy", "scikit-image",
#   "imageio", "pandas", "matplotlib", "tqdm",
# ]
# [tool.headset]
# title = "DaGAN"
# paper = "Depth-Aware Generative Adversarial Network for Talking Head Video Generation, CVPR 2022"
# year = 2022
# driven_by = "video"
# code = "full"
# licence = "CC-BY-NC-4.0"
# repository = "harlanhong/CVPR2022-DaGAN"
# commit = "052ad359a019492893c098e8717dc993cdf846ed"
# weights_licence = "unknown"
# [[tool.headset.weights]]
# file = "DaGAN_vox_adv_256.pth.tar"
# address = "the OneDrive folder that the repository's README names; rename the checkpoint so"
# [[tool.headset.weights]]
# file = "encoder.pth"
# address = "the same folder, of the depth network"
# [[tool.headset.weights]]
# file = "depth.pth"
# address = "the same folder, of the depth network"
# [tool.headset.input]
# crop = "the VoxCeleb crop of its authors"
# px = 256
# [tool.headset.output]
# px = 256
# ///

# ruff: noqa: E402
import os
import sys

SYSTEM = os.environ.get("HEADSET_SYSTEM", "")
CHECKOUT = os.path.join(SYSTEM, "checkout")
WEIGHTS = os.path.join(SYSTEM, "weights")
RANDOM = bool(os.environ.get("HEADSET_RANDOM_WEIGHTS"))

import cv2
import numpy as np
import torch
import yaml

MODEL = {}


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The generator, the keypoint detector and the depth network of the authors' code."""
    sys.path.insert(0, CHECKOUT)
    import depth
    from modules.generator import DepthAwareGenerator
    from modules.keypoint_detector import KPDetector

    with open(os.path.join(CHECKOUT, "config", "vox-adv-256.yaml")) as file:
        said = yaml.safe_load(file)["model_params"]
    torch.manual_seed(0)
    said["common_params"]["num_kp"] = 15
    generator = DepthAwareGenerator(**said["generator_params"], **said["common_params"])
    said["common_params"]["num_channels"] = 4
    detector = KPDetector(**said["kp_detector_params"], **said["common_params"])
    encoder = depth.ResnetEncoder(18, False)
    decoder = depth.DepthDecoder(num_ch_enc=encoder.num_ch_enc, scales=range(4))
    if RANDOM:
        enliven(generator)
    else:
        held = torch.load(os.path.join(WEIGHTS, "DaGAN_vox_adv_256.pth.tar"), map_location="cpu", weights_only=False)
        for network, name in ((generator, "generator"), (detector, "kp_detector")):
            network.load_state_dict({key.replace("module.", ""): value for key, value in held[name].items()})
        told = torch.load(os.path.join(WEIGHTS, "encoder.pth"), map_location="cpu", weights_only=False)
        encoder.load_state_dict({key: value for key, value in told.items() if key in encoder.state_dict()})
        decoder.load_state_dict(torch.load(os.path.join(WEIGHTS, "depth.pth"), map_location="cpu", weights_only=False))
    for name, network in (("generator", generator), ("detector", detector), ("encoder", encoder), ("decoder", decoder)):
        MODEL[name] = network.to(device).eval()
    MODEL["device"] = device


def enliven(network):
    """Random weights by which a picture is not of one colour, as their code leaves it."""
    for parameter in network.parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter.data)


def generate(request):
    """A frame for each driving frame."""
    from animate import normalize_kp

    def tensor(rgb):
        return (torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255).to(MODEL["device"])

    def depth_of(picture):
        return MODEL["decoder"](MODEL["encoder"](picture))[("disp", 0)]

    def pictures():
        with torch.no_grad():
            source = tensor(cv2.imread(request["source_image"])[:, :, ::-1])
            source_depth, first = depth_of(source), None
            of_source = MODEL["detector"](torch.cat((source, source_depth), 1))
            for rgb in frames_of(request["driving_video"]):
                driving = tensor(rgb)
                driving_depth = depth_of(driving)
                of_driving = MODEL["detector"](torch.cat((driving, driving_depth), 1))
                first = of_driving if first is None else first
                moved = normalize_kp(of_source, of_driving, first, True, True, True)
                made = MODEL["generator"](
                    source,
                    kp_source=of_source,
                    kp_driving=moved,
                    source_depth=source_depth,
                    driving_depth=driving_depth,
                )
                yield (made["prediction"][0].permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)

    return write(request, pictures())


def frames_of(path):
    """The frames of a video, RGB."""
    capture, found = cv2.VideoCapture(path), []
    while True:
        more, frame = capture.read()
        if not more:
            return found
        found.append(frame[:, :, ::-1])


def write(request, pictures):
    """A lossless video of RGB pictures (h, w, 3), 0 to 255."""
    rate, writer, count = request["fps"][0] / request["fps"][1], None, 0
    for rgb in pictures:
        if writer is None:
            path = os.path.join(request["out_dir"], "made.avi")
            writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"FFV1"), rate, rgb.shape[1::-1])
        writer.write(np.ascontiguousarray(rgb[:, :, ::-1]))
        count += 1
    writer.release()
    return {"video": "made.avi", "frames": count}
