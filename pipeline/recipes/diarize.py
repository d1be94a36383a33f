"""Who speaks when: audio or video in, turns out, and nothing else run."""

from operators.diarize_speakers import DiarizeSpeakers
from operators.probe_source import ProbeSource
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "diarize",
    "who speaks when, in audio or video",
    (
        Stage(ProbeSource(needs=("audio",))),
        Stage(DiarizeSpeakers()),
    ),
)
