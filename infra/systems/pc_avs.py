"""A head pose taken from one video and a mouth taken from sound, both without landmarks, in one StyleGAN-like
generator.

Frames must be cropped by its own rule (224 px, eyes and mouth at fixed places), which headset does not do yet: faces of
other crops come out worse. It drops the first two and the last two frames of the driving, which are held. Its
spectrograms are made by lws, which does not build on Python 3.11: with real weights it wants an interpreter that has
it, and with random ones librosa stands in.
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#   "torch==2.11.0", "numpy", "opencv-python-headless", "torchvision", "librosa==0.9.2", "scipy",
#   "pillow", "tqdm",
# ]
# [tool.headset]
# title = "PC-AVS"
# paper = "Pose-Controllable Talking Face Generation by Implicitly Modularized Audio-Visual Representation, CVPR 2021"
# year = 2021
# driven_by = "audio"
# code = "full"
# licence = "CC-BY-4.0"
# repository = "Hangz-nju-cuhk/Talking-Face_PC-AVS"
# commit = "201d2b946caa93a2ce7c798dd080be65959d2592"
# weights_licence = "unknown"
# weights = [
#   {file = "latest_net_G.pth", address = "demo.zip of the Google Drive file that the repository's README names"},
#   {file = "latest_net_E.pth", address = "demo.zip of the Google Drive file that the repository's README names"},
#   {file = "latest_net_V.pth", address = "demo.zip of the Google Drive file that the repository's README names"},
#   {file = "latest_net_A_sync.pth", address = "demo.zip of the Google Drive file that the repository's README names"},
# ]
# [tool.headset.input]
# crop = "its own: 224 px, eyes and mouth at fixed places"
# px = 224
# hz = 16000
# [tool.headset.output]
# px = 224
# dropped_head = 2
# dropped_tail = 2
# ///

# ruff: noqa: E402
import os
import sys
import types

SYSTEM = os.environ.get("HEADSET_SYSTEM", "")
CHECKOUT = os.path.join(SYSTEM, "checkout")
WEIGHTS = os.path.join(SYSTEM, "weights")
RANDOM = bool(os.environ.get("HEADSET_RANDOM_WEIGHTS"))

import cv2
import numpy as np
import torch

MODEL = {}
WORDS = (
    "--name demo --dataset_mode voxtest --netG modulate --netA resseaudio --netA_sync ressesync --netD multiscale"
    " --netV resnext --netE fan --model av "
    "--clip_len 1 --batchSize 1 --style_dim 2560 --nThreads 0"
    " --input_id_feature --generate_interval 1 --style_feature_loss --use_audio 1 --noise_pose "
    "--driving_pose --generate_from_audio_only --gpu_ids -1"
)
HELD = 2  # frames at each end that it does not make


class Refused(Exception):
    """What this system cannot do here, by its own word."""


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The networks of the authors' code, built by their own options."""
    import librosa.filters
    import torchvision

    vgg = torchvision.models.vgg19
    # A loss of training fetches its weights when it is imported.
    torchvision.models.vgg19 = lambda **_: vgg(weights=None)
    try:
        import lws  # noqa: F401
    except ImportError:
        if not RANDOM:
            raise
        sys.modules["lws"] = types.ModuleType("lws")
        sys.modules["lws"].lws = Spectrum
    mel = librosa.filters.mel  # their call is of librosa before 0.10
    librosa.filters.mel = lambda hz=None, fft=None, **more: mel(
        sr=hz or more.pop("sr"), n_fft=fft or more.pop("n_fft"), **more
    )
    np.float, np.int = float, int  # their code is older than NumPy 1.24
    if device == "cpu":
        torch.Tensor.cuda = lambda self, *_, **__: self
    sys.path.insert(0, CHECKOUT)
    sys.argv = ["inference.py", *WORDS.split(), "--checkpoints_dir", SYSTEM]
    from config import AudioConfig
    from models.av_model import AvModel
    from options.test_options import TestOptions

    option = TestOptions().parse()
    option.isTrain = False
    torch.manual_seed(0)
    AvModel.load_network = weights_into
    model = AvModel(option)
    if RANDOM:
        # As their code leaves untrained networks, the picture is of one colour.
        for parameter in model.netG.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter.data)
    MODEL.update(
        model=model.to(device).eval(), device=device, sound=AudioConfig.AudioConfig(num_frames_per_clip=5, hop_size=160)
    )


class Spectrum:
    """Stands in for lws in checks alone: librosa's transform, whose window is another."""

    def __init__(self, size, hop, **_):
        self.size, self.hop = size, hop

    def stft(self, wave):
        """(frames, size / 2 + 1) complex numbers."""
        import librosa

        return librosa.stft(wave, n_fft=self.size, hop_length=self.hop).T


def weights_into(model, network, label, epoch):
    """Loads one network's file, in place of the authors' way, which goes on without it."""
    if not RANDOM:
        held = torch.load(os.path.join(WEIGHTS, f"latest_net_{label}.pth"), map_location="cpu", weights_only=True)
        network.load_state_dict({key: value for key, value in held.items() if key in network.state_dict()})


def generate(request):
    """A frame for each driving frame but two at each end."""
    if not request["driving_audio"]:
        raise Refused("no driving sound")
    sound, device = MODEL["sound"], MODEL["device"]
    heard = sound.audio_to_spectrogram(sound.read_audio(request["driving_audio"]))
    length = sound.num_frames_per_clip * sound.num_bins_per_frame

    def tensor(rgb):
        return (torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1).to(device)

    def pictures():
        with torch.no_grad():
            source = tensor(cv2.imread(request["source_image"])[:, :, ::-1])[None]
            poses = frames_of(request["driving_video"])
            for at in range(HELD, len(poses) - HELD):
                begin = (at - HELD) * sound.num_bins_per_frame
                part = heard[begin : begin + length]
                part = np.pad(part, ((0, length - len(part)), (0, 0))).astype(np.float32)
                spectrogram = torch.from_numpy(part.T[None, None]).to(device)
                _, made = MODEL["model"].inference(source, spectrogram, tensor(poses[at])[None])
                made = made[0] if isinstance(made, list) else made
                made = made.reshape(-1, 3, *made.shape[-2:])[0].clamp(-1, 1)
                yield ((made.permute(1, 2, 0).cpu().numpy() + 1) * 127.5).round().astype(np.uint8)

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
