"""Implicit keypoints move one picture by a driving video, and a small network stitches what was moved into the whole
picture.

It is run as its script is by default: motion relative to the first driving frame, in which their README wants a face
that looks ahead and is at rest; scaled by the size of both faces (`expression-friendly`); stitched and pasted back, so
that a render is the whole source picture and only the face moves. Neither eyes nor lips are retargeted. On a GPU it
computes in half precision, as there, on a CPU in single: there a frame takes half a minute of one core.

The crops are made by its own code, of 68 points of MediaPipe's mesh instead of the 106 and 203 of its own detectors: of
those, InsightFace's are for non-commercial research only, and are neither needed nor loaded. The driving video is
cropped too, to one square for all frames (`--flag_crop_driving_video`; its script does so unasked only where a video is
no square), so that its face is as large as in training, however a recording was cropped.
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["torch==2.11.0", "numpy", "opencv-python-headless", "pyyaml", "scipy", "rich"]
# [tool.headset]
# title = "LivePortrait"
# paper = "Efficient Portrait Animation with Stitching and Retargeting Control, 2024"
# year = 2024
# driven_by = "video"
# code = "full"
# licence = "MIT"
# repository = "KwaiVGI/LivePortrait"
# commit = "1986663be3b6902605d32200c01f4bfd36cda83d"
# weights_licence = "MIT, by their page on the hub"
# [[tool.headset.weights]]
# file = "liveportrait/base_models/appearance_feature_extractor.pth"
# address = "KwaiVGI/LivePortrait on Hugging Face, by the command in the repository's README; the folders are as there"
# licence = "MIT"
# [[tool.headset.weights]]
# file = "liveportrait/base_models/motion_extractor.pth"
# address = "the same"
# licence = "MIT"
# [[tool.headset.weights]]
# file = "liveportrait/base_models/warping_module.pth"
# address = "the same"
# licence = "MIT"
# [[tool.headset.weights]]
# file = "liveportrait/base_models/spade_generator.pth"
# address = "the same"
# licence = "MIT"
# [[tool.headset.weights]]
# file = "liveportrait/retargeting_models/stitching_retargeting_module.pth"
# address = "the same"
# licence = "MIT"
# [tool.headset.input]
# crop = "its own: of the source upright and 2.3 times the face, of the driving video 2.2 times"
# px = 512
# landmarks = true
# [tool.headset.output]
# px = 512
# ///

# ruff: noqa: E402
import os
import sys

SYSTEM = os.environ.get("HEADSET_SYSTEM", "")
CHECKOUT = os.path.join(SYSTEM, "checkout")
WEIGHTS = os.path.join(SYSTEM, "weights", "liveportrait")
RANDOM = bool(os.environ.get("HEADSET_RANDOM_WEIGHTS"))

import cv2
import numpy as np
import torch

MODEL = {}
FILES = {
    "checkpoint_F": ("base_models", "appearance_feature_extractor.pth"),
    "checkpoint_M": ("base_models", "motion_extractor.pth"),
    "checkpoint_W": ("base_models", "warping_module.pth"),
    "checkpoint_G": ("base_models", "spade_generator.pth"),
    "checkpoint_S": ("retargeting_models", "stitching_retargeting_module.pth"),
}
# Of MediaPipe's mesh, the points nearest to the 68 of iBUG, in their order.
IBUG_68 = (127, 234, 93, 58, 172, 136, 149, 176, 152, 400, 378, 365, 397, 288, 323, 454, 356, 70, 63, 105, 66, 107, 336,
           296, 334, 293, 300, 168, 197, 5, 4, 75, 97, 2, 326, 305, 33, 160, 158, 133, 153, 144, 362, 385, 387, 263,
           373, 380, 61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14,
           87)  # fmt: skip


class Refused(Exception):
    """What this system cannot do here, by its own word."""


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The authors' wrapper around their networks."""
    sys.path.insert(0, CHECKOUT)
    from src import live_portrait_wrapper
    from src.config.crop_config import CropConfig
    from src.config.inference_config import InferenceConfig

    config = InferenceConfig(flag_force_cpu=device == "cpu", flag_use_half_precision=device != "cpu")
    for name, place in FILES.items():
        setattr(config, name, os.path.join(WEIGHTS, *place))
    if RANDOM:
        torch.manual_seed(0)
        config.checkpoint_S = config.models_config  # their code leaves the last out where there is no such file
        live_portrait_wrapper.load_model = untrained
    elif not os.path.isfile(config.checkpoint_S):
        raise FileNotFoundError(config.checkpoint_S)
    MODEL.update(wrapper=live_portrait_wrapper.LivePortraitWrapper(config), crop=CropConfig())


