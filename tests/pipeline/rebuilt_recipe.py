"""Two clips of every source, rendered small, the first with its sound moved: a corpus to be rebuilt."""

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.tables import Clip, Score, Source, span_id
from operators.base import Operator
from operators.clips.render_clips import RenderClips
from operators.clips.retime_clips import RetimeClips
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from pipeline.recipe import Recipe, Stage

LATE_S = 0.1234  # by which the sound of every source is said to be late, for sure of the first clip alone


@dataclass(frozen=True)
class ClipTwice(Operator):
    def __call__(self, source: Source) -> Iterator[Clip | Score]:
        for start_s, end_s in ((1.0, 3.0), (4.5, 7.48)):
            name = f"{span_id(source.source_id, start_s, end_s)}/t0"
            yield Clip(source.source_id, name, "", "", "speaker0", start_s, end_s, 40.0, 10.0, 180.0, 150.0)
            for metric, value in (("av_offset_s", LATE_S), ("av_confidence", 2.0 if start_s == 1.0 else 0.5)):
                yield Score(source.source_id, f"{name}#{metric}", name, metric, "made", value)


RECIPE = Recipe(
    "rebuilt",
    "two clips of every source",
    (
        Stage(ProbeSource(needs=("video",))),
        Stage(FingerprintSource(), ClipTwice()),
        Stage(RetimeClips()),
        Stage(RenderClips(size=64)),
    ),
)
