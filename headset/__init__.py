"""headset's public names: what notebooks and recipes of your own import. The rest may change between versions.

import headset

corpus = headset.open("corpus/")
corpus.clips.where("dnsmos_ovrl > 3").head(12)
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
    Review,
    Row,
    Score,
    Shot,
    Source,
    Split,
    Track,
    Transition,
    Turn,
    VoiceEmbedding,
    Word,
)
from operators.base import Audio, Drop, Frames, Measure, Media, Operator, Resources
from pipeline.corpus import Clips, Corpus, Drops, KeptClip
from pipeline.recipe import Recipe, Stage
from pipeline.training import ClipDataset, ClipLoader, ClipOrder

open = Corpus

__all__ = [
    "ActiveSpeaker",
    "Annotation",
    "Attribution",
    "Audio",
    "Clip",
    "ClipDataset",
    "ClipLoader",
    "ClipOrder",
    "Clips",
    "Corpus",
    "Drop",
    "Dropped",
    "Drops",
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
    "KeptClip",
    "Measure",
    "Media",
    "Operator",
    "Pair",
    "Published",
    "Recipe",
    "Render",
    "Resources",
    "Review",
    "Row",
    "Score",
    "Shot",
    "Source",
    "Split",
    "Stage",
    "Track",
    "Transition",
    "Turn",
    "VoiceEmbedding",
    "Word",
    "open",
]
