"""Who speaks when."""

import math
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from manifests.errors import WeightError
from manifests.tables import Clip, Source, Track, Turn, span_id
from operators.base import Audio, Drop, Operator, Resources
from operators.models.catalogue_sound import CAMPPLUS, SEGMENTATION_3, SILERO_VAD
from operators.models.device import one_thread
from operators.models.silero_vad import SileroVad, spans
from operators.timeline import AsksForFaces, may_show, width_px
from operators.weights import Weight

if TYPE_CHECKING:
    from pyannote.audio import Model
    from pyannote.audio.core.pipeline import Pipeline
    from pyannote.core import Annotation

    from operators.models.streamed_diarization import StreamedDiarization

SAMPLE_HZ = 16000
BLOCK_S = 60.0  # of sound read at once where it is read through
COMMUNITY = "pyannote/speaker-diarization-community-1"


@dataclass(frozen=True)
class DiarizeSpeakers(Operator):
    """The turns of each voice, by pyannote.audio's `SpeakerDiarization`; where voices overlap, so do turns.

    Method of H. Bredin, "pyannote.audio 2.1 speaker diarization pipeline" (Interspeech 2023): local speakers in windows
    of 10 s, one a second; an embedding of each; clustering of the embeddings; windows put together again. Windows in
    which Silero's detector hears no speech are passed over. `docs/measured/diarization.md` has the error of the default
    and of the alternatives.

    `pipeline` is "embedded", segmentation-3.0 and CAM++ with agglomerative clustering, from files that packages carry;
    or "community-1", pyannote's own published pipeline with the parameters it was published with, for who has accepted
    its conditions on Hugging Face and set HF_TOKEN. The fields of the clustering speak of "embedded" only.
    """

    pipeline: str = "embedded"
    threshold: float = 0.45  # cosine distance, 0 to 2, under which two clusters of voices are one
    # the distance of two clusters: average, complete, single, centroid, median, ward, weighted
    linkage: str = "average"
    # windows, a tenth of all where that is fewer; a voice heard in fewer joins the nearest other
    min_cluster_size: int = 12
    one_voice_each: bool = False  # two voices told apart within a window stay apart
    exclude_overlap: bool = True  # embed a voice where it is heard alone
    min_duration_off_s: float = 0.0  # a pause shorter than this does not end a turn
    min_speakers: int = 1
    max_speakers: int = 20
    min_turn_s: float = 0.1  # shorter turns are flicker of the segmentation, whose step is 17 ms
    min_duration_s: float = 0.5  # of the sound
    speech_threshold: float = 0.5  # probability of speech, 0 to 1, from which a window is listened to; 0: each is
    # A source is listened to where some track of a face is so wide at some look, and so long, and wherever a later
    # step asks for less; 0: each source is.
    min_face_px: float = 0.0
    min_face_s: float = 0.0

    version: ClassVar[int] = 3  # the norms of CAM++ are folded: 1e-5 of a number
    resources: ClassVar[Resources] = Resources(cpus=1, gpus=0.1)

    def fitted(self, others: Sequence[Operator]) -> Self:
        """Listens wherever a face is as wide, and there as long, as some step asks of a clip's."""
        asking = [one for one in others if Clip in one.signature.writes and isinstance(one, AsksForFaces)]
        return replace(
            self,
            min_face_px=min([self.min_face_px, *(one.min_face_px for one in asking)]),
            min_face_s=min([self.min_face_s, *(one.min_s for one in asking)]),
        )

    def __post_init__(self) -> None:
        if self.pipeline not in ("embedded", "community-1"):
            raise ValueError(f"DiarizeSpeakers.pipeline is 'embedded' or 'community-1', not {self.pipeline!r}")

    @property
    def weights(self) -> tuple[Weight, ...]:
        gate = (SILERO_VAD,) if self.speech_threshold > 0 else ()
        return (SEGMENTATION_3, CAMPPLUS, *gate) if self.pipeline == "embedded" else gate

    def __call__(
        self,
        source: Source,
        audio: Audio,
        tracks: list[Track] = [],  # noqa: B006 - only read
    ) -> Iterator[Turn]:
        """Turns in the order of their start, each voice's own turns apart.

        Raises:
            Drop: no_clip_face, where no track could become a clip; audio_too_short; no_speech, with the level of what
                was heard.
        """
        if self.min_face_px > 0 and not any(may_show(track, self.min_face_px, self.min_face_s) for track in tracks):
            widest = max((width_px(track) for track in tracks), default=0.0)
            raise Drop("no_clip_face", detail=f"{len(tracks)} tracks, the widest {widest:.0f} px, or seen too briefly")
        duration_s = audio.end_s - audio.start_s
        if duration_s < self.min_duration_s:
            raise Drop("audio_too_short", detail=f"{duration_s:.3f} s of sound, {self.min_duration_s} s are needed")
        speech = self.speech(audio) if self.speech_threshold > 0 else None
        found: Any = self._listen(source.source_id, audio, speech).itertracks(yield_label=True) if speech != [] else ()
        # The last window is padded with silence, and a turn may reach into it.
        cut = ((span.start, min(span.end, duration_s), str(voice)) for span, _, voice in found)
        turns = sorted(span for span in cut if span[1] - span[0] >= self.min_turn_s)
        if not turns:
            raise Drop("no_speech", detail=f"{duration_s:.3f} s, {_level(audio)}")
        names = {voice: f"speaker{n}" for n, voice in enumerate(dict.fromkeys(voice for _, _, voice in turns))}
        for (start_s, end_s, voice), overlap_s in zip(turns, overlaps(turns), strict=True):
            start_s, end_s = audio.start_s + start_s, audio.start_s + end_s
            turn_id = f"{span_id(source.source_id, start_s, end_s)}/{names[voice]}"
            yield Turn(source.source_id, turn_id, names[voice], start_s, end_s, overlap_s)

    def speech(self, audio: Audio) -> list[tuple[int, int]]:
        """Spans of speech, in samples from the start of the sound."""
        count = round((audio.end_s - audio.start_s) * SAMPLE_HZ)
        return spans(self.vad.probabilities(_blocks(audio)), count, self.speech_threshold)

    def _listen(self, uri: str, audio: Audio, speech: list[tuple[int, int]] | None) -> "Annotation":
        model: Any = self.model
        bounds = {"min_speakers": self.min_speakers, "max_speakers": self.max_speakers}
        if self.pipeline == "embedded":
            return model.listen(uri, audio, speech, **bounds)
        import torch

        waveform = torch.from_numpy(audio.samples(audio.start_s, audio.end_s, SAMPLE_HZ)[None])
        return model({"waveform": waveform, "sample_rate": SAMPLE_HZ, "uri": uri}, **bounds).speaker_diarization

    @cached_property
    def vad(self) -> SileroVad:
        return SileroVad()

    @cached_property
    def model(self) -> "Pipeline":
        """The pipeline, on the GPU where the actor holds one, on one thread of the CPU elsewhere.

        Raises:
            WeightError: when the files of "embedded" cannot be had, or HF_TOKEN does not open "community-1".
        """
        one_thread()
        import torch

        pipeline: Any = embedded(self) if self.pipeline == "embedded" else _community()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        # More windows at once cost 10 MB each and gain nothing on one thread.
        pipeline.segmentation_batch_size = 32 if device == "cuda" else 4
        return pipeline.to(torch.device(device))


