"""Conversations of two in one picture: for each turn a clip of who speaks and one of who listens, over the same span.

After the branches of SpeakerVid-5M (arXiv 2507.09862: single, dialogue, listening, multi-turn) and ViCo's pairs of a
speaker and a listener (dc3ea9f/vico_challenge_baseline 16424c07). A clip is annotated with its `role`, its `partner`,
the `gap_s` since the other's last word and the `overlap_s` of both voices; see `PlanDyads`. After `headset
split`, which keeps both in one split, `headset export --layout vico` writes the pairs; `headset sql` counts gaps and
overlaps.

Neither source gives thresholds, so these are ours. A turn takes 2 s or more, since shorter ones are mostly "yes" and
"mm". The speaker has the word in half of a span, breaths and pauses are the rest; a listener who has it in more than a
fifth is no listener. Faces are 96 pixels wide, as in `talking_head`.

Not followed: in films who listens is seldom in the picture of who speaks, but in the next one; such pairs, of two
shots, are not made. SpeakerVid's dialogue branch pairs a turn with the next one, seen or not: `gap_s` and `partner`
say which belong together here.
"""

from operators.clips.crop_clips import CropClips
from operators.clips.plan_dyads import PlanDyads
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
    "dyadic",
    "who speaks and who listens, in pairs of clips, with gaps and overlaps",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers()),
        Stage(DetectActiveSpeaker()),
        Stage(PlanDyads(min_s=2.0, max_s=30.0, min_face_px=96.0, apart=1.6)),
        Stage(CropClips(rule="hdtf", ratio=1.6)),
        Stage(RenderClips(size=256, fps=30)),  # what ViCo's steps read
    ),
)
