"""What a render is put beside: the recording that it should equal, or whose motion or person it should have."""

from dataclasses import dataclass

from manifests.tables import RECORDING, TEXT_DRIVEN, Pair, Render
from operators.base import Drop, Lookup

NOTHING, TARGET, DRIVING, IDENTITY = "nothing", "target", "driving", "identity"
SPARE_FRAMES = 5  # by which a render and its reference may differ in length: the rest of the longer is not compared


@dataclass(frozen=True)
class Reference:
    """A recording, or one picture of it."""

    render: Render
    still: bool = False  # its first frame, beside every frame


def has_target(pair: Pair | None) -> bool:
    """Whether a recording shows frame by frame what a render of the pair should show: the driving clip, where it is of
    the source itself.

    Without a pair a render is taken for a remake of its own clip. Nothing says when words are to be said, so
    `text_driven` has none.
    """
    return pair is None or (
        pair.source_clip_id == pair.driving_clip_id and pair.protocol in ("same_identity", "audio_driven")
    )


def reference_of(
    compares: str, render: Render, pairs: Lookup[Pair], recordings: Lookup[Render]
) -> tuple[Pair | None, Reference]:
    """The pair of a render, None for a remake of its own clip, and what it is compared with.

    Args:
        compares: TARGET, DRIVING or IDENTITY, see `Metric`.

    Raises:
        Drop: `pair_unknown`, `no_target`, `no_recording`, `fps_mismatch`, `length_mismatch`: known without a decode.
    """
    pair = pairs.get(render.pair_id) if render.pair_id else None
    if render.pair_id and pair is None:
        raise Drop("pair_unknown", detail=f"{render.pair_id} is not among the pairs", retryable=True)
    timed = pair is None or pair.protocol != TEXT_DRIVEN  # else frame k says another word than the recording's
    if (compares == TARGET and not has_target(pair)) or (compares == DRIVING and not timed):
        raise Drop(
            "no_target", detail=f"no recording shows what a render of {pair.pair_id if pair else ''} should show"
        )
    if pair is not None and compares == IDENTITY and not has_target(pair):
        source = _recording(pair.source_clip_id, recordings)
        if source is None:
            raise Drop("no_recording", detail="the source clip is not rendered", retryable=True)
        return pair, Reference(source, still=True)
    driving = _recording(pair.driving_clip_id if pair else render.clip_id, recordings)
    if driving is None:
        raise Drop("no_recording", detail="the driving clip is not rendered", retryable=True)
    if abs(driving.fps - render.fps) > 0.01:
        raise Drop("fps_mismatch", detail=f"{render.fps:g} and {driving.fps:g} frames a second")
    if abs(driving.frames - render.frames) > SPARE_FRAMES:
        raise Drop(
            "length_mismatch", detail=f"{render.frames} and {driving.frames} frames, more than {SPARE_FRAMES} apart"
        )
    return pair, Reference(driving)


def _recording(clip_id: str, recordings: Lookup[Render]) -> Render | None:
    return next((row for row in recordings.where("clip_id", clip_id) if row.made_by == RECORDING), None)
