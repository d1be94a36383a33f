"""A corpus made as LatentSync's was: one large face, in sync, in clips of 5 to 10 seconds: the recipe that most copy.

After bytedance/LatentSync a229c394, `preprocess/data_processing_pipeline.py` and the files it calls: shots by the
adaptive detector at 2 (`detect_shot.py`), pieces of 5 s (`segment_videos.py`) and, in the README, of 5 to 10; one face
in every frame (`remove_incorrect_affined.py`) of 256 pixels or more (`filter_high_resolution.py`); sound moved where it
is off, by no more than 6 frames, and clips left out whose sync is not sure (`sync_av.py`). `headset export --layout
latentsync` aligns the faces.

Not followed: the authors' sync is SyncNet's, confidence 3 or more, whose weights come without a licence; here mouth and
voice are correlated, and `av_confidence` 1.0 is where no foreign sound came (docs/measured/lip_sync.md). With the
weights at hand, put `ScoreLse()` beside `LandmarkFaces()` and `"lse_c": (3.0, None)`, `"sync_offset_frames": (-6, 6)`
into `KeepClips` in a copy of this file. Their picture quality is hyperIQA, 40 or more, which nothing here has:
`picture_blur` is the nearest thing, and no threshold of ours stands for theirs. Their pieces
are cut at key frames, with sound that is shifted; ours begin where they should.
"""

from operators.clips.crop_clips import CropClips
from operators.clips.keep_clips import KeepClips
from operators.clips.plan_tubes import PlanTubes
from operators.clips.render_clips import RenderClips
from operators.clips.retime_clips import RetimeClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.faces.track_faces import TrackFaces
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.diarize_speakers import DiarizeSpeakers
from operators.speech.score_sync import ScoreSync
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "latentsync",
    "one large face in sync, 5 to 10 s, as LatentSync's training set",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(threshold=2.0), DetectFaces(), EmbedFaces(), FingerprintSource()),  # detect_shot.py: 2
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers()),  # what the active-speaker model is told of voices
        Stage(DetectActiveSpeaker()),
        Stage(
            PlanTubes(min_s=5.0, max_s=10.0, min_face_px=256.0, alone=True)
        ),  # README: 5-10 s; resolution 256; one face
        Stage(LandmarkFaces()),
        Stage(ScoreSync()),
        Stage(KeepClips(ranges={"av_confidence": (1.0, None), "av_offset_s": (-0.24, 0.24)})),  # sync_av.py: 6 frames
        Stage(RetimeClips(sure=1.0, most_s=0.24)),
        Stage(CropClips(rule="hdtf", ratio=1.6)),  # holds the authors' template, 1.4 boxes high
        Stage(RenderClips(size=512)),  # 512 for LatentSync 1.6, 256 for 1.5
    ),
)
