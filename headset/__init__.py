"""headset's public names: what notebooks and recipes of your own import. The rest may change between versions.

import headset

corpus = headset.open("corpus/")
corpus.clips.where("dnsmos_ovrl > 3").table()
"""

from manifests.tables import (
    Annotation,
    Appearance,
    Attribution,
    Clip,
    Dropped,
    Duplicate,
    Face,
    FaceLook,
    Features,
    Fetch,
    Fingerprint,
    Identity,
    Mesh,
    Pair,
    Published,
    Render,
    Row,
    Score,
    Shot,
    Source,
    Speaking,
    Split,
    Track,
    Transition,
    Turn,
    Word,
)
from operators.base import Audio, Drop, Frames, Measure, Media, Operator, Resources
from pipeline.corpus import Corpus
from pipeline.recipe import Recipe, Stage

open = Corpus

__all__ = [
    "Annotation",
    "Appearance",
    "Attribution",
    "Audio",
    "Clip",
    "Corpus",
    "Drop",
    "Dropped",
    "Duplicate",
    "Face",
    "FaceLook",
    "Features",
    "Fetch",
    "Fingerprint",
    "Frames",
    "Identity",
    "Measure",
    "Media",
    "Mesh",
    "Operator",
    "Pair",
    "Published",
    "Recipe",
    "Render",
    "Resources",
    "Row",
    "Score",
    "Shot",
    "Source",
    "Speaking",
    "Split",
    "Stage",
    "Track",
    "Transition",
    "Turn",
    "Word",
    "open",
]
