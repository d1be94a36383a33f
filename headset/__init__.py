"""headset's public names: what notebooks and recipes of your own import. The rest may change between versions.

import headset

corpus = headset.open("corpus/")
corpus.clips.where("dnsmos_ovrl > 3").table()
"""

from manifests.tables import (
    ActiveSpeaker,
    Annotation,
    Attribution,
    Clip,
    Dropped,
    Duplicate,
    Face,
    FaceEmbedding,
    FaceLandmarks,
    FaceQuality,
    Features,
    Fetch,
    Fingerprint,
    Identity,
    Pair,
    Published,
    Render,
    Row,
    Score,
    Shot,
    Source,
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
    "ActiveSpeaker",
    "Annotation",
    "Attribution",
    "Audio",
    "Clip",
    "Corpus",
    "Drop",
    "Dropped",
    "Duplicate",
    "Face",
    "FaceEmbedding",
    "FaceLandmarks",
    "FaceQuality",
    "Features",
    "Fetch",
    "Fingerprint",
    "Frames",
    "Identity",
    "Measure",
    "Media",
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
    "Split",
    "Stage",
    "Track",
    "Transition",
    "Turn",
    "Word",
    "open",
]
