"""The clips of a published list, or of another manifest, out of what is left of their videos.

Each video is fetched and measured. Where it is not the file that the clips were cut from, and the list carries their
looks, each clip is looked for in it. Then it is cut: to the frame by the file's own times, to the box as the list's
rule has it.
"""

from manifests.tables import Annotation, Published
from operators.clips.locate_published import LocatePublished
from operators.clips.place_published import PlacePublished
from operators.clips.render_clips import RenderClips
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_changed import FingerprintChanged
from operators.sources.probe_source import ProbeSource
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "rebuild",
    "the clips of a published list, or of another manifest, out of what is left of their videos",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource(needs=("video",))),
        Stage(FingerprintChanged()),
        Stage(LocatePublished()),
        Stage(PlacePublished()),
        Stage(RenderClips(silent=True)),
    ),
    given=(Published, Annotation),
)