def embedded(by: DiarizeSpeakers) -> "StreamedDiarization":
    """pyannote.audio's pipeline with segmentation-3.0 and CAM++."""
    from pyannote.audio.core.plda import PLDA

    from operators.models.campplus import CamPlusPlus
    from operators.models.streamed_diarization import LongClustering, StreamedDiarization

    class NoPlda(PLDA):
        """The pipeline asks for a PLDA whatever the clustering; the agglomerative one never calls it."""

        def __init__(self) -> None:
            pass

    pipeline = StreamedDiarization(
        segmentation=segmentation_3(),
        embedding=CamPlusPlus.load(CAMPPLUS.path()),
        embedding_exclude_overlap=by.exclude_overlap,
        plda=NoPlda(),
        clustering="AgglomerativeClustering",
    )
    pipeline.clustering = LongClustering(metric=pipeline.clustering.metric, constrained_assignment=by.one_voice_each)
    clustering = {"method": by.linkage, "threshold": by.threshold, "min_cluster_size": by.min_cluster_size}
    pipeline.instantiate({"segmentation": {"min_duration_off": by.min_duration_off_s}, "clustering": clustering})
    return pipeline


def overlaps(turns: list[tuple[float, float, str]]) -> list[float]:
    """Of each (start_s, end_s, voice), sorted by start, the seconds in which another voice speaks too."""
    found = []
    # A turn reaches those after it no longer than the longest lasts.
    longest_s = max(end_s - start_s for start_s, end_s, _ in turns)
    starts = [start_s for start_s, _, _ in turns]
    for start_s, end_s, voice in turns:
        near = turns[bisect_left(starts, start_s - longest_s) : bisect_left(starts, end_s)]
        heard_s, until_s = 0.0, start_s
        for other_start_s, other_end_s, other in near:
            if other != voice and min(end_s, other_end_s) > until_s:
                heard_s += min(end_s, other_end_s) - max(until_s, other_start_s)
                until_s = min(end_s, other_end_s)
        found.append(heard_s)
    return found


def segmentation_3() -> "Model":
    """segmentation-3.0 in pyannote.audio's own class, from the plain state dict, loaded strictly.

    (batch, 1, 160000) at 16 kHz to (batch, 589, 7): log probabilities of nobody, one of three voices, two of them.
    """
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    saved: dict[str, Any] = torch.load(SEGMENTATION_3.path(), map_location="cpu", weights_only=True)
    model = PyanNet(
        **{name: saved["model"][name] for name in ("sincnet", "lstm", "linear", "sample_rate", "num_channels")}
    )
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


def _blocks(audio: Audio) -> Iterator[NDArray[np.float32]]:
    """The sound from its start to its end, `BLOCK_S` at a time."""
    for n in range(math.ceil((audio.end_s - audio.start_s) / BLOCK_S)):
        start_s = audio.start_s + n * BLOCK_S
        yield audio.samples(start_s, min(start_s + BLOCK_S, audio.end_s), SAMPLE_HZ)


def _level(audio: Audio) -> str:
    power, count = 0.0, 0
    for block in _blocks(audio):
        power, count = power + float(np.sum(np.square(block, dtype=np.float64))), count + len(block)
    return f"{10 * math.log10(power / count):.1f} dBFS" if power > 0 else "digital silence"
