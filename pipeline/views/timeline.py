"""One clip on the time axis of its source: shots, faces, who speaks, voices, words, and where it was cut."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from manifests.tables import ActiveSpeaker, Clip, FaceLandmarks, Score, Shot, Track, Turn, Word
from pipeline.query.source_rows import SourceRows
from pipeline.views.facts import MOODS, Fact, Lane, Lanes, Line, Part
from pipeline.views.sound_pictures import peaks, waveform_path

AROUND_S = 2.0  # that are drawn before and after the clip
WIDE, NAMES, ROW, CURVE = 760, 120, 18, 46  # pixels of the axis, of the lanes' names, and the height of a lane
PEAKS = 380
COLOURS = {
    "shots": "#adb5bd",
    "face": "#74c0fc",
    "own face": "#1c7ed6",
    "voice": "#da77f2",
    "own voice": "#9c36b5",
    "words": "#fff3bf",
}


@dataclass(frozen=True)
class Span:
    """A stretch of a lane. What its text says may come from anybody."""

    start_s: float
    end_s: float
    kind: str  # one of COLOURS
    text: str = ""


@dataclass(frozen=True)
class Curve:
    """A value over time, drawn between `low` and `high`; a line marks 0 where that lies between them."""

    name: str
    times_s: tuple[float, ...]
    values: tuple[float, ...]  # NaN where there is none
    low: float
    high: float
    colour: str


@dataclass(frozen=True)
class ClipTimeline(Fact):
    """What was seen and heard around a clip, [start_s, end_s) of its source."""

    clip_id: str
    start_s: float
    end_s: float
    cut: tuple[float, float]
    lanes: tuple[tuple[str, tuple[Span, ...]], ...]
    curves: tuple[Curve, ...]
    wave: tuple[
        tuple[float, float], ...
    ]  # least and greatest sample in equal parts of the cut; none for a clip without a render
    told: str  # of sync, in words

    def parts(self) -> Iterator[Part]:
        yield Line.of(f"{self.clip_id}: {self.told}")
        moods = {
            "shots": "quiet",
            "face": "face",
            "own face": "face",
            "voice": "voice",
            "own voice": "voice",
            "words": "name",
        }
        lanes = [
            Lane(name, tuple((one.start_s, one.end_s) for one in spans), moods[spans[0].kind])
            for name, spans in self.lanes
            if spans
        ]
        lanes += [Lane(curve.name, tuple(_above_zero(curve)), "name") for curve in self.curves if curve.low < 0]
        lanes.append(Lane("cut", (self.cut,), "good"))
        yield Lanes(self.start_s, self.end_s, tuple(lanes))

    def _repr_html_(self) -> str:
        made, y = [], 20.0
        for name, spans in self.lanes:
            made.append(_label(name, y + 13))
            made += [self._span(span, y) for span in spans if span.end_s > self.start_s and span.start_s < self.end_s]
            y += ROW
        for curve in self.curves:
            made.append(_label(curve.name, y + CURVE / 2 + 4))
            made.append(self._curve(curve, y + 3))
            y += CURVE
        if self.wave:
            left, right = self._x(self.cut[0]), self._x(self.cut[1])
            path = waveform_path(list(self.wave), left, y + 2, right - left, CURVE - 4)
            made += [_label("sound of the clip", y + CURVE / 2 + 4), f'<path d="{path}" fill="#5c7cfa"/>']
            y += CURVE
        return (
            f'<div class="headset"><svg width="{NAMES + WIDE + 30}" height="{y + 24:.0f}" style="font:11px'
            ' sans-serif;background:#fff"'
            f' xmlns="http://www.w3.org/2000/svg">{self._cut(y)}{"".join(made)}{self._ticks(y)}</svg><br><small>{escape(self.clip_id)}:'
            f" {escape(self.told)}</small></div>"
        )

    def _x(self, at_s: float) -> float:
        return NAMES + WIDE * (min(max(at_s, self.start_s), self.end_s) - self.start_s) / (self.end_s - self.start_s)

    def _cut(self, bottom: float) -> str:
        left, right = (self._x(at_s) for at_s in self.cut)
        edges = "".join(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="16" y2="{bottom:.0f}" stroke="#2b8a3e"/>' for x in (left, right)
        )
        band = f'<rect x="{left:.1f}" y="16" width="{right - left:.1f}" height="{bottom - 16:.0f}" fill="#ebfbee"/>'
        told = (
            f'<text x="{(left + right) / 2:.1f}" y="12" text-anchor="middle" fill="#2b8a3e">cut,'
            f" {self.cut[1] - self.cut[0]:.2f} s</text>"
        )
        return band + edges + told

    def _span(self, span: Span, y: float) -> str:
        left, right = self._x(span.start_s), self._x(span.end_s)
        title = f"<title>{escape(span.text)} {span.start_s:.2f} to {span.end_s:.2f} s</title>"
        rect = (
            f'<rect x="{left:.1f}" y="{y + 2:.1f}" width="{max(1.0, right - left - 1):.1f}" height="{ROW - 4}"'
            f' fill="{COLOURS[span.kind]}" rx="2">{title}</rect>'
        )
        room = int((right - left) / 6.2)
        text = span.text if len(span.text) <= room else f"{span.text[: room - 1]}…" if room > 3 else ""
        return rect + (f'<text x="{left + 3:.1f}" y="{y + 13:.1f}">{escape(text)}</text>' if text else "")

    def _curve(self, curve: Curve, y: float) -> str:
        def height_of(value: float) -> float:
            return y + (CURVE - 6) * (
                1 - (min(max(value, curve.low), curve.high) - curve.low) / (curve.high - curve.low)
            )

        lines = []
        for run in _runs(curve):
            points = " ".join(f"{self._x(at_s):.1f},{height_of(value):.1f}" for at_s, value in run)
            lines.append(f'<polyline points="{points}" fill="none" stroke="{curve.colour}" stroke-width="1.4"/>')
        if curve.low < 0 < curve.high:
            zero = height_of(0.0)
            lines.append(
                f'<line x1="{NAMES}" x2="{NAMES + WIDE}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#ced4da"'
                ' stroke-dasharray="3 3"/>'
            )
        return "".join(lines)

    def _ticks(self, bottom: float) -> str:
        long_s = self.end_s - self.start_s
        step_s = next((step for step in (0.5, 1, 2, 5, 10, 20, 60, 300, 1200) if long_s / step <= 12), 3600)
        marks = np.arange(np.ceil(self.start_s / step_s), np.floor(self.end_s / step_s) + 1) * step_s
        made = []
        for at_s in (abs(mark) if mark == 0 else mark for mark in marks.tolist()):  # -0.0 is written as such
            x = self._x(at_s)
            made.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom:.0f}" y2="{bottom + 5:.0f}" stroke="#868e96"/>')
            made.append(
                f'<text x="{x:.1f}" y="{bottom + 17:.0f}" text-anchor="middle" fill="#495057">{at_s:g} s</text>'
            )
        return "".join(made)


def _label(name: str, y: float) -> str:
    return f'<text x="{NAMES - 6}" y="{y:.1f}" text-anchor="end" style="{MOODS["quiet"][1]}">{escape(name[:20])}</text>'


def _runs(curve: Curve) -> Iterator[list[tuple[float, float]]]:
    """The stretches in which it has a value."""
    run: list[tuple[float, float]] = []
    for at_s, value in zip(curve.times_s, curve.values, strict=True):
        if np.isnan(value):
            if run:
                yield run
            run = []
        else:
            run.append((at_s, value))
    if run:
        yield run


def _above_zero(curve: Curve) -> Iterator[tuple[float, float]]:
    began: float | None = None
    for at_s, value in [*zip(curve.times_s, curve.values, strict=True), (curve.times_s[-1], -1.0)]:
        if value > 0 and began is None:
            began = at_s
        elif not value > 0 and began is not None:
            yield began, at_s
            began = None


def timeline_of(rows: SourceRows, clip: Clip, samples: Iterable[float] = ()) -> ClipTimeline:
    """
    Args:
        samples: of the clip's sound, mono, -1 to 1.
    """
    start_s = max(clip.start_s - AROUND_S, min(rows.source.start_s, clip.start_s))
    end_s = min(clip.end_s + AROUND_S, max(rows.source.end_s, clip.end_s))

    def near(
        found: Sequence[Shot] | Sequence[Track] | Sequence[Turn] | Sequence[Word],
    ) -> list:  # pyright: ignore[reportMissingTypeArgument]
        return [one for one in found if one.end_s > start_s and one.start_s < end_s]

    tracks = near(rows.current(Track))
    lanes = [("shots", tuple(Span(one.start_s, one.end_s, "shots") for one in near(rows.current(Shot))))]
    for name in sorted({track.track_id.rsplit("/", 1)[-1] for track in tracks}):
        mine = [track for track in tracks if track.track_id.rsplit("/", 1)[-1] == name]
        kinds = ["own face" if track.track_id == clip.track_id else "face" for track in mine]
        lanes.append(
            (f"face {name}", tuple(Span(one.start_s, one.end_s, kind) for one, kind in zip(mine, kinds, strict=True)))
        )
    turns = near(rows.current(Turn))
    for speaker in sorted({turn.speaker for turn in turns}):
        kind = "own voice" if speaker == clip.speaker else "voice"
        lanes.append((speaker, tuple(Span(one.start_s, one.end_s, kind) for one in turns if one.speaker == speaker)))
    turn_ids = {turn.turn_id for turn in turns}
    words = [word for word in near(rows.current(Word)) if word.subject in (clip.clip_id, *turn_ids)]
    if words:
        lanes.append(("words", tuple(Span(one.start_s, one.end_s, "words", one.text) for one in words)))
    heard = np.asarray(list(samples), np.float32)
    return ClipTimeline(
        clip.clip_id,
        start_s,
        end_s,
        (clip.start_s, clip.end_s),
        tuple(lanes),
        tuple(_curves(rows, clip, start_s, end_s)),
        tuple(peaks(heard, PEAKS)) if len(heard) else (),
        _sync(rows, clip),
    )


def _curves(rows: SourceRows, clip: Clip, start_s: float, end_s: float) -> Iterator[Curve]:
    for row in rows.current(ActiveSpeaker):
        if row.track_id == clip.track_id:
            at = row.start_s + row.step_s * np.arange(len(row.score))
            shown = (at >= start_s) & (at < end_s)
            scores = np.asarray(row.score)[shown]
            reach = max(1.0, float(np.abs(scores).max(initial=0.0)))
            yield Curve("speaks: above 0", tuple(at[shown].tolist()), tuple(scores.tolist()), -reach, reach, "#0b7285")
    for row in rows.current(FaceLandmarks):
        if row.clip_id == clip.clip_id:
            opened = np.where(row.seen, row.mouth_opening, np.nan)
            yield Curve(
                "mouth opening",
                tuple(row.times_s),
                tuple(opened.tolist()),
                0.0,
                max(0.1, float(np.nanmax(opened, initial=0.1))),
                "#e8590c",
            )


def _sync(rows: SourceRows, clip: Clip) -> str:
    found = {score.metric: score.value for score in rows.current(Score) if score.subject == clip.clip_id}
    told = (
        [f"sound {abs(found['av_offset_s']) * 1000:.0f} ms {'late' if found['av_offset_s'] > 0 else 'early'}"]
        if found.get("av_offset_s")
        else []
    )
    told += ["sound in step"] if found.get("av_offset_s") == 0 else []
    told += [f"{name} {found[name]:.3g}" for name in ("av_confidence", "speaking_share") if name in found]
    return ", ".join(told) or "sync was not measured"
