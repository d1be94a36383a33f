"""yiranran/Audio-driven-TalkingFace-HeadPose 8ebc0283: a video a person, frames, five points, MFCC and 3DMM.

    Data/<n>.mp4, Data/<n>/frame<k>.png, Data/<n>/frame<k>.txt       25 frames a second; the first 400; eyes, nose and
                                                                     corners of the mouth, whole pixels
    Audio/dataset/mfcc/19_news/<n>.npy                               13 MFCC, 100 a second, with 0.12 s of silence
                                                                     before and behind
    Deep3DFaceReconstruction/output/coeff/19_news/<n>/frame<k>.mat   coeff (1, 257)

Copy it over a checkout, then train on a number: `Audio/code/train_19news_1.py <n> <gpu>` finds its MFCC and
coefficients. The scripts read 400 frames whatever there is, so a clip of less than 16 s is given up. Only the frames
are cut to 400, the sound is whole.

Coefficients are asked for, and substituted, as in the layout `pirender`; their frames must be at 25 a second. MFCC are
those of python_speech_features on sound from -1 to 1. Landmarks are MediaPipe's; gaps of up to 12 frames are filled.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import array_problem, picture_problem, video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, whole_folder, write_lines, write_mp4, write_picture
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.fomm import LONGEST
from pipeline.export.layouts.pirender import BRIDGED, PIRender, given_coefficients, substitute

FPS, HZ, SIZE = 25, 16000, 256
FRAMES = 400
_TRAINED = 300  # frames whose coefficients the training reads
_SILENCE = 1920  # samples before and behind
_ROWS = 4 * (_TRAINED + 6)  # of MFCC: a window of 28 for each frame that is trained on
_COEFF, _MFCC = Path("Deep3DFaceReconstruction/output/coeff/19_news"), Path("Audio/dataset/mfcc/19_news")


class HeadPose(Layout):
    version = 1
    needs, substitutes = PIRender.needs, PIRender.substitutes

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short`, `fps_not_25`, `no_face`, `not_square`, `coeff_3dmm_missing`,
                `coeff_3dmm_differs`; those of the decoder.
        """
        from scipy.io import savemat

        if clip.fps != FPS:
            raise Drop("fps_not_25", detail=f"{clip.fps:g}: frames and coefficients are counted at {FPS}")
        if clip.frames < FRAMES:
            raise Drop("too_short", detail=f"{clip.frames} frames, {FRAMES} are read")
        found = clip.faces()
        points = five_points(found.bridged(BRIDGED).landmarks_68[:FRAMES] * (SIZE / clip.width))
        if "coeff_3dmm" in given.substitutes:
            rows = substitute(found, clip)[:FRAMES, :257]
        else:
            parts = [
                given_coefficients(given, clip.vox_name(first, end), end - first) for first, end in clip.parts(LONGEST)
            ]
            rows = np.concatenate(parts)[:FRAMES, :257]
        samples, n = clip.samples(HZ), str(clip.number)
        with whole_file(to / f"Data/{n}.mp4") as part:
            write_mp4(part, clip.pictures(SIZE), FPS, samples, HZ)
        with whole_folder(to / "Data" / n) as folder:
            for number, picture in enumerate(islice(clip.pictures(SIZE), FRAMES)):
                write_picture(folder / f"frame{number}.png", picture)
                write_lines(folder / f"frame{number}.txt", (f"{x} {y}" for x, y in points[number]))
        with whole_file(to / _MFCC / f"{n}.npy") as part:
            np.save(part, float_mfcc(np.pad(samples, _SILENCE)))
        with whole_folder(to / _COEFF / n) as folder:
            for number, row in enumerate(rows):
                savemat(folder / f"frame{number}.mat", {"coeff": row[None]})
        return {"name": n, "clip": clip.name, "frames": clip.frames, "bridged": int((~found.seen).sum())}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        write_lines(to / "numbers.txt", (f"{clip.note['name']} {clip.note['clip']} {clip.split}" for clip in written))

    def validate(self, folder: Path) -> Iterator[str]:
        videos = sorted((folder / "Data").glob("*.mp4"))
        if not videos:
            yield "Data: holds no video"
        for video in videos:
            n = video.stem
            if not n.isdigit():
                yield f"Data/{video.name}: is not called by a whole number, as the scripts want"
                continue
            facts = video_facts(video)
            if isinstance(facts, str):
                yield f"Data/{video.name}: {facts}"
                continue
            if facts[3] != FPS or facts[0] < FRAMES:
                yield (
                    f"Data/{video.name}: has {facts[0]} frames at {facts[3]:g} a second, not {FRAMES} or more at {FPS}"
                )
            yield from _frame_problems(folder, n)
            if problem := array_problem(folder / _MFCC / f"{n}.npy", _is_mfcc, f"({_ROWS} or more, 13)"):
                yield f"{_MFCC}/{n}.npy: {problem}"


def five_points(landmarks: NDArray[np.float64]) -> NDArray[np.int64]:
    """(frames, 5, 2): the middles of the eyes, the tip of the nose's base, the corners of the mouth, of (frames, 68, 2)
    landmarks.
    """
    eyes = [landmarks[:, part].mean(axis=1) for part in (slice(36, 42), slice(42, 48))]
    return np.round(np.stack([*eyes, landmarks[:, 33], landmarks[:, 48], landmarks[:, 54]], axis=1)).astype(np.int64)


def float_mfcc(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """(rows, 13) of `operators.models.mfcc`, as if the sound were not brought to 16 bits: only the energy, the first
    one, tells.
    """
    from operators.models.mfcc import mfcc

    cepstra = mfcc(samples)
    cepstra[:, 0] = np.maximum(
        cepstra[:, 0] - 2 * np.log(32768), np.log(np.finfo(float).eps)
    )  # which stands for silence
    return cepstra


def _is_mfcc(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] >= _ROWS and shape[1] == 13


def _frame_problems(folder: Path, n: str) -> Iterator[str]:
    from scipy.io import loadmat

    for number in range(FRAMES):
        frame = folder / "Data" / n / f"frame{number}"
        if problem := picture_problem(frame.with_suffix(".png")):
            yield f"Data/{n}/frame{number}.png: {problem}"
        text = frame.with_suffix(".txt")
        words = [line.split(" ") for line in text.read_text().splitlines()] if text.is_file() else []
        if len(words) != 5 or any(
            len(row) != 2 or not all(word.lstrip("-").isdigit() for word in row) for row in words
        ):
            yield f"Data/{n}/frame{number}.txt: holds no five lines of two whole numbers"
        if number >= _TRAINED:
            continue
        try:
            shape = np.shape(loadmat(str(folder / _COEFF / n / f"frame{number}.mat"))["coeff"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            yield f"{_COEFF}/{n}/frame{number}.mat: does not read ({type(error).__name__})"
            continue
        if shape != (1, 257):
            yield f"{_COEFF}/{n}/frame{number}.mat: coeff is {shape}, not (1, 257)"
