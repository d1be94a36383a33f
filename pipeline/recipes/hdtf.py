"""A corpus made as HDTF was: long spans of one talker, cut to one square for the whole span, 512 x 512.

After Zhang et al., "Flow-guided One-shot Talking Face Generation with a High-resolution Audio-visual Dataset", CVPR
2021 (the section on the dataset), and the README of its repository (bbde889b). The authors chose videos and spans by
hand; here shots, face tracks, voices and the face that speaks choose them.

Not followed: the boxes are a detector's, not of landmarks, and 1.2 is the ratio of 342 of the 421 published clips,
where the authors set it by eye. Deinterlacing is left out. Clips have 25 frames a second; theirs keep the rate of the
video.
"""

from operators.clips.crop_clips import CropClips
from operators.clips.plan_clips import PlanClips
from operators.clips.render_clips import RenderClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.track_faces import TrackFaces
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.diarize_speakers import DiarizeSpeakers
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "hdtf",
    "long spans of one talker in one square of 512 pixels, as HDTF",
    (
        Stage(DownloadVideo(min_height=720)),  # abstract: 720P or 1080P videos
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers()),
        Stage(DetectActiveSpeaker()),
        Stage(PlanClips(min_s=10.0, max_s=600.0, min_face_px=128.0)),  # the published spans: 2 min 20 s on average
        Stage(CropClips(rule="hdtf", ratio=1.2)),  # README, second way
        Stage(RenderClips(size=512)),  # README: resized to 512 x 512
    ),
)
