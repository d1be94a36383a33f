"""Sixty short videos whose cuts, dissolves and fades are known because they were made: the suite of
`benchmarks/accuracy/cuts.py`.

A video is a list of shots and of what joins them. Shots show scenes: drawn here by default (a texture with the
statistics of photographs, a head that sways before it, grain), or given, as the benchmark does with real films. Frame
numbers count from 0. A cut is at the first frame of the new shot; a gradual transition lasts from the first frame that
is no more the old shot alone to the first that is the new one alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.made_videos import write_video

SIZE = (320, 180)
CANVAS = (400, 225)  # a scene is larger than the picture, so that the camera can move in it
Picture = NDArray[np.uint8]
Scene = Callable[[float], Picture]  # from seconds to (225, 400, 3)
Colour = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True)
class Truth:
    """One transition, in frames. `kind` as in the table `transitions`."""

    kind: str
    first: int
    end: int  # equal to `first` for a cut


@dataclass(frozen=True)
class Shot:
    """Frames of one scene alone. `events` are what happens in it that is no transition: (name, first frame within the
    shot, frames, amount).
    """

    frames: int
    scene: int
    events: tuple[tuple[str, int, int, float], ...] = ()


@dataclass(frozen=True)
class Dissolve:
    """Mixed frames, as many as said; eased ones begin and end slowly."""

    frames: int
    eased: bool = False


@dataclass(frozen=True)
class Fade:
    """Frames on the way to a colour, of the colour alone, and on the way back; 0 of the first or last for a side that
    is a cut or a source's edge.
    """

    out: int
    hold: int
    back: int
    colour: Colour = BLACK


Part = Shot | Dissolve | Fade  # two shots in a row are a cut


@dataclass(frozen=True)
class Made:
    """A video to make. `encoding` are arguments of `write_video`."""

    name: str
    parts: tuple[Part, ...]
    fps: float = 25
    suffix: str = ".mp4"
    start_s: float = 0.0
    gaps: tuple[float, ...] = (1.0,)  # between frames, in frames, over and over: a variable rate where they differ
    encoding: dict = field(default_factory=dict)
    held_back: bool = False  # never looked at while the detectors were tuned

    @property
    def frames(self) -> int:
        lengths = [part.out + part.hold + part.back if isinstance(part, Fade) else part.frames for part in self.parts]
        return sum(lengths)

    @property
    def times_s(self) -> list[float]:
        steps = [self.gaps[n % len(self.gaps)] / self.fps for n in range(self.frames - 1)]
        return [float(at) for at in self.start_s + np.concatenate([[0.0], np.cumsum(steps)])]

    @property
    def truth(self) -> list[Truth]:
        found, at, before = [], 0, None
        for part in self.parts:
            if isinstance(part, Shot):
                if isinstance(before, Shot):
                    found.append(Truth("cut", at, at))
                at += part.frames
            elif isinstance(part, Dissolve):
                found.append(Truth("dissolve", at, at + part.frames))
                at += part.frames
            else:
                kind = "fade" if part.out and part.back else "fade_out" if part.out else "fade_in"
                found.append(Truth(kind, at, at + part.out + part.hold + part.back))
                at += part.out + part.hold + part.back
            before = part
        return found

    def write(self, folder: Path, scenes: Sequence[Scene] = ()) -> Path:
        """Writes the video into a folder and returns its path. `scenes` replace the drawn ones, each number by its
        place in the list.
        """

        def scene(number: int) -> Scene:
            return scenes[number % len(scenes)] if scenes else drawn(number)

        pictures: list[Callable[[], Picture]] = []
        for place, part in enumerate(self.parts):
            after = self._shot(place, 1) if not isinstance(part, Shot) else None
            before = self._shot(place, -1) if not isinstance(part, Shot) else None
            if isinstance(part, Shot):
                pictures += [self._of_shot(part, scene(part.scene), len(pictures) + n, n) for n in range(part.frames)]
            elif isinstance(part, Dissolve) and before and after:
                for n in range(part.frames):
                    share = (n + 1) / (part.frames + 1)
                    share = share * share * (3 - 2 * share) if part.eased else share
                    now = len(pictures)
                    old = self._of_shot(before, scene(before.scene), now, before.frames + n)
                    new = self._of_shot(after, scene(after.scene), now, n - part.frames)
                    pictures.append(lambda old=old, new=new, share=share: mixed(old(), new(), share))
            elif isinstance(part, Fade):
                flat = np.full((SIZE[1], SIZE[0], 3), part.colour, np.uint8)
                for n in range(part.out + part.hold + part.back):
                    now = len(pictures)
                    if n < part.out and before:
                        old = self._of_shot(before, scene(before.scene), now, before.frames + n)
                        pictures.append(
                            lambda old=old, share=(n + 1) / (part.out + 1), flat=flat: mixed(old(), flat, share)
                        )
                    elif n < part.out + part.hold or not after:
                        pictures.append(lambda flat=flat: flat)
                    else:
                        back = n - part.out - part.hold
                        new = self._of_shot(after, scene(after.scene), now, back - part.back)
                        pictures.append(
                            lambda new=new, share=(back + 1) / (part.back + 1), flat=flat: mixed(flat, new(), share)
                        )
        times_s = self.times_s
        number = {round(at * 1e6): n for n, at in enumerate(times_s)}
        options = {"fps": self.fps, "crf": 23, "keyframe_every": 250, "size": SIZE, **self.encoding}
        return write_video(
            folder / f"{self.name}{self.suffix}",
            [(lambda at: pictures[number[round(at * 1e6)]](), 1e6)],
            times_s=times_s,
            **options,
        )

    def _shot(self, place: int, step: int) -> Shot | None:
        beside = self.parts[place + step] if 0 <= place + step < len(self.parts) else None
        return beside if isinstance(beside, Shot) else None

    def _of_shot(self, shot: Shot, scene: Scene, frame: int, within: int) -> Callable[[], Picture]:
        def made() -> Picture:
            picture = scene(frame / self.fps)
            x, y, zoom = 0.0, 0.0, 1.0
            for name, first, frames, amount in shot.events:
                at = (within - first) / frames
                if name == "pan":  # amount: widths of the picture from the first frame to the last
                    x += amount * SIZE[0] * min(max(at, 0), 1)
                elif name == "shake" and 0 <= at < 1:  # amount: pixels
                    x += amount * np.sin(2 * np.pi * 3.1 * frame / self.fps) + amount / 2 * np.sin(
                        2 * np.pi * 7.3 * frame / self.fps
                    )
                    y += amount * np.sin(2 * np.pi * 2.3 * frame / self.fps + 1)
                elif name == "zoom":  # amount: how much larger at the end
                    zoom *= 1 + (amount - 1) * min(max(at, 0), 1)
            picture = seen(picture, x, y, zoom)
            for name, first, frames, amount in shot.events:
                at = (within - first) / frames
                if name in OVERLAYS and 0 <= at < 1:
                    picture = OVERLAYS[name](picture, at, amount)
                elif name == "exposure":
                    picture = np.clip(picture * (1 + (amount - 1) * min(max(at, 0), 1)), 0, 255).astype(np.uint8)
            return picture

        return made


def mixed(old: Picture, new: Picture, share: float) -> Picture:
    """(h, w, 3): `share` of the new picture and the rest of the old, as editors mix them: in the stored values."""
    return cv2.addWeighted(old, 1 - share, new, share, 0)  # pyright: ignore[reportReturnType]


def seen(canvas: Picture, x: float, y: float, zoom: float) -> Picture:
    """(180, 320, 3): what a camera sees of a scene, mirrored beyond the scene's edges."""
    matrix = np.array(
        [[1 / zoom, 0, CANVAS[0] / 2 + x - SIZE[0] / 2 / zoom], [0, 1 / zoom, CANVAS[1] / 2 + y - SIZE[1] / 2 / zoom]]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(canvas, matrix, SIZE, flags=flags, borderMode=cv2.BORDER_REFLECT)  # pyright: ignore[reportReturnType]


@cache
def drawn(number: int) -> Scene:
    """A scene that looks a little like a film: a background as photographs are (amplitude falls with frequency), a head
    that sways, grain.
    """
    rng = np.random.default_rng(1000 + number)
    width, height = CANVAS
    background = _texture(rng, width, height, contrast=rng.uniform(30, 55), light=rng.uniform(60, 170))
    skin = np.array([rng.uniform(120, 230), rng.uniform(90, 180), rng.uniform(70, 150)])
    coat = rng.uniform(10, 200, 3)
    place, size, sway, speed = (
        rng.uniform(0.3, 0.7) * width,
        rng.uniform(0.15, 0.3) * height,
        rng.uniform(3, 14),
        rng.uniform(0.2, 0.6),
    )
    grain = rng.normal(0, 2.5, (2 * height, 2 * width, 1)).astype(np.float32)

    def scene(at_s: float) -> Picture:
        picture = background.copy()
        x = place + sway * np.sin(2 * np.pi * speed * at_s)
        y = 0.42 * height + sway / 4 * np.sin(2 * np.pi * speed * 1.7 * at_s)
        cv2.ellipse(
            picture,
            (round(x), round(y + 2.6 * size)),
            (round(1.7 * size), round(1.6 * size)),
            0,
            0,
            360,
            coat.tolist(),
            -1,
            cv2.LINE_AA,
        )
        cv2.ellipse(
            picture, (round(x), round(y)), (round(0.75 * size), round(size)), 0, 0, 360, skin.tolist(), -1, cv2.LINE_AA
        )
        for side in (-1, 1):
            cv2.circle(
                picture,
                (round(x + side * 0.3 * size), round(y - 0.2 * size)),
                round(0.1 * size),
                (40, 30, 30),
                -1,
                cv2.LINE_AA,
            )
        opening = 0.04 + 0.1 * abs(np.sin(2 * np.pi * 2.1 * at_s))
        cv2.ellipse(
            picture,
            (round(x), round(y + 0.5 * size)),
            (round(0.3 * size), round(opening * size)),
            0,
            0,
            360,
            (90, 30, 40),
            -1,
            cv2.LINE_AA,
        )
        frame = round(at_s * 1000)
        dx, dy = frame * 37 % width, frame * 61 % height
        return np.clip(picture + grain[dy : dy + height, dx : dx + width], 0, 255).astype(np.uint8)

    return scene


def _texture(rng: np.random.Generator, width: int, height: int, contrast: float, light: float) -> NDArray[np.float32]:
    """(h, w, 3) float32 noise whose amplitude is the inverse of its frequency, one for light and weaker ones for
    colour.
    """
    fx, fy = np.fft.fftfreq(width)[None], np.fft.fftfreq(height)[:, None]
    amplitude = 1 / np.maximum(np.hypot(fx, fy), 1 / width)
    planes = []
    for _ in range(4):
        noise = np.fft.ifft2(amplitude * np.exp(2j * np.pi * rng.random((height, width)))).real
        planes.append(noise / noise.std())
    colour = light + rng.uniform(-30, 30, 3)
    picture = np.stack([colour[n] + contrast * (planes[0] + 0.2 * planes[n + 1]) for n in range(3)], axis=2)
    return np.clip(picture, 0, 255).astype(np.float32)


def _flash(picture: Picture, at: float, amount: float) -> Picture:
    return np.clip(picture * 0.4 + 255 * amount, 0, 255).astype(np.uint8)


def _strobe(picture: Picture, at: float, amount: float) -> Picture:
    return _flash(picture, at, amount) if round(at * 40) % 8 < 2 else picture


def _black(picture: Picture, at: float, amount: float) -> Picture:
    return np.zeros_like(picture)


def _wave(picture: Picture, at: float, amount: float) -> Picture:
    """A hand near the camera, waved five times; amount: its share of the picture's height."""
    picture = picture.copy()
    x = SIZE[0] * (0.5 + 0.4 * np.sin(2 * np.pi * 5 * at))
    radius = amount * SIZE[1] / 2
    cv2.ellipse(
        picture,
        (round(x), SIZE[1] // 2),
        (round(radius * 0.7), round(radius)),
        20,
        0,
        360,
        (205, 160, 130),
        -1,
        cv2.LINE_AA,
    )
    cv2.line(
        picture,
        (round(x), SIZE[1] // 2),
        (round(SIZE[0] * 0.5), SIZE[1]),
        (60, 60, 90),
        round(radius * 0.7),
        cv2.LINE_AA,
    )
    return picture


def _cross(picture: Picture, at: float, amount: float) -> Picture:
    """Somebody walks through the picture, near the camera; amount: his share of the picture's width."""
    picture = picture.copy()
    x = round(SIZE[0] * (at * (1 + 2 * amount) - amount))
    cv2.rectangle(
        picture, (x - round(SIZE[0] * amount / 2), 10), (x + round(SIZE[0] * amount / 2), SIZE[1]), (50, 45, 70), -1
    )
    cv2.circle(picture, (x, 40), 30, (180, 140, 120), -1, cv2.LINE_AA)
    return picture


def _title(picture: Picture, at: float, amount: float) -> Picture:
    """Lettering that fades in and out."""
    lettered = picture.copy()
    cv2.putText(lettered, "A TITLE", (40, 110), cv2.FONT_HERSHEY_DUPLEX, 2.0, (255, 255, 255), 6, cv2.LINE_AA)
    return mixed(picture, lettered, amount * min(1.0, 4 * at, 4 * (1 - at)))


def _inset(picture: Picture, at: float, amount: float) -> Picture:
    """A small picture within the picture, that comes and goes at once; amount: its share of the height."""
    height, width = round(SIZE[1] * amount), round(SIZE[0] * amount)
    picture = picture.copy()
    picture[8 : 8 + height, 8 : 8 + width] = cv2.resize(
        drawn(77)(at * 3), (width, height), interpolation=cv2.INTER_AREA
    )
    return picture


OVERLAYS: dict[str, Callable[[Picture, float, float], Picture]] = {
    "flash": _flash, "strobe": _strobe, "black": _black, "wave": _wave, "cross": _cross, "title": _title,
    "inset": _inset,
}  # fmt: skip


def suite() -> list[Made]:
    """The sixty videos. Every second one of a group is held back."""
    groups = [_cuts(), _dissolves(), _fades(), _quiet(), _containers()]
    videos = [replace(made, held_back=place % 2 == 1) for group in groups for place, made in enumerate(group)]
    assert len(videos) == 60
    assert len({made.name for made in videos}) == 60
    return videos


def _shots(first_scene: int, *lengths: int) -> tuple[Shot, ...]:
    return tuple(Shot(frames, first_scene + n) for n, frames in enumerate(lengths))


def _joined(joins: Sequence[Part], first_scene: int, length: int) -> tuple[Part, ...]:
    """Shots of one length with these joins between them."""
    parts: list[Part] = [Shot(length, first_scene)]
    for n, join in enumerate(joins):
        parts += [join, Shot(length, first_scene + n + 1)]
    return tuple(parts)


def _cuts() -> list[Made]:
    plain = [
        Made(f"cuts_{fps:g}_fps", _shots(3 * n, *(round(fps * seconds) for seconds in lengths)), fps=fps)
        for n, (fps, lengths) in enumerate(
            [
                (10, (2, 1.5, 2.5)), (12.5, (2, 1.2, 2)), (15, (2, 1, 1.5)), (23.976, (2, 1, 2)),
                (25, (2, 0.6, 2)), (29.97, (2, 1, 1)), (50, (1.5, 0.6, 1.5)), (60, (1, 1, 1.5)),
            ]
        )
    ]  # fmt: skip
    moving = Made(
        "cuts_while_panning",
        (Shot(40, 31, (("pan", 0, 40, 0.6),)), Shot(40, 32, (("pan", 0, 40, -0.9),)), Shot(40, 33)),
    )
    shaken = Made("cuts_from_the_hand", tuple(Shot(45, 34 + n, (("shake", 0, 45, 6),)) for n in range(3)))
    dark = Made("cuts_in_the_dark", tuple(Shot(45, 37 + n, (("exposure", -1000, 1, 0.3),)) for n in range(3)))
    short = Made("cuts_after_a_quarter_second", _shots(40, 40, 7, 9, 40))
    zoomed = Made("cut_to_the_same_closer", (Shot(50, 44), Shot(50, 44, (("zoom", -1, 1, 1.6),))))
    wave = Made("cut_after_a_waved_hand", (Shot(60, 45, (("wave", 5, 50, 0.9),)), Shot(50, 46)))
    return [*plain, moving, shaken, dark, short, zoomed, wave]


def _dissolves() -> list[Made]:
    made = [
        Made(f"dissolves_of_{first}_and_{second}", _joined((Dissolve(first), Dissolve(second)), 50 + 3 * n, 40))
        for n, (first, second) in enumerate([(3, 5), (8, 12), (10, 15), (20, 25), (18, 30), (38, 50), (40, 60)])
    ]
    return [
        *made,
        Made("dissolves_eased", _joined((Dissolve(14, True), Dissolve(26, True)), 80, 40)),
        Made("dissolves_eased_at_30_fps", _joined((Dissolve(12, True), Dissolve(30, True)), 83, 40), fps=30),
        Made("dissolves_at_60_fps", _joined((Dissolve(30), Dissolve(60)), 86, 70), fps=60),
        Made("dissolve_while_panning", (Shot(40, 92, (("pan", 0, 60, 0.2),)), Dissolve(20),
                                        Shot(40, 93, (("pan", -20, 60, -0.2),)))),
        Made("dissolve_from_the_hand", (Shot(40, 94, (("shake", 0, 80, 4),)), Dissolve(20),
                                        Shot(40, 95, (("shake", -40, 90, 4),)))),
        Made("dissolve_between_dark", (Shot(40, 96, (("exposure", -1000, 1, 0.35),)), Dissolve(20),
                                       Shot(40, 97, (("exposure", -1000, 1, 0.35),)))),
        Made("dissolve_and_cut", (Shot(35, 98), Dissolve(15), Shot(30, 99), Shot(40, 100))),
    ]  # fmt: skip


def _fades() -> list[Made]:
    return [
        Made("fade_through_black", _joined((Fade(12, 3, 12),), 110, 50)),
        Made("fade_through_black_fast", _joined((Fade(5, 1, 5),), 112, 50)),
        Made("fade_through_black_slow", _joined((Fade(30, 12, 30),), 114, 50)),
        Made("fade_through_black_30_fps", _joined((Fade(15, 6, 20),), 116, 60), fps=30),
        Made("fade_through_white", _joined((Fade(12, 3, 12, WHITE),), 118, 50)),
        Made("fade_through_white_slow", _joined((Fade(25, 2, 30, WHITE),), 120, 50)),
        Made("fade_in_and_out", (Fade(0, 5, 20), Shot(60, 122), Fade(25, 8, 0))),
        Made("fade_in_and_out_white", (Fade(0, 2, 12, WHITE), Shot(60, 123), Fade(15, 3, 0, WHITE))),
        Made("fade_out_then_cut", (Shot(50, 124), Fade(20, 5, 0), Shot(50, 125))),
        Made("cut_to_black_then_in", (Shot(50, 126), Fade(0, 6, 20), Shot(50, 127))),
        Made("fade_of_a_dark_scene", (Shot(50, 128, (("exposure", -1000, 1, 0.4),)), Fade(15, 5, 15),
                                      Shot(50, 129, (("exposure", -1000, 1, 0.4),)))),
        Made("fade_and_cut", (Shot(45, 130), Fade(15, 4, 15), Shot(40, 131), Shot(40, 132))),
    ]  # fmt: skip


def _quiet() -> list[Made]:
    """Nothing here is a transition."""
    events = {
        "flash_of_one_frame": (("flash", 40, 1, 0.8),),
        "flash_of_three_frames": (("flash", 40, 3, 0.9), ("flash", 80, 2, 0.7)),
        "strobe": (("strobe", 40, 40, 0.6),),
        "black_frame": (("black", 50, 1, 1.0),),
        "fast_pan": (("pan", 30, 25, 1.5),),
        "whip_pan": (("pan", 50, 9, 1.2),),
        "waved_hand": (("wave", 20, 80, 0.8),),
        "shaking_camera": (("shake", 0, 120, 14),),
        "dimmed": (("exposure", 30, 40, 0.4),),
        "someone_passes": (("cross", 40, 20, 0.5),),
        "title_over_the_picture": (("title", 30, 60, 1.0),),
        "inset_comes_and_goes": (("inset", 40, 50, 0.35),),
    }
    return [Made(name, (Shot(120, 140 + n, what),)) for n, (name, what) in enumerate(events.items())]


def _containers() -> list[Made]:
    mixture = (Shot(45, 170), Shot(40, 171), Dissolve(16), Shot(40, 172))
    low = {"crf": 42, "keyframe_every": 24}
    return [
        Made("low_bitrate", _shots(160, 75, 75), encoding=low),
        Made("low_bitrate_panned", (Shot(150, 162, (("pan", 0, 150, 0.5),)),), encoding=low),
        Made("variable_rate", mixture, fps=30, suffix=".mkv", gaps=(1.0, 1.0, 2.0, 1.0, 3.0, 1.0)),
        Made(
            "variable_rate_jitter",
            (*mixture, Fade(15, 4, 15), Shot(40, 173)),
            fps=25,
            suffix=".mkv",
            gaps=(0.8, 1.2, 0.9, 1.1),
        ),
        Made("late_first_frame", mixture, suffix=".mkv", start_s=0.85),
        Made(
            "transport_stream", (*mixture, Fade(15, 4, 0)), suffix=".ts", start_s=10.0, encoding={"keyframe_every": 50}
        ),
        Made("mpeg4", mixture, suffix=".mp4", encoding={"codec": "mpeg4", "keyframe_every": 24}),
        Made(
            "hevc_with_many_b_frames", (*mixture, Shot(30, 174)), encoding={"codec": "libx265", "keyframe_every": 120}
        ),
    ]
