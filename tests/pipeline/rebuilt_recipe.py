"""Two clips of every source, rendered small: a corpus to be rebuilt."""

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.tables import Clip, Source, span_id
from operators.base import Operator
from operators.clips.render_clips import RenderClips
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from pipeline.recipe import Recipe, Stage


@dataclass(frozen=True)
class ClipTwice(Operator):
    def __call__(self, source: Source) -> Iterator[Clip]:
        for start_s, end_s in ((1.0, 3.0), (4.5, 7.48)):
            name = f"{span_id(source.source_id, start_s, end_s)}/t0"
            yield Clip(source.source_id, name, "", "", "speaker0", start_s, end_s, 40.0, 10.0, 180.0, 150.0)


RECIPE = Recipe(
    "rebuilt",
    "two clips of every source",
    (
        Stage(ProbeSource(needs=("video",))),
        Stage(FingerprintSource(), ClipTwice()),
        Stage(RenderClips(size=64)),
    ),
)
