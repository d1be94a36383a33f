"""StyleHEAT (FeiiYin/StyleHEAT 83b28c83): three lmdbs, of frames with 3DMM and landmarks, of sound, and of crops.

    frames/   <name>-length, <name>-0000012 and <name>-align-0000012 (JPEG, 256x256), <name>-coeff_3dmm (float32, frames
              x 260),
              <name>-keypoint (float32, frames x 68 x 2)
    audio/    <name>: the mel spectrogram of Wav2Lip, 80 a second (float64, rows x 80)
    crop/     <name>-crop_params: left, top, right and bottom of the aligned picture in the other (int64, frames x 4)
    audio_train_list.txt, audio_test_list.txt, and audio_val_list.txt, which the loader does not read

The folder is `path` of the data options, the lmdbs `lmdb_path`, `audio_lmdb_path` and `crop_lmdb_path`. 25 frames a
second. `align` is the square around eyes and mouth that FFHQ is cut by (Karras et al. 2019), turned upright.
Coefficients are asked for, and substituted, as in the layout `pirender`: run the scripts over an export `fomm`, whose
names these are. The training code was not released; this is what the shipped loader reads, and it does nothing with
`crop_params` but hand it on. Landmarks are MediaPipe's; gaps of up to 12 frames are filled.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import listed
from pipeline.export.clip import ExportClip
from pipeline.export.files import Picture, write_lines
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.fomm import LONGEST, SIZE
from pipeline.export.layouts.pirender import (
    BRIDGED,
    PIRender,
    given_coefficients,
    jpeg,
    key,
    opened,
    put,
    substitute,
    video_problems,
)

FPS, HZ = 25, 16000
_LEAST = 28  # frames: the loader keeps 14 away from either end
_MEL_HZ, _MELS, _WINDOW = 80, 80, 32
_SPLITS = ("train", "val", "test")


class StyleHEAT(Layout):
    version = 2  # the points of the inner lips, the nose's base and the jaw lie nearer to iBUG's
    needs, substitutes = PIRender.needs, PIRender.substitutes

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short`, `fps_not_25`, `no_face`, `not_square`, `coeff_3dmm_missing`,
                `coeff_3dmm_differs`; those of the decoder.
        """
        if clip.fps != FPS:
            raise Drop("fps_not_25", detail=f"{clip.fps:g}: frames and sound are paired at {FPS}")
        if clip.frames < _LEAST:
            raise Drop("too_short", detail=f"{clip.frames} frames, {_LEAST} are needed")
        found = clip.faces()
        faces = found.bridged(BRIDGED)
        whole = substitute(found, clip) if "coeff_3dmm" in given.substitutes else None
        points = faces.landmarks_68 * (SIZE / clip.width)
        samples = clip.samples(HZ)
        pictures, names = clip.pictures(SIZE), []
        frames: dict[str, bytes] = {}
        audio: dict[str, bytes] = {}
        crop: dict[str, bytes] = {}
        for first, end in clip.parts(LONGEST):
            name = clip.vox_name(first, end)
            names.append(name)
            rows = whole[first:end] if whole is not None else given_coefficients(given, name, end - first)
            frames[key(name, "length")] = f"{end - first:07d}".encode()
            frames[key(name, "coeff_3dmm")] = rows.tobytes()
            frames[key(name, "keypoint")] = points[first:end].astype(np.float32).tobytes()
            boxes = np.zeros((end - first, 4), np.int64)
            for number, picture in enumerate(islice(pictures, end - first)):
                quad = face_quad(points[first + number])
                boxes[number] = [*np.floor(quad.min(axis=0)), *np.ceil(quad.max(axis=0))]
                frames[key(name, number)] = jpeg(picture)
                frames[key(name, "align", number)] = jpeg(aligned(picture, quad))
            audio[name] = wav2lip_mel(samples[first * HZ // FPS : end * HZ // FPS]).tobytes()
            crop[key(name, "crop_params")] = boxes.tobytes()
        for folder, values in (("audio", audio), ("crop", crop), ("frames", frames)):
            put(to / folder, values)
        return {"names": names, "frames": clip.frames, "bridged": int((~found.seen).sum())}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split in _SPLITS:
            write_lines(
                to / f"audio_{split}_list.txt",
                [name for clip in written if clip.split == split for name in clip.note["names"]],
            )

    def validate(self, folder: Path) -> Iterator[str]:
        with opened(folder / "frames") as frames, opened(folder / "audio") as audio, opened(folder / "crop") as crop:
            if frames is None or audio is None or crop is None:
                yield "frames, audio, crop: one of them is no lmdb"
                return
            for split in ("train", "test"):
                names, problems = listed(
                    folder, f"audio_{split}_list.txt", "names no video, and the loader draws from it"
                )
                yield from problems
                for name in names:
                    told = list(video_problems(frames, name))
                    yield from told
                    if not any("has no length" in problem for problem in told):
                        yield from _more_problems(frames, audio, crop, name)


def face_quad(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 2) corners of FFHQ's square: upper left, lower left, lower right, upper right.

    Args:
        points: (68, 2) landmarks.
    """
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    eyes, across = (left + right) / 2, right - left
    down = (points[48] + points[54]) / 2 - eyes
    x = across + np.array([down[1], -down[0]])
    x *= max(np.hypot(*across) * 2.0, np.hypot(*down) * 1.8) / np.hypot(*x)
    y = np.array([-x[1], x[0]])
    middle = eyes + 0.1 * down
    return np.array([middle - x - y, middle - x + y, middle + x + y, middle + x - y])


def aligned(picture: Picture, quad: NDArray[np.float64]) -> Picture:
    """(SIZE, SIZE, 3): the picture under the square, black beyond its edge."""
    import cv2

    corners = np.array([(0, 0), (0, SIZE), (SIZE, SIZE)], np.float32)
    turn = cv2.getAffineTransform(quad[:3].astype(np.float32), corners)
    return np.asarray(cv2.warpAffine(picture, turn, (SIZE, SIZE), flags=cv2.INTER_AREA), np.uint8)


def wav2lip_mel(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """(1 + samples // 200, 80): what Wav2Lip's networks hear, -4 to 4.

    Treble raised by 0.97, magnitudes of 800 samples under a Hann window each 200, 80 of Slaney's mel bands from 55 to
    7600 Hz, decibels down to -100 below 20.
    """
    import torch
    from torchaudio.functional import melscale_fbanks

    wave = np.append(samples[:1], samples[1:] - 0.97 * samples[:-1]).astype(np.float32)
    spectrum = torch.stft(
        torch.from_numpy(wave),
        800,
        200,
        800,
        torch.hann_window(800),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    ).abs()
    bands = (
        spectrum.T.double() @ melscale_fbanks(401, 55.0, 7600.0, _MELS, HZ, norm="slaney", mel_scale="slaney").double()
    )
    decibels = 20 * torch.log10(torch.clamp(bands, min=1e-5)) - 20
    return torch.clamp(8 * (decibels + 100) / 100 - 4, -4, 4).numpy()


def _more_problems(frames, audio, crop, name: str) -> Iterator[str]:
    from PIL import Image, UnidentifiedImageError

    length = int(frames(key(name, "length")))
    if length < _LEAST:
        yield f"{name}: has {length} frames, {_LEAST} are needed"
    points = frames(key(name, "keypoint")) or b""
    if len(points) != length * 68 * 2 * 4:
        yield f"{name}: has {len(points)} bytes of keypoint, not {length * 68 * 2 * 4}"
    mel = audio(name) or b""
    # The last frame that is drawn is the 12th from the end, and hears from 4 frames before it on.
    rows = int(_MEL_HZ * (length - 16) / FPS) + _WINDOW
    if len(mel) % (_MELS * 8) or len(mel) < rows * _MELS * 8:
        yield f"{name}: has {len(mel)} bytes of sound, at least {rows} rows of {_MELS} float64 are heard"
    boxes = crop(key(name, "crop_params")) or b""
    if len(boxes) != length * 4 * 8:
        yield f"{name}: has {len(boxes)} bytes of crop_params, not {length * 4 * 8}"
    for number in range(length):
        try:
            with Image.open(BytesIO(frames(key(name, "align", number)) or b"")) as picture:
                picture.load()
        except (UnidentifiedImageError, OSError) as error:
            yield f"{key(name, 'align', number)}: does not decode ({type(error).__name__})"
