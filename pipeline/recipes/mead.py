"""Recorded footage laid out as MEAD: each recording is a clip, with the labels of its path and a studio's checks.

After Wang et al., "MEAD: A Large-scale Audio-visual Dataset for Emotional Talking-face Generation" (ECCV 2020), and its
released layout: `<M|W>ddd/video/<view>/<emotion>/level_<1|2|3>/<3 digits>.mp4`. Nothing is cut and nothing is chosen by
speech: a recording is given up where its path is another, a cut is found in it, or not one face is seen all through.
The head's turn is measured for each, so that the seven views, and an actor's neutral recordings among them, can be
compared (`headset sql`).

Not followed: the seven cameras are not held to one clock, the separate audio files are not read, and how an emotion is
acted is not judged. Your own copy of MEAD itself is checked file by file by `headset import mead`.
"""

from operators.clips.render_clips import RenderClips
from operators.clips.take_recordings import TakeRecordings
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.track_faces import TrackFaces
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "mead",
    "recorded emotions, one whole clip a recording, labelled by path, as MEAD",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource(needs=("video",))),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(TakeRecordings()),
        Stage(RenderClips(size=512, fps=30, silent=True)),  # the released files: 30 frames a second
    ),
)
