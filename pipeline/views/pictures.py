"""Frames to look at, with what was found in them drawn on: the face's box, its landmarks, the axes of its head."""

import io
import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.views.facts import Fact, Line, Part

Rgb = NDArray[np.uint8]  # (height, width, 3)
SPEAKS, SILENT, UNKNOWN = "#37b24d", "#f08c00", "#1c7ed6"  # of a box: its face speaks, is still, was not asked
POINT = "#22e6ff"
AXES = ("#fa5252", "#51cf66", "#4dabf7")  # to the face's own right in the picture, up, and out of it
SIDE_PX = 220
QUALITY = 82  # of JPEG: a frame of 220 pixels takes about 10 kB


@dataclass(frozen=True)
class Marks:
    """What is drawn on a frame, in its pixels."""

    box: Sequence[float] = ()  # left, top, right, bottom
    colour: str = UNKNOWN  # of the box
    points: NDArray[np.float64] | None = None  # (n, 2)
    pose_deg: tuple[float, float, float] | None = None  # yaw, pitch, roll, as in the table of landmarks


@dataclass(frozen=True)
class Still:
    """A picture with a line below it."""

    caption: str
    jpeg: bytes  # b"" where the picture cannot be had

    def html(self, width: int = SIDE_PX) -> str:
        """The picture inside the page, so that it needs no file beside it."""
        alt = escape(self.caption.partition("\n")[0])
        shown = (
            f'<img src="{data_uri(self.jpeg)}" width="{width}" alt="{alt}">'
            if self.jpeg
            else "<i>no picture within reach</i>"
        )
        told = escape(self.caption).replace("\n", "<br>")
        return f"{shown}<br><small>{told}</small>"


@dataclass(frozen=True)
class Stills(Fact):
    """Some pictures side by side."""

    title: str
    stills: tuple[Still, ...]
    columns: int = 4

    def parts(self) -> Iterator[Part]:
        yield Line.of(self.title)
        for still in self.stills:
            yield Line.of(still.caption, indent=2)

    def _repr_html_(self) -> str:
        return tiled([still.html() for still in self.stills], self.columns, self.title)


def tiled(cells: Sequence[str], columns: int, title: str = "") -> str:
    """A table of cells that are HTML already. A table, not CSS: pages that show notebooks take styles away.

    Args:
        title: text of anybody.
    """
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    body = ""
    for row in rows:
        tds = (f'<td style="text-align:left;vertical-align:top" align="left" valign="top">{one}</td>' for one in row)
        body += f"<tr>{''.join(tds)}</tr>"
    head = f"<p>{escape(title)}</p>" if title else ""
    return f'<div class="headset">{head}<table>{body}</table></div>'


def data_uri(content: bytes, kind: str = "image/jpeg") -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"


def jpeg_of(rgb: Rgb, marks: Iterable[Marks] = (), side_px: int = SIDE_PX) -> bytes:
    """The frame with its marks as JPEG, its longer side `side_px` at most."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(rgb)
    pen = ImageDraw.Draw(image)
    for one in marks:
        _draw(pen, one, max(image.size) / side_px)
    image.thumbnail((side_px, side_px))
    image.save(sink := io.BytesIO(), "JPEG", quality=QUALITY)
    return sink.getvalue()


def _draw(pen: Any, marks: Marks, scale: float) -> None:
    """
    Args:
        scale: pixels of the frame to one of the picture: lines are as thick in all.
    """
    line = max(1, round(1.6 * scale))
    if len(marks.box):
        pen.rectangle([float(edge) for edge in marks.box], outline=marks.colour, width=line)
    if marks.points is None or np.isnan(marks.points).any():
        return
    radius = 0.6 * scale
    for x, y in marks.points[:, :2].tolist():
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=POINT)
    if marks.pose_deg is not None and not np.isnan(marks.pose_deg).any():
        reach = 0.45 * float(np.ptp(marks.points[:, 0]))
        x, y = marks.points[1, :2].tolist()  # the tip of the nose
        for (right, up), colour in zip(axes_of(*marks.pose_deg), AXES, strict=True):
            pen.line((x, y, x + reach * right, y - reach * up), fill=colour, width=max(2, round(2 * scale)))


def axes_of(yaw_deg: float, pitch_deg: float, roll_deg: float) -> list[tuple[float, float]]:
    """Where the head's own axes point in the picture, right and up of each, of length 1 before they are seen from the
    front.

    The first leads to the picture's right for an upright head, the second up, the third out of the face. The inverse of
    `operators.models.face_geometry.head_pose_deg`.
    """
    yaw, pitch, roll = (math.radians(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    forward = np.array([math.cos(pitch) * math.sin(yaw), math.sin(pitch), math.cos(pitch) * math.cos(yaw)])
    level = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
    across = math.cos(roll) * level - math.sin(roll) * np.cross(forward, level)
    up = np.cross(forward, across)
    return [(float(axis[0]), float(axis[1])) for axis in (across, up, forward)]
