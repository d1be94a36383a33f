"""Who speaks when."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from manifests.tables import Source, Turn, span_id
from operators.base import Audio, Drop, Operator
from operators.weights import CAMPPLUS, SEGMENTATION_3, Weight, WeightError

if TYPE_CHECKING:
    from pyannote.audio import Model
    from pyannote.audio.core.pipeline import Pipeline

SAMPLE_HZ = 16000
COMMUNITY = "pyannote/speaker-diarization-community-1"


@dataclass(frozen=True)
class DiarizeSpeakers(Operator):
    """The turns of each voice, by pyannote.audio's `SpeakerDiarization`; where voices overlap, so do turns.

    Method of H. Bredin, "pyannote.audio 2.1 speaker diarization pipeline" (Interspeech 2023): local speakers in windows
    of 10 s, one a second; an embedding of each; clustering of the embeddings; windows put together again.
    `docs/diarization.md` has the error of the default and of the alternatives.

    `pipeline` is "embedded", segmentation-3.0 and CAM++ with agglomerative clustering, from files that packages carry;
    or "community-1", pyannote's own published pipeline with the parameters it was published with, for who has accepted
    its conditions on Hugging Face and set HF_TOKEN. The fields of the clustering speak of "embedded" only.
    """

    pipeline: str = "embedded"
    threshold: float = 0.45  # cosine distance, 0 to 2, under which two clusters of voices are one
    linkage: str = "average"  # the distance of two clusters: average, complete, single, centroid, median, ward, weighted
    min_cluster_size: int = 12  # windows, a tenth of all where that is fewer; a voice heard in fewer joins the nearest other
    one_voice_each: bool = False  # two voices told apart within a window stay apart
    exclude_overlap: bool = True  # embed a voice where it is heard alone
    min_duration_off_s: float = 0.0  # a pause shorter than this does not end a turn
    min_speakers: int = 1
    max_speakers: int = 20
    min_turn_s: float = 0.1  # shorter turns are flicker of the segmentation, whose step is 17 ms
    min_duration_s: float = 0.5  # of the sound

    def __post_init__(self) -> None:
        if self.pipeline not in ("embedded", "community-1"):
            raise ValueError(f"DiarizeSpeakers.pipeline is 'embedded' or 'community-1', not {self.pipeline!r}")

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (SEGMENTATION_3, CAMPPLUS) if self.pipeline == "embedded" else ()

    def __call__(self, source: Source, audio: Audio) -> Iterator[Turn]:
        """Turns in the order of their start, each voice's own turns apart.

        Raises:
            Drop: audio_too_short; no_speech, with the level of what was heard.
        """
        import torch

        duration_s = audio.end_s - audio.start_s
        if duration_s < self.min_duration_s:
            raise Drop("audio_too_short", detail=f"{duration_s:.3f} s of sound, {self.min_duration_s} s are needed")
        samples = audio.samples(audio.start_s, audio.end_s, SAMPLE_HZ)
        found: Any = self.model(
            {"waveform": torch.from_numpy(np.array(samples)[None]), "sample_rate": SAMPLE_HZ, "uri": source.source_id},
            min_speakers=self.min_speakers,
            max_speakers=self.max_speakers,
        )
        # The last window is padded with silence, and a turn may reach into it.
        cut = ((span.start, min(span.end, duration_s), voice) for span, _, voice in found.speaker_diarization.itertracks(yield_label=True))
        spans = sorted(span for span in cut if span[1] - span[0] >= self.min_turn_s)
        if not spans:
            rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
            level = f"{20 * np.log10(rms):.1f} dBFS" if rms > 0 else "digital silence"
            raise Drop("no_speech", detail=f"{duration_s:.3f} s, {level}")
        names = {voice: f"speaker{n}" for n, voice in enumerate(dict.fromkeys(voice for _, _, voice in spans))}
        for start_s, end_s, voice in spans:
            start_s, end_s = audio.start_s + start_s, audio.start_s + end_s
            turn_id = f"{span_id(source.source_id, start_s, end_s)}/{names[voice]}"
            yield Turn(source.source_id, turn_id, names[voice], start_s, end_s)

    @cached_property
    def model(self) -> "Pipeline":
        """The pipeline, on the GPU where the actor holds one, on one thread of the CPU elsewhere.

        Raises:
            WeightError: when the files of "embedded" cannot be had, or HF_TOKEN does not open "community-1".
        """
        # pyannote.audio reads it when imported and reports each use to its makers otherwise.
        os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
        import torch

        # The sums of a convolution come in another order on another number of threads.
        torch.set_num_threads(1)
        pipeline: Any = embedded(self) if self.pipeline == "embedded" else _community()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        # More windows at once cost 10 MB each and gain nothing on one thread.
        pipeline.segmentation_batch_size = 32 if device == "cuda" else 4
        return pipeline.to(torch.device(device))


def embedded(by: DiarizeSpeakers) -> "Pipeline":
    """pyannote.audio's pipeline with segmentation-3.0 and CAM++."""
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    from operators.speech.campplus import CamPlusPlus

    class NoPlda(PLDA):
        """The pipeline asks for a PLDA whatever the clustering; the agglomerative one never calls it."""

        def __init__(self) -> None:
            pass

    pipeline = SpeakerDiarization(
        segmentation=segmentation_3(),
        embedding=CamPlusPlus.load(CAMPPLUS.path()),
        embedding_exclude_overlap=by.exclude_overlap,
        plda=NoPlda(),
        clustering="AgglomerativeClustering",
        embedding_batch_size=32,
    )
    pipeline.clustering.constrained_assignment = by.one_voice_each
    clustering = {"method": by.linkage, "threshold": by.threshold, "min_cluster_size": by.min_cluster_size}
    pipeline.instantiate({"segmentation": {"min_duration_off": by.min_duration_off_s}, "clustering": clustering})
    return pipeline


def segmentation_3() -> "Model":
    """segmentation-3.0 in pyannote.audio's own class, from the plain state dict, loaded strictly.

    (batch, 1, 160000) at 16 kHz to (batch, 589, 7): log probabilities of nobody, one of three voices, two of them.
    """
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    saved: dict[str, Any] = torch.load(SEGMENTATION_3.path(), map_location="cpu", weights_only=True)
    model = PyanNet(**{name: saved["model"][name] for name in ("sincnet", "lstm", "linear", "sample_rate", "num_channels")})
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=saved["inference"]["duration"],
        warm_up=tuple(saved["inference"]["warm_up"]),
        classes=[f"voice{n}" for n in range(saved["model"]["num_regular_classes"])],
        powerset_max_classes=saved["model"]["powerset_max_classes"],
        permutation_invariant=True,
    )
    model.build()
    model.load_state_dict(saved["state_dict"], strict=True)
    return model.eval()


def _community() -> "Pipeline":
    from pyannote.audio import Pipeline

    ways = f"accept the conditions of https://huggingface.co/{COMMUNITY}, then set HF_TOKEN to a token that can read it"
    if not (token := os.environ.get("HF_TOKEN")):
        raise WeightError(f"{COMMUNITY} needs HF_TOKEN: {ways}")
    pipeline = Pipeline.from_pretrained(COMMUNITY, token=token)
    if pipeline is None:
        raise WeightError(f"{COMMUNITY} was refused: {ways}")
    return pipeline
