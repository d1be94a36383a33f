"""Whose voice a clip's speaker has."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Turn, VoiceEmbedding
from operators.base import Audio, Drop, Operator
from operators.models.catalogue_sound import CAMPPLUS
from operators.models.device import one_thread
from operators.timeline import STEP_S, Mask, timeline, voices_heard
from operators.weights import Weight

if TYPE_CHECKING:
    from operators.models.campplus import CamPlusPlus

SAMPLE_HZ = 16000
NUMBERS = 192
MODEL = "campplus"


@dataclass(frozen=True)
class EmbedVoice(Operator):
    """The voice of a clip as 192 numbers of length 1 that tell people apart: compare two by their cosine, -1 to 1.

    By CAM++ of Wang et al. (Interspeech 2023), as diarization uses it. Of the clip are embedded, put together, the
    parts in which its speaker is heard alone by the turns; where these are shorter than `min_s`, all in which the
    speaker is heard; without turns, the whole clip.

    Of 20 utterances by 5 readers (LibriSpeech test-other), cut to 2 s, two by one reader have a cosine of 0.51 or more
    (median 0.64), two by different ones of 0.37 at most; cut to 1 s it is 0.20 and 0.33. A shared channel brings voices
    nearer: of two people on one telephone line 0.30 to 0.48, beside 0.72 and 0.90 of each with themselves.
    """

    min_s: float = 1.0  # of the voice: of less the network says little

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (CAMPPLUS,)

    def __call__(
        self,
        clip: Clip,
        audio: Audio,
        turns: list[Turn] = [],  # noqa: B006 - only read
    ) -> Iterator[VoiceEmbedding]:
        """One row.

        Raises:
            Drop: audio_too_short, with the seconds in which the voice is heard; silent_audio.
        """
        import torch

        heard = own_parts(clip, turns, self.min_s)
        heard_s = round(float(heard.sum()) * STEP_S, 3)
        if heard_s < self.min_s:
            raise Drop("audio_too_short", detail=f"{heard_s:.2f} s of the voice, {self.min_s} s are needed")
        samples = audio.samples(clip.start_s, clip.end_s, SAMPLE_HZ)
        if not samples.any():
            raise Drop("silent_audio", detail="digital silence")
        with torch.inference_mode():
            weights = torch.from_numpy(heard[None].astype(np.float32))
            found = self.model(torch.from_numpy(samples[None, None]), weights)[0].double().numpy()
        embedding = (found / np.linalg.norm(found)).astype("<f2").tobytes()
        yield VoiceEmbedding(clip.source_id, f"{clip.clip_id}@{MODEL}", clip.clip_id, heard_s, embedding, MODEL)

    @cached_property
    def model(self) -> "CamPlusPlus":
        one_thread()
        from operators.models.campplus import CamPlusPlus

        return CamPlusPlus.load(CAMPPLUS.path())


def own_parts(clip: Clip, turns: list[Turn], min_s: float) -> Mask:
    """(steps,) `STEP_S` apart: where the clip's speaker is heard, alone where that is `min_s` or more."""
    times = timeline(clip.start_s, clip.end_s)
    voices = voices_heard(turns, clip.start_s, clip.end_s, times)
    if (own := voices.pop(clip.speaker, None)) is None:
        return np.ones(len(times), bool)
    alone = own & ~np.any(list(voices.values()), axis=0) if voices else own
    return alone if alone.sum() * STEP_S >= min_s else own


def voice_of(row: VoiceEmbedding) -> NDArray[np.float64]:
    """(192,): the numbers of a row."""
    return np.frombuffer(row.embedding, "<f2").astype(np.float64)
