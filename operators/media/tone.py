"""Pictures of high dynamic range, shown as a player shows them on an ordinary screen.

PQ (SMPTE ST 2084) and HLG (ARIB STD-B67) by ITU-R BT.2100; diffuse white lies at 203 nits (ITU-R BT.2408), which
becomes the white of the ordinary picture. What is less bright than `KNEE` of it is kept as it is, so that a face has
the contrast that it has in the SDR version of the film; what is brighter is bent towards white, and colours beyond
BT.709 are clipped. HLG is shown as on a screen of 1000 nits.
"""

import tempfile
from functools import cache
from pathlib import Path

import av
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

Array = NDArray[np.float64]

PQ, HLG = int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)
WHITE_NITS = 203.0
HLG_NITS = 1000.0
KNEE = 0.9  # of diffuse white
NODES = 65  # of the table, along each axis; between them it is interpolated
# Linear light of BT.2020 primaries as that of BT.709's: ITU-R BT.2087, inverted.
TO_709 = np.linalg.inv([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])  # of BT.2020


def is_hdr(transfer: int) -> bool:
    """Whether a transfer characteristic, by its number in ITU-T H.273, is one of high dynamic range."""
    return transfer in (PQ, HLG)


def nits_of_pq(signal: Array) -> Array:
    """Light of a screen, 0 to 10000 cd/m2, of a signal of 0 to 1."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    return 10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def nits_of_hlg(signal: Array) -> Array:
    """(..., 3) light of a screen of `HLG_NITS`, of a signal of 0 to 1, with the system's gamma of 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return HLG_NITS * scene * np.maximum(scene @ _LUMINANCE, 1e-9)[..., None] ** 0.2


def shown(nits: Array) -> Array:
    """(..., 3) the R'G'B' of BT.709, 0 to 1, for a screen by BT.1886, of light with BT.2020's primaries."""
    light = np.maximum(nits / WHITE_NITS @ TO_709.T, 0)
    top = light.max(axis=-1, keepdims=True)
    over = np.maximum(top - KNEE, 0)
    # joins at the knee with its slope, and reaches 1 far away
    bent = np.minimum(top, KNEE) + (1 - KNEE) * over / (over + (1 - KNEE))
    return np.clip(light * bent / np.maximum(top, 1e-9), 0, 1) ** (1 / 2.4)


class ToneMap:
    """Turns decoded pictures of one stream into YUV 4:2:0 of BT.709. For one thread."""

    def __init__(self) -> None:
        self._graphs: dict[tuple[int, int, str, int], Graph] = {}

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """(the same size) the picture, of 8 bits; it has no time."""
        kind = frame.width, frame.height, frame.format.name, int(frame.color_trc)
        if kind not in self._graphs:
            self._graphs = {kind: _graph(frame)}
        frame.pts = None
        self._graphs[kind].vpush(frame)
        made = self._graphs[kind].vpull()
        made.colorspace, made.color_range = 1, 1
        return made


def _graph(frame: av.VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = 1
    with tempfile.NamedTemporaryFile("w", suffix=".cube") as table:
        table.write(_table(int(frame.color_trc)))
        table.flush()
        matrix = (
            "bt2020" if int(frame.colorspace) not in (1, 5, 6) else "bt709" if int(frame.colorspace) == 1 else "bt601"
        )
        steps = [
            graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base),
            graph.add(
                "scale",
                f"in_color_matrix={matrix}:in_range={'full' if int(frame.color_range) == 2 else 'limited'}"
                ":flags=bilinear+accurate_rnd",
            ),
            graph.add("format", "gbrp12"),
            graph.add("lut3d", f"file={Path(table.name)}:interp=tetrahedral"),
            graph.add("scale", "out_color_matrix=bt709:out_range=limited:flags=area+accurate_rnd"),
            graph.add("format", "yuv420p"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*steps).configure()
    return graph


@cache
def _table(transfer: int) -> str:
    """A table of colours, in the format that Adobe calls cube; red goes fastest."""
    axis = np.linspace(0, 1, NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    signal = np.stack([red, green, blue], axis=-1)
    colours = shown(nits_of_pq(signal) if transfer == PQ else nits_of_hlg(signal)).reshape(-1, 3)
    return f"LUT_3D_SIZE {NODES}\n" + "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in colours) + "\n"
