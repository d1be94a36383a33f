"""The angle of known colours on the skin of a mesh; the colours are made by formulas that are not the operator's."""

import math
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from manifests.tables import FaceLandmarks
from operators.base import Drop
from operators.faces.score_skin_tone import PATCHES, ScoreSkinTone, ita_deg
from operators.media.containers import Display
from operators.media.frames import SourceFrame
from operators.models.face_geometry import landmarks_of
from tests.operators.faces.portraits import CLIP, mesh_of, portrait, track

DISPLAY = Display(512, 512, False, False, False, 0)


def srgb(lightness: float, a: float, b: float) -> tuple[int, int, int]:
    """Levels of a CIELAB colour under D65: CIE 15:2004, then IEC 61966-2-1."""
    y = (lightness + 16) / 116
    xyz = np.array([t**3 if t > 6 / 29 else 3 * (6 / 29) ** 2 * (t - 4 / 29) for t in (y + a / 500, y, y - b / 200)])
    to_rgb = np.linalg.inv([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    linear = to_rgb @ (xyz * (0.9505, 1.0, 1.0890))
    red, green, blue = (12.92 * one if one <= 0.0031308 else 1.055 * one ** (1 / 2.4) - 0.055 for one in linear)
    return round(red * 255), round(green * 255), round(blue * 255)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> FaceLandmarks:
    return mesh_of(tmp_path_factory.mktemp("mesh"), portrait(), track())


def painted(mesh: FaceLandmarks, *colours: tuple[int, int, int], around: tuple[int, int, int] = (30, 200, 250)):
    """A frame at each second of a look in which each patch, and two pixels around it, has a colour."""
    import cv2

    points = landmarks_of(mesh)[0, :, :2]
    picture = np.full((512, 512, 3), around, np.uint8)
    for patch, colour in zip(PATCHES, colours, strict=True):
        outline = np.rint(np.asarray(cv2.convexHull(points[list(patch)].astype(np.float32)))).astype(np.int32)
        cv2.fillConvexPoly(picture, outline, colour)
        cv2.polylines(picture, [outline], True, colour, 4)
    return SourceFrame(av.VideoFrame.from_ndarray(picture, format="rgb24"), mesh.times_s[0], DISPLAY)


def scores(mesh: FaceLandmarks, *frames: SourceFrame) -> dict[str, float]:
    return {row.metric: row.value for row in ScoreSkinTone()(CLIP, [mesh], frames)}  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "lab", [(72.0, 9.0, 14.0), (64.0, 12.0, 17.0), (52.0, 12.0, 18.0), (38.0, 12.0, 15.0), (25.0, 8.0, 8.0)]
)
def test_the_angle_is_that_of_the_colour_on_the_skin(mesh: FaceLandmarks, lab: tuple[float, float, float]) -> None:
    found = scores(mesh, painted(mesh, *[srgb(*lab)] * 3))
    # A level of 255 is up to 0.4 of L* and 0.7 of b*.
    assert found["skin_ita_deg"] == pytest.approx(math.degrees(math.atan((lab[0] - 50) / lab[2])), abs=2.0)
    assert found["skin_uneven_deg"] == 0


def test_what_is_no_skin_does_not_count(mesh: FaceLandmarks) -> None:
    colours = [srgb(60, 12, 16)] * 3
    one, other = (scores(mesh, painted(mesh, *colours, around=around)) for around in ((0, 0, 0), (255, 40, 40)))
    assert one == other


def test_cheeks_in_uneven_light_are_told(mesh: FaceLandmarks) -> None:
    found = scores(mesh, painted(mesh, srgb(66, 10, 16), srgb(50, 10, 16), srgb(66, 10, 16)))
    assert found["skin_uneven_deg"] == pytest.approx(45, abs=2)
    assert found["skin_ita_deg"] == pytest.approx(45, abs=2)  # the median of all skin


@pytest.mark.parametrize("colour", [(252, 230, 220), (4, 3, 2), (120, 120, 120), (110, 120, 140), srgb(60, 6, 3)])
def test_burnt_black_grey_and_bluish_skin_has_no_angle(mesh: FaceLandmarks, colour: tuple[int, int, int]) -> None:
    with pytest.raises(Drop, match="skin_not_seen"):
        scores(mesh, painted(mesh, *[colour] * 3))


def test_half_of_the_skin_must_be_exposed() -> None:
    skin, burnt = [np.full((10, 3), level, np.uint8) for level in (srgb(60, 12, 16), (255, 240, 230))]
    assert ita_deg(np.concatenate([skin, burnt[:9]])) == ita_deg(skin)
    assert math.isnan(ita_deg(np.concatenate([skin, burnt])))


def test_a_frame_without_a_mesh_is_not_looked_at(mesh: FaceLandmarks) -> None:
    frame = painted(mesh, *[srgb(60, 12, 16)] * 3)
    others = [False, *[True] * (len(mesh.seen) - 1)]
    for unseen in (replace(mesh, seen=others), replace(mesh, times_s=[at + 9 for at in mesh.times_s])):
        with pytest.raises(Drop, match="no_face"):
            scores(unseen, frame)


def test_patches_lie_on_skin(mesh: FaceLandmarks) -> None:
    """Of the astronaut, whose cheeks and forehead are free: no pixel of eyes, hair or suit is among them."""
    frame = SourceFrame(av.VideoFrame.from_ndarray(portrait(), format="rgb24"), 0.0, DISPLAY)
    points = landmarks_of(mesh)[0, :, :2]
    pixels = ScoreSkinTone().skin(frame, points)
    assert all(len(some) > 100 for some in pixels)
    skin = np.concatenate(pixels).astype(int)
    assert ((skin[:, 0] > skin[:, 1]) & (skin[:, 1] > skin[:, 2]) & (skin[:, 0] > 120)).mean() > 0.98
    assert 10 < ita_deg(skin.astype(np.uint8)) < 75


def test_it_is_the_same_at_any_size(tmp_path: Path, mesh: FaceLandmarks) -> None:
    frame = SourceFrame(av.VideoFrame.from_ndarray(portrait(), format="rgb24"), mesh.times_s[0], DISPLAY)
    (small,) = (
        row.value
        for row in ScoreSkinTone(side_px=48)(CLIP, [mesh], [frame])  # pyright: ignore[reportArgumentType]
        if row.metric == "skin_ita_deg"
    )
    assert small == pytest.approx(scores(mesh, frame)["skin_ita_deg"], abs=2)
