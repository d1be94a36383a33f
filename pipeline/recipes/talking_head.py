"""Clips of one visible speaker: one face that speaks, at least 96 pixels wide, for 3 to 30 seconds, with no other voice.

A source is decoded once for shots and faces. Boxes are linked to tracks through each shot; voices are told apart by
diarization; each face is asked whether it is the one heard. Where shot, track and turn agree, a clip is proposed. The
proposals are decoded again to be measured, and only those that pass are encoded.
"""

from operators.detect_faces import DetectFaces
from operators.detect_shots import DetectShots
from operators.diarize_speakers import DiarizeSpeakers
from operators.download_video import DownloadVideo
from operators.fingerprint_source import FingerprintSource
from operators.keep_clips import KeepClips
from operators.match_speakers import MatchSpeakers
from operators.plan_clips import PlanClips
from operators.probe_source import ProbeSource
from operators.render_clips import RenderClips
from operators.score_face import ScoreFace
from operators.score_sharpness import ScoreSharpness
from operators.score_speech import ScoreSpeech
from operators.score_sync import ScoreSync
from operators.track_faces import TrackFaces
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "talking_head",
    "clips of one visible speaker, measured, filtered and rendered",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers()),
        Stage(MatchSpeakers()),
        Stage(PlanClips(min_s=3.0, max_s=30.0, min_face_px=96.0)),
        Stage(ScoreSharpness(), ScoreFace(), ScoreSpeech(), ScoreSync()),
        Stage(
            KeepClips(
                ranges={
                    "dnsmos_ovrl": (1.5, None),
                }
            )
        ),
        Stage(RenderClips()),
    ),
)
