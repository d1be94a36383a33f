"""LSE-D, LSE-C and the audio-visual offset of a clip, by SyncNet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Score
from operators.base import Audio, Drop, Frame, Frames, Measure, Operator
from operators.metrics.base import Variant
from operators.metrics.lip_sync import FPS, HZ, PROTOCOLS, SyncMetric, Watched, network, weights_of
from operators.models.catalogue_sound import SYNCNET_V2
from operators.weights import Weight

_EXACT_S = 0.002  # Matroska and the ids of clips round to the millisecond, as in `RenderClips`
_LRS, _TRACKED = PROTOCOLS["lse_lrs"], PROTOCOLS["lse_tracked"]


@dataclass(frozen=True)
class LseD(SyncMetric):
    """Lip-sync error, distance: of 31 shifts of the sound the least mean distance; from 0, lower is better, 6 to 8 for
    real speech.

    K. R. Prajwal et al., "A Lip Sync Expert Is All You Need", ACM MM 2020, with SyncNet v2. The default finds and crops
    the face first, which is what SyncNet was trained on; `lse_d_lrs` takes the whole picture for a face crop, which is
    right for LRS2, LRS3 and LRW and wrong for wider pictures. Values of the two do not compare.

    Drops: `too_short`, `no_face`, `face_too_small`, `no_sound`, `silent_audio`, `no_audio_stream`, `fps_not_25`
    (`lse_d_lrs`).
    """

    metric = "lse_d"
    known: ClassVar[dict[str, Variant]] = {
        "lse_d_tracked": Variant("lower", "of the face found, tracked and cropped, as run_pipeline.py", _TRACKED),
        "lse_d_lrs": Variant("lower", "of the whole picture, as calculate_scores_LRS.py", _LRS),
    }
    number = staticmethod(lambda sync: sync.distance)
    variant: str = "lse_d_tracked"


@dataclass(frozen=True)
class LseC(SyncMetric):
    """Lip-sync error, confidence: median of the mean distances less the least one; from 0, higher is better, 6 to 10
    for real speech.

    As `LseD`.
    """

    metric = "lse_c"
    known: ClassVar[dict[str, Variant]] = {
        "lse_c_tracked": Variant("higher", "of the face found, tracked and cropped, as run_pipeline.py", _TRACKED),
        "lse_c_lrs": Variant("higher", "of the whole picture, as calculate_scores_LRS.py", _LRS),
    }
    number = staticmethod(lambda sync: sync.confidence)
    variant: str = "lse_c_tracked"


@dataclass(frozen=True)
class SyncOffset(SyncMetric):
    """SyncNet's offset in frames of 40 ms, -15 to 15, above 0 where the sound comes early. As `LseD`.

    A mean of offsets says little: look at how many are within one frame of 0.
    """

    metric = "sync_offset_frames"
    known: ClassVar[dict[str, Variant]] = {
        "sync_offset_tracked": Variant("", "of the face found, tracked and cropped, as run_pipeline.py", _TRACKED),
        "sync_offset_lrs": Variant("", "of the whole picture, as calculate_scores_LRS.py", _LRS),
    }
    number = staticmethod(lambda sync: float(sync.offset_frames))
    variant: str = "sync_offset_tracked"


@dataclass(frozen=True)
class ScoreLse(Operator):
    """The three of a clip before it is rendered, to select by. Needs the published weights of SyncNet v2.

    The picture is the clip's box at the source's resolution, 25 times a second.

    Scores of a clip, each with the protocol's name as its variant: `lse_d`, `lse_c`, `sync_offset_frames`; see `LseD`,
    `LseC`, `SyncOffset`.

    Drops: those of `LseD`; `no_frames`; `fps_not_25` where frames are not to be resampled.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "lse_d": Measure(
            "SyncNet's least mean distance between mouth and sound; real speech has 6 to 8", "", 0, better="lower"
        ),
        "lse_c": Measure(
            "median of these distances less the least one; real speech has 6 to 10", "", 0, better="higher"
        ),
        "sync_offset_frames": Measure(
            "by how much the sound is early, in frames of 40 ms; best at 0", "frames", -15, 15
        ),
    }

    version: ClassVar[int] = 2

    variant: str = "lse_tracked"
    resample: bool = True  # False takes the source's frames as they are, and refuses any rate but 25

    def __post_init__(self) -> None:
        if self.variant not in PROTOCOLS:
            raise ValueError(f"ScoreLse.variant is {self.variant!r}; it is {' or '.join(PROTOCOLS)}")

    @property
    def weights(self) -> tuple[Weight, ...]:
        return weights_of(self.variant)

    def __call__(self, clip: Clip, frames: Frames, audio: Audio) -> Iterator[Score]:
        heard = audio.start_s < clip.end_s and audio.end_s > clip.start_s
        sound = audio.samples(clip.start_s, clip.end_s, HZ) if heard else np.zeros(0, np.float32)
        count = round((clip.end_s - clip.start_s) * FPS)
        looked = shown(frames, clip.start_s, count, FPS) if self.resample else at_25(frames)
        found = Watched.of(self.variant, (_picture(clip, frame) for frame in looked)).sync(network(), sound)
        protocol = PROTOCOLS[self.variant]
        if not self.resample:
            protocol = replace(protocol, pairing="source frames, not resampled")
        for metric, value in (
            ("lse_d", found.distance),
            ("lse_c", found.confidence),
            ("sync_offset_frames", found.offset_frames),
        ):
            score_id = f"{clip.clip_id}#{metric}/{self.variant}"
            rounded = round(float(value), 4)
            yield Score(
                clip.source_id, score_id, clip.clip_id, metric, self.variant, rounded, SYNCNET_V2.sha256, str(protocol)
            )


def shown(frames: Iterable[Frame], start_s: float, count: int, fps: int) -> Iterator[Frame]:
    """The `count` frames a player shows at `start_s + k / fps`, picked as `RenderClips` picks them.

    Before the first frame the first is shown, after the last one the last.

    Raises:
        Drop: `no_frames`.
    """
    at: Frame | None = None
    k = 0
    for frame in frames:
        until = min(count, ceil((frame.pts_s - start_s - _EXACT_S) * fps)) if at else 0
        while at and k < until:
            yield at
            k += 1
        if k == count:
            return
        at = frame
    if at is None:
        raise Drop("no_frames")
    while k < count:
        yield at
        k += 1


def at_25(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The frames as they are, if they come 25 times a second.

    Raises:
        Drop: `fps_not_25`, at the first gap that is off by more than a tenth; `no_frames`.
    """
    before: Frame | None = None
    for frame in frames:
        if before and abs((frame.pts_s - before.pts_s) * FPS - 1) > 0.1:
            raise Drop("fps_not_25", detail=f"{1 / (frame.pts_s - before.pts_s):.2f} at {frame.pts_s:.3f} s")
        yield frame
        before = frame
    if before is None:
        raise Drop("no_frames")


def _picture(clip: Clip, frame: Frame) -> NDArray[np.uint8]:
    size = round(clip.right_px - clip.left_px), round(clip.bottom_px - clip.top_px)
    return frame.crop(clip.left_px, clip.top_px, clip.right_px, clip.bottom_px, size)
