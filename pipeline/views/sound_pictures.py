"""Sound to look at: its waveform above its spectrogram, on one time axis."""

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.views.facts import Fact, Line, Part
from pipeline.views.pictures import data_uri

WIDE, HIGH, LEFT = 800, 70, 46  # pixels of the axis, of the waveform, and of the labels before it
WINDOW, FLOOR_DB = 512, -80.0  # samples of a Hann window; what is weaker is as good as silent


def peaks(samples: NDArray[np.float32], bins: int) -> list[tuple[float, float]]:
    """The least and the greatest sample in each of `bins` equal stretches, -1 to 1."""
    edges = np.linspace(0, len(samples), bins + 1).astype(int)
    parts = (samples[first:last] for first, last in itertools.pairwise(edges))
    return [(float(part.min()), float(part.max())) if len(part) else (0.0, 0.0) for part in parts]


def waveform_path(found: list[tuple[float, float]], left: float, top: float, width: float, height: float) -> str:
    """The peaks as the outline of one shape, the `d` of an SVG path; the strongest takes the whole height."""
    loudest = max((max(-low, high) for low, high in found), default=0.0) or 1.0
    found = [(low / loudest, high / loudest) for low, high in found]
    middle, step = top + height / 2, width / max(len(found), 1)
    above = [f"{left + (i + 0.5) * step:.1f},{middle - high * height / 2:.1f}" for i, (_, high) in enumerate(found)]
    below = [f"{left + (i + 0.5) * step:.1f},{middle - low * height / 2:.1f}" for i, (low, _) in enumerate(found)]
    return f"M{' L'.join([*above, *reversed(below)])}Z" if found else ""


def spectrogram_db(samples: NDArray[np.float32], columns: int) -> NDArray[np.float64]:
    """(frequencies, columns) of power in dB under the strongest, `FLOOR_DB` to 0; the lowest frequency comes first."""
    if len(samples) < WINDOW:
        samples = np.pad(samples, (0, WINDOW - len(samples)))
    starts = np.linspace(0, len(samples) - WINDOW, columns).astype(int)
    spectra = np.abs(np.fft.rfft(samples[starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW), axis=1)) ** 2
    power = 10 * np.log10(np.maximum(spectra, 1e-12)).T
    return np.clip(power - power.max(), FLOOR_DB, 0.0)


@dataclass(frozen=True)
class SoundPicture(Fact):
    """The sound of a clip, as it is in its render."""

    clip_id: str
    seconds: float
    hz: int
    samples: NDArray[np.float32] = field(repr=False)  # mono, -1 to 1

    def parts(self) -> Iterator[Part]:
        level = float(np.sqrt(np.mean(self.samples**2))) if len(self.samples) else 0.0
        told = f"{20 * np.log10(level):.1f} dBFS" if level else "digital silence"
        yield Line.of(f"{self.clip_id}: {self.seconds:.2f} s at {self.hz} Hz, {told}")

    def to_json(self) -> dict[str, object]:
        """Without the samples: the peaks that are drawn."""
        return {
            "clip_id": self.clip_id,
            "seconds": self.seconds,
            "hz": self.hz,
            "peaks": peaks(self.samples, WIDE // 2),
        }

    def _repr_html_(self) -> str:
        high = 120
        wave = waveform_path(peaks(self.samples, WIDE // 2), LEFT, 0, WIDE, HIGH)
        ticks = "".join(
            f'<text x="{LEFT + WIDE * i / 4:.0f}" y="{HIGH + high + 16}"'
            f' text-anchor="middle">{self.seconds * i / 4:.1f} s</text>'
            for i in range(5)
        )
        khz = "".join(
            f'<text x="{LEFT - 5}" y="{HIGH + 6 + high * (1 - i / 2) + 4:.0f}"'
            f' text-anchor="end">{self.hz / 2000 * i / 2:g} kHz</text>'
            for i in range(3)
        )
        image = (
            f'<image x="{LEFT}" y="{HIGH + 4}" width="{WIDE}" height="{high}" preserveAspectRatio="none"'
            f' href="{data_uri(self._png(), "image/png")}"/>'
        )
        size = f'width="{LEFT + WIDE + 20}" height="{HIGH + high + 24}"'
        return (
            f'<div class="headset"><svg {size} style="font:11px sans-serif;background:#fff"'
            f' xmlns="http://www.w3.org/2000/svg"><path d="{wave}" fill="#5c7cfa"/>{image}{ticks}{khz}</svg></div>'
        )

    def _png(self) -> bytes:
        from matplotlib import colormaps
        from PIL import Image

        shares = 1 - spectrogram_db(self.samples, WIDE // 2)[::-1] / FLOOR_DB
        rgb = (colormaps["magma"](shares)[..., :3] * 255).astype(np.uint8)
        Image.fromarray(rgb).quantize(64).save(sink := io.BytesIO(), "PNG", optimize=True)
        return sink.getvalue()
