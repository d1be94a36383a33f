"""A download that tries once, and two toys that look at what came."""

from operators.sources.download_video import DownloadVideo
from pipeline.recipe import Recipe, Stage
from tests.pipeline.toy_recipe import CountFrames, CutInTwo

RECIPE = Recipe(
    "crawl", "sources and shots", (Stage(DownloadVideo(tries=1, gap_s=0, at_once=4, allow_private=True)),
                                   Stage(CutInTwo(), CountFrames()))
)  # fmt: skip
