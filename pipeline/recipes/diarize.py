"""Who speaks when: audio or video in, turns out, and nothing else run."""

from operators.sources.probe_source import ProbeSource
from operators.speech.diarize_speakers import DiarizeSpeakers
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "diarize",
    "who speaks when, in audio or video",
    (
        Stage(ProbeSource(needs=("audio",))),
        Stage(DiarizeSpeakers()),
    ),
)
