"""A corpus made as TalkingHead-1KH was: tubes in which one face is tracked, whoever speaks.

After Wang, Mallya and Liu, "One-Shot Free-View Neural Talking-Head Synthesis for Video Conferencing", CVPR 2021 (the
paragraph on the dataset), and the published tubes and scripts (2f293089). The crop is that of VoxCeleb in FOMM's
version, which the paper's model is compared on: the published boxes of TalkingHead-1KH itself come without the rule
that made them.

Not followed: the authors publish no detector and no thresholds. The shortest tube of the published list has 29 frames,
and 512 pixels is the size the paper calls high resolution: both are parameters here. The published scripts cut pictures
without sound, of any size, and so that minutes begin at key frames; here clips have their sound, one size, and begin
where they should.
"""

from operators.clips.crop_clips import CropClips
from operators.clips.plan_tubes import PlanTubes
from operators.clips.render_clips import RenderClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.track_faces import TrackFaces
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "talking_head_1kh",
    "tubes of one tracked face, whoever speaks, as TalkingHead-1KH",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource(needs=("video",))),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        # the published list: 29 frames is the shortest tube
        Stage(PlanTubes(min_s=1.0, max_s=30.0, min_face_px=128.0)),
        Stage(CropClips(rule="voxceleb", ratio=0.1)),  # crop_vox.py: 0.1
        Stage(RenderClips(size=512, silent=True)),
    ),
)
