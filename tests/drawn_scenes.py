"""Scenes that look a little like films, drawn; and what flashes or moves over them without being a cut."""

from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = (320, 180)
CANVAS = (400, 225)  # a scene is larger than the picture, so that the camera can move in it
Picture = NDArray[np.uint8]
Scene = Callable[[float], Picture]  # from seconds to (225, 400, 3)


def mixed(old: Picture, new: Picture, share: float) -> Picture:
    """(h, w, 3): `share` of the new picture and the rest of the old, as editors mix them: in the stored values."""
    return cv2.addWeighted(old, 1 - share, new, share, 0)  # pyright: ignore[reportReturnType]


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
        opening = 0.04 + 0.1 * abs(np.sin(2 * np.pi * 2.1 * at_s))
        _disc(picture, (x, y + 2.6 * size), (1.7 * size, 1.6 * size), coat.tolist())
        _disc(picture, (x, y), (0.75 * size, size), skin.tolist())
        for side in (-1, 1):
            eye = round(x + side * 0.3 * size), round(y - 0.2 * size)
            cv2.circle(picture, eye, round(0.1 * size), (40, 30, 30), -1, cv2.LINE_AA)
        _disc(picture, (x, y + 0.5 * size), (0.3 * size, opening * size), (90, 30, 40))
        frame = round(at_s * 1000)
        dx, dy = frame * 37 % width, frame * 61 % height
        return np.clip(picture + grain[dy : dy + height, dx : dx + width], 0, 255).astype(np.uint8)

    return scene


def _disc(
    picture: NDArray[np.float32], at: tuple[float, float], half: tuple[float, float], colour: Sequence[float]
) -> None:
    """Draws a filled ellipse around a point, with these half axes."""
    (x, y), (wide, high) = at, half
    cv2.ellipse(picture, (round(x), round(y)), (round(wide), round(high)), 0, 0, 360, colour, -1, cv2.LINE_AA)


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
