"""One face, there all the time and steady, whose own voice is heard, and no writing: what buyers ask for today.

The criteria are those that sellers of such corpora publish (Shofo's talking-head set, 2026: a face in 95 % of the
frames, little jitter of the framing, no second face, a voice that belongs to the face, no writing, no occlusion); only
the 95 % comes with a number. The others are ours:

- `faces_in_view` 1: no look at the clip's frames has a second tracked face.
- `face_motion_widths_per_s` 0.5: the face's centre moves by half of its width a second in the median; the crop itself
  does not move.
- `av_confidence` 1.0 and `av_offset_s` 0.12 s: no foreign sound of the benchmark reached the first
(docs/measured/lip_sync.md);
  the second is three frames, beyond which viewers notice (ITU-R BT.1359: 45 ms early to 125 ms late).
- `speaking_share` 0.7: the share of ticks in which the active-speaker model sees the face speak; breaths are the rest.
- `face_text_share` 0, `static_text_share` 0, `text_share` 0.01: no writing on the face, none that stays, and next to
  none elsewhere.
- `mouth_hidden_share` 0.05 and `hand_on_mouth_share` 0.05: a look in twenty (docs/measured/quality.md).
- `distinct_fps` 20, `frozen_share` 0, `seam_share` 0.5: pictures that move, and no split screen (`ScorePicture`).

Not followed: language and sound without music are criteria too, and are measured by no operator of this recipe.
"""

from operators.clips.keep_clips import KeepClips
from operators.clips.plan_clips import PlanClips
from operators.clips.render_clips import RenderClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.faces.measure_faces import MeasureFaces
from operators.faces.score_face import ScoreFace
from operators.faces.score_occlusion import ScoreOcclusion
from operators.faces.track_faces import TrackFaces
from operators.pictures.score_picture import ScorePicture
from operators.pictures.score_text import ScoreText
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.diarize_speakers import DiarizeSpeakers
from operators.speech.score_sync import ScoreSync
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "strict",
    "one steady face in 95 % of the frames, its own voice, no writing",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), MeasureFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers()),
        Stage(DetectActiveSpeaker()),
        Stage(PlanClips(min_s=3.0, max_s=30.0, min_face_px=128.0, max_other_voice=0.0)),
        Stage(LandmarkFaces(), ScorePicture(), ScoreText(), ScoreOcclusion()),
        Stage(ScoreFace(), ScoreSync()),
        Stage(
            KeepClips(
                ranges={
                    "face_visible_share": (0.95, None),
                    "faces_in_view": (None, 1.0),
                    "face_motion_widths_per_s": (None, 0.5),
                    "av_confidence": (1.0, None),
                    "av_offset_s": (-0.12, 0.12),
                    "speaking_share": (0.7, None),
                    "face_text_share": (None, 0.0),
                    "static_text_share": (None, 0.0),
                    "text_share": (None, 0.01),
                    "mouth_hidden_share": (None, 0.05),
                    "hand_on_mouth_share": (None, 0.05),
                    "distinct_fps": (20.0, None),
                    "frozen_share": (None, 0.0),
                    "seam_share": (None, 0.5),
                }
            )
        ),
        Stage(RenderClips()),
    ),
)
