"""Videos whose cuts, dissolves and fades are known because they are made; `tests/cut_suite.py` has sixty of them.

A video is a list of shots and of what joins them. Shots show scenes: drawn ones by default (a texture with the
statistics of photographs, a head that sways before it, grain), or given, as the benchmark does with real films. Frame
numbers count from 0. A cut is at the first frame of the new shot; a gradual transition lasts from the first frame that
is no more the old shot alone to the first that is the new one alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from tests.drawn_scenes import CANVAS, OVERLAYS, SIZE, Picture, Scene, drawn, mixed
from tests.made_videos import write_video

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


def seen(canvas: Picture, x: float, y: float, zoom: float) -> Picture:
    """(180, 320, 3): what a camera sees of a scene, mirrored beyond the scene's edges."""
    matrix = np.array(
        [[1 / zoom, 0, CANVAS[0] / 2 + x - SIZE[0] / 2 / zoom], [0, 1 / zoom, CANVAS[1] / 2 + y - SIZE[1] / 2 / zoom]]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(canvas, matrix, SIZE, flags=flags, borderMode=cv2.BORDER_REFLECT)  # pyright: ignore[reportReturnType]
