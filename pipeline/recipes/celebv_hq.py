"""A corpus made as CelebV-HQ was: 3 to 20 s of one face, alone, in a square of at least 512 pixels.

After Zhu et al., "CelebV-HQ: A Large-Scale Video Facial Attributes Dataset", ECCV 2022 (arXiv 2207.12393), and the
published script (d1b6cf3a). Whether the person speaks is not asked. Shots are found first: the published times are
whole seconds, and some clips have a cut inside (their issue 8).

Not followed: the 83 attributes were labelled by people, and what identities there are was searched for by name.
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
    "celebv_hq",
    "3 to 20 s of one face alone, 512 pixels or more, as CelebV-HQ",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource(needs=("video",))),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(PlanTubes(min_s=3.0, max_s=20.0, alone=True)),  # the section on the dataset: 3 to 20 s, one person
        Stage(CropClips(rule="celebv_hq", min_px=512.0)),  # abstract: 512 x 512 at least
        Stage(RenderClips(size=512, silent=True)),
    ),
)