def untrained(_, said, device, kind):
    """One kind of network as their config has it, in place of the function of theirs that reads its file too."""
    from src.utils import helper

    classes = {
        "appearance_feature_extractor": helper.AppearanceFeatureExtractor,
        "motion_extractor": helper.MotionExtractor,
        "warping_module": helper.WarpingNetwork,
        "spade_generator": helper.SPADEDecoder,
    }
    made = said["model_params"][f"{kind}_params"]
    if kind in classes:
        return classes[kind](**made).to(device).eval()
    return {name: helper.StitchingRetargetingNetwork(**one).to(device).eval() for name, one in made.items()}


def generate(request):
    """A frame for each driving frame."""
    from src.utils.crop import paste_back, prepare_paste_back

    source, driving = (np.load(request[name])[..., :2] for name in ("source_landmarks", "driving_landmarks"))
    seen = driving[~np.isnan(driving).any(axis=(1, 2))]
    if np.isnan(source).any() or not len(seen):
        raise Refused(f"no face in the {'driving video' if len(seen) == 0 else 'source picture'}")
    whole = cv2.imread(request["source_image"])[:, :, ::-1]
    face, to_whole = face_of(whole, source[list(IBUG_68)])
    mask = prepare_paste_back(MODEL["wrapper"].inference_cfg.mask_crop, to_whole, dsize=whole.shape[1::-1])
    square = square_of(seen[:, list(IBUG_68)])
    return write(
        request,
        (
            paste_back(made, to_whole, whole, mask)
            for made in moved(face, (cropped(rgb, square) for rgb in frames_of(request["driving_video"])))
        ),
    )


def face_of(whole, points):
    """The source's face upright, (256, 256, 3), and the matrix that takes its crop of 512 px back."""
    from src.utils.crop import crop_image

    said = MODEL["crop"]
    made = crop_image(
        whole, points, dsize=said.dsize, scale=said.scale, vx_ratio=said.vx_ratio, vy_ratio=said.vy_ratio,
        flag_do_rot=said.flag_do_rot,
    )  # fmt: skip
    return cv2.resize(made["img_crop"], (256, 256), interpolation=cv2.INTER_AREA), made["M_c2o"]


def square_of(seen):
    """Left, top, right and bottom of the mean square around the face, of the points (frames, 68, 2) of a video."""
    from src.utils.crop import average_bbox_lst, parse_bbox_from_landmark

    said, squares = MODEL["crop"], []
    for points in seen:
        around = parse_bbox_from_landmark(
            points, scale=said.scale_crop_driving_video, vx_ratio=said.vx_ratio_crop_driving_video,
            vy_ratio=said.vy_ratio_crop_driving_video,
        )["bbox"]  # fmt: skip
        squares.append([*around[0], *around[2]])
    return average_bbox_lst(squares)


def cropped(rgb, square):
    """(256, 256, 3) of a driving frame."""
    from src.utils.crop import crop_image_by_bbox

    return cv2.resize(crop_image_by_bbox(rgb, square, dsize=MODEL["crop"].dsize)["img_crop"], (256, 256))


def moved(face, driving):
    """For each driving face the source's face, (512, 512, 3), moved as it moved since the first."""
    from src.utils.camera import get_rotation_matrix
    from src.utils.helper import calc_motion_multiplier

    wrapper = MODEL["wrapper"]

    def motion(rgb):
        told = wrapper.get_kp_info(wrapper.prepare_source(rgb))
        return told, get_rotation_matrix(told["pitch"], told["yaw"], told["roll"])

    with torch.no_grad():
        own, turn = motion(face)
        volume = wrapper.extract_feature_3d(wrapper.prepare_source(face))
        at_rest = wrapper.transform_keypoint(own)
        begin = begin_turn = first = times = None
        for rgb in driving:
            now, now_turn = motion(rgb)
            if begin is None:
                begin, begin_turn = now, now_turn
            shift = own["t"] + now["t"] - begin["t"]
            shift[:, 2] = 0
            points = own["kp"] @ (now_turn @ begin_turn.transpose(1, 2) @ turn) + own["exp"] + now["exp"] - begin["exp"]
            points = (own["scale"] * now["scale"] / begin["scale"])[..., None] * points + shift[:, None]
            if first is None:
                first, times = points, float(calc_motion_multiplier(at_rest, points))
            points = wrapper.stitching(at_rest, at_rest + (points - first) * times)
            yield wrapper.parse_output(wrapper.warp_decode(volume, at_rest, points)["out"])[0]


def frames_of(path):
    """The frames of a video, RGB, one after another."""
    capture = cv2.VideoCapture(path)
    while True:
        more, frame = capture.read()
        if not more:
            return
        yield frame[:, :, ::-1]


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
