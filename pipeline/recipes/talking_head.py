"""Clips of one visible speaker: one face that speaks, 96 pixels wide or more, for 3 to 30 s, with no other voice.

A source is decoded once for shots and faces, who they are and how well they are to be seen. Boxes are linked to tracks
through each shot; voices are told apart by diarization; each face is asked whether it is the one heard, voices are told
apart anew by who is seen to speak, and each turn gets the face that speaks it, or why none does. Where shot, track and
turn agree, a clip is proposed. The proposals are decoded again to be measured, and only those that pass are encoded,
and their voices embedded.

The sound of a source is moved to its picture where all of its clips together say surely by how much
(`EstimateOffset`), and its clips are dropped where that is more than 0.4 s.

Thresholds: `dnsmos_ovrl`, where speech cannot be followed any more (docs/measured/quality.md). `distinct_fps`: people
speak 4 to 8 syllables a second, and the mouth opens and closes for each, so fewer than 10 different pictures a second
do not show what is said; a webcam of 5, or a film whose frames are copied, moves at no rate that metrics of 25 can
judge. `double_likeness` 0.75, one person twice in a picture: of 68,074 pairs of looks at two people none reaches it; of
69 mirrored copies of a moment 68 do, and of looks at one person at other moments 45 in 100 (docs/measured/tracks.md).
`music_activation` 2.6, music under the voice: 26 voices alone have 2.32 at most; of voices over an orchestra or the
music of a cartoon, 10 dB below them, 81 in 100 are above, of those over rap 4: it hears held tones, and neither beats
nor song (docs/measured/audio.md).

Not asked: `seam_share`, since of two people who are put side by side each makes a good clip; and writing, since what
reads letters cannot tell a subtitle from the wall behind the speaker. `strict` asks for both.
"""

from operators.clips.estimate_offset import EstimateOffset
from operators.clips.keep_clips import KeepClips
from operators.clips.plan_clips import PlanClips
from operators.clips.render_clips import RenderClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.faces.measure_faces import MeasureFaces
from operators.faces.score_doubles import ScoreDoubles
from operators.faces.score_face import ScoreFace
from operators.faces.score_sharpness import ScoreSharpness
from operators.faces.track_faces import TrackFaces
from operators.pictures.score_picture import ScorePicture
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from operators.speech.attribute_turns import AttributeTurns
from operators.speech.confirm_voices import ConfirmVoices
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.diarize_speakers import DiarizeSpeakers
from operators.speech.embed_voice import EmbedVoice
from operators.speech.refine_turns import RefineTurns
from operators.speech.score_audio import ScoreAudio
from operators.speech.score_speech import ScoreSpeech
from operators.speech.score_sync import ScoreSync
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "talking_head",
    "clips of one visible speaker, measured, filtered and rendered",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), MeasureFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers(min_face_px=96.0, min_face_s=3.0)),  # as PlanClips asks for
        Stage(DetectActiveSpeaker()),
        Stage(RefineTurns()),
        Stage(AttributeTurns()),
        Stage(PlanClips(min_s=3.0, max_s=30.0, min_face_px=96.0)),
        Stage(LandmarkFaces(), ScorePicture(), ScoreSharpness(), ScoreDoubles(), ScoreSpeech(), ScoreAudio()),
        Stage(ScoreFace(), ScoreSync()),
        Stage(ConfirmVoices()),
        Stage(EstimateOffset()),
        Stage(
            KeepClips(
                ranges={
                    "dnsmos_ovrl": (1.5, None),
                    "distinct_fps": (10.0, None),
                    "double_likeness": (None, 0.75),
                    "music_activation": (None, 2.6),
                }
            )
        ),
        Stage(RenderClips(), EmbedVoice()),
    ),
)
