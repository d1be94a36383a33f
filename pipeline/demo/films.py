"""The films of the sample: what each shows and lets hear, and how its shots ought to end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.media.containers import open_media

WIDTH, HEIGHT, FPS, HZ = 1280, 720, 25, 16000
PARTS = {
    "collins": ("scikit-image", "skimage/data/astronaut.png"),
    "hopper": ("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg"),
    "coffee": ("scikit-image", "skimage/data/coffee.png"),
    "rocket": ("scikit-image", "skimage/data/rocket.jpg"),
    "voices": ("pyannote.audio", "pyannote/audio/sample/sample.wav"),
    "turns": ("pyannote.audio", "pyannote/audio/sample/sample.rttm"),
}
VOICE = {"collins": "speaker90", "hopper": "speaker91"}  # of whom, by the names of the RTTM file
# Seconds of the recording in which one voice is heard alone.
_ALONE = {
    "collins": [(8.32, 9.92), (11.03, 14.49), (18.59, 21.49), (28.5, 30.0)],
    "hopper": [(14.7, 17.92), (21.78, 27.85), (7.55, 8.32)],
}
_BREATH_S = 0.3


@dataclass(frozen=True)
class View:
    """A part of the picture that shows one photograph."""

    of: str
    centre: tuple[float, float]  # the photograph's pixel in the middle of the view
    scale: float  # pixels of the video a pixel of the photograph
    left: int = 0
    width: int = WIDTH
    mouth: str = ""  # moves with this person's speech: the person in view, or nobody


@dataclass(frozen=True)
class Scene:
    """What a shot shows, and how the shot ought to end: with `clips`, or with the reason of a drop."""

    seconds: float
    views: tuple[View, ...]
    ends: str


@dataclass(frozen=True)
class Speech:
    who: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Film:
    name: str
    scenes: tuple[Scene, ...]
    sound: NDArray[np.float32]
    speech: tuple[Speech, ...]
    mute: bool = False  # mouths move with the sound, but nothing is heard


def films() -> Iterator[Film]:
    hopper = View("hopper", (256, 240), 2.5, mouth="hopper")
    collins = View("collins", (246, 150), 2.5, mouth="collins")
    collins_near = View("collins", (232, 135), 3.3, mouth="collins")
    collins_far = View("collins", (256, 256), 0.7, mouth="collins")
    collins_left = View("collins", (228, 150), 2.1, width=WIDTH // 2, mouth="collins")
    hopper_right = View("hopper", (258, 300), 1.25, left=WIDTH // 2, width=WIDTH // 2, mouth="hopper")
    hopper_left = View("hopper", (258, 290), 1.35, width=WIDTH // 2, mouth="hopper")
    collins_right = View("collins", (232, 158), 1.9, left=WIDTH // 2, width=WIDTH // 2, mouth="collins")
    collins_still = View("collins", (226, 140), 2.8)
    coffee, rocket = View("coffee", (300, 200), 2.2), View("rocket", (320, 240), 2.05)

    # The recording as it is: both in view for their first turns, then one, then the other.
    yield Film(
        "interview",
        (
            Scene(6.4, (coffee,), "no_face"),
            Scene(15.2, (collins_left, hopper_right), "clips"),
            Scene(6.12, (hopper,), "clips"),
            Scene(2.28, (collins,), "shot_short"),
        ),
        voices(),
        tuple(_turns()),
    )

    # What each says alone, put together to statements.
    scenes, sound, speech = [], [], []
    at_s = 0.0
    for who, order, views, ends in [
        ("collins", [1, 2, 0, 3], (collins,), "clips"),
        ("hopper", [0, 1, 2], (hopper,), "clips"),
        ("hopper", [1], (collins_still,), "voice_off_screen"),
        ("collins", [1], (rocket,), "no_face"),
        ("collins", [2, 3], (collins_far,), "face_small"),
        ("hopper", [2, 0, 1], (hopper_left, collins_right), "clips"),
        ("collins", [3, 1, 2, 0], (collins_near,), "clips"),
        ("collins", [0, 2, 1], (hopper_left, collins_right), "clips"),
    ]:
        said, spans = _statement([_ALONE[who][index] for index in order])
        scenes.append(Scene(len(said) / HZ, views, ends))
        sound.append(said)
        speech += [Speech(who, at_s + start_s, at_s + end_s) for start_s, end_s in spans]
        at_s += len(said) / HZ
    yield Film("statements", tuple(scenes), np.concatenate(sound), tuple(speech))

    # A sound track without a sound, under a face at rest, and under one whose mouth moves as if it spoke.
    said, spans = _statement(_ALONE["hopper"])
    scenes = (
        Scene(10.0, (collins_still,), "no_speech"),
        Scene(len(said) / HZ, (hopper,), "no_speech"),
        Scene(6.0, (rocket,), "no_face"),
    )
    sound = np.concatenate([np.zeros(10 * HZ, np.float32), said, np.zeros(6 * HZ, np.float32)])
    yield Film(
        "mute", scenes, sound, tuple(Speech("hopper", 10 + start_s, 10 + end_s) for start_s, end_s in spans), mute=True
    )


def part(name: str) -> Path:
    package, path = PARTS[name]
    return Path(str(distribution(package).locate_file(path)))


@cache
def voices() -> NDArray[np.float32]:
    with open_media(part("voices")) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return (np.concatenate(frames).astype(np.float32) / 32768).astype(np.float32)


def _turns() -> Iterator[Speech]:
    who = {voice: name for name, voice in VOICE.items()}
    for line in part("turns").read_text().splitlines():
        _, _, _, start_s, length_s, _, _, voice, *_ = line.split()
        yield Speech(who[voice], float(start_s), float(start_s) + float(length_s))


def _statement(pieces: Sequence[tuple[float, float]]) -> tuple[NDArray[np.float32], list[tuple[float, float]]]:
    """The pieces of the recording with a breath before each and after the last, whole frames long, and where each
    lies.
    """
    room = voices()[3 * HZ : 6 * HZ]  # nobody speaks yet
    spans, at_s = [], _BREATH_S
    for start_s, end_s in pieces:
        spans.append((round(at_s, 3), round(at_s + end_s - start_s, 3)))
        at_s += end_s - start_s + _BREATH_S
    sound = np.resize(room, int(np.ceil(at_s * FPS)) * HZ // FPS)
    for (start_s, end_s), (from_s, _) in zip(spans, pieces, strict=True):
        first, length = round(start_s * HZ), round((end_s - start_s) * HZ)
        sound[first : first + length] = voices()[round(from_s * HZ) :][:length]
    return sound, spans
