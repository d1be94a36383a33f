"""Of every metric there is: what it makes of one frame, other sizes, no face, silence, one colour and nothing; a value
or a typed refusal.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics import lip_sync
from operators.metrics.base import NOTHING, TARGET, FramePair, Metric, SetMetric, Video
from operators.models.syncnet import SyncNet
from operators.picture import Picture
from pipeline.scoring.score import metrics_there
from tests.operators.metrics.calibration import toy
from tests.operators.metrics.faces_seen import same

THERE = metrics_there()
VALUE = "a value"
NEEDS_FACE = {
    "aed_3ddfa", "aed_id_faceplugin", "akd_mesh", "apd_3ddfa", "csim_aligned_faceplugin", "frechet_identity",
    "lmd_atvg_mesh", "lmd_vico_mesh", "mkr_mesh",
}  # fmt: skip
TEXTURE = {"cpbd": "no_edges", "niqe_matlab": "flat", "niqe_basicsr": "flat"}
LISTENS = {
    "av_confidence_mesh", "av_offset_mesh", "lse_d_lrs", "lse_d_tracked", "lse_c_lrs", "lse_c_tracked",
    "sync_offset_lrs", "sync_offset_tracked",
}  # fmt: skip
WITHOUT_FILE = {
    "aed_3dmm",
    "apd_3dmm",
    "csim_aligned",
    "csim_whole_frame",
    "fid_legacy",
    "fid_clean",
    "fvd_16",
    "fvd_videogpt",
    "lra_mstcn",
}
OVER_TIME = {
    "lip_dynamics_mesh",
    "eyebrow_dynamics_mesh",
    "head_motion_mesh",
    "silent_lips_mesh",
    "lip_loudness_mesh",
}  # what moves, not how a frame looks
LOOKING = sorted(THERE.keys() - WITHOUT_FILE - LISTENS - OVER_TIME)


@dataclass
class Silence:
    start_s: float = 0.0
    end_s: float = 60.0

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        return np.zeros(round((end_s - start_s) * hz), np.float32)


def outcome(
    metric: Metric, made: list[NDArray[np.uint8]], reference: list[NDArray[np.uint8]], sound: bool = True
) -> str:
    pairs = zip(made, reference, strict=True)
    given = [FramePair(Picture(one), None if metric.compares == NOTHING else Picture(other)) for one, other in pairs]
    video = Video(given, 25, Silence if sound else None, "r", len(given))
    try:
        found = metric.features(video) if isinstance(metric, SetMetric) else metric.measure(video)
    except Drop as drop:
        return drop.reason
    assert np.isfinite(found).all()
    return VALUE


def had(variant: str) -> Metric:
    """The metric, where its files can be had."""
    metric = THERE[variant]
    if lost := [weight.file for weight in metric.weights if weight.found() is None and not weight.inside]:
        pytest.skip(f"{', '.join(lost)} is not here")
    return metric


def test_the_rules_know_every_metric() -> None:
    assert LISTENS | WITHOUT_FILE | NEEDS_FACE | OVER_TIME | set(TEXTURE) < THERE.keys()


@pytest.mark.parametrize("variant", LOOKING)
def test_one_frame_has_a_value_and_none_has_not(variant: str) -> None:
    metric = had(variant)
    assert outcome(metric, same()[:1], same()[1:2]) == VALUE
    assert outcome(metric, [], []) in ("no_frames", "no_face")


@pytest.mark.parametrize("variant", sorted(OVER_TIME))
def test_motion_wants_more_than_one_frame_and_a_face(variant: str) -> None:
    assert outcome(had(variant), [], []) == "no_frames"
    assert outcome(had(variant), same()[:1], same()[:1]) == "too_short"
    assert outcome(had(variant), [toy(side=256)] * 3, [toy(side=256)] * 3) == "no_face"


@pytest.mark.parametrize("variant", LOOKING)
def test_another_size_is_refused_where_pixels_are_compared(variant: str) -> None:
    metric = had(variant)
    assert outcome(metric, same()[:1], [same()[0][::2, ::2].copy()]) == (
        "size_mismatch" if metric.compares == TARGET else VALUE
    )


@pytest.mark.parametrize("variant", LOOKING)
def test_a_missing_face_is_told_by_those_that_need_one(variant: str) -> None:
    assert outcome(had(variant), [toy(side=256)], [toy(1, side=256)]) == ("no_face" if variant in NEEDS_FACE else VALUE)


@pytest.mark.parametrize("variant", LOOKING)
def test_black_frames_are_no_error(variant: str) -> None:
    black = np.zeros((256, 256, 3), np.uint8)
    assert outcome(had(variant), [black], [black]) == (
        "no_face" if variant in NEEDS_FACE else TEXTURE.get(variant, VALUE)
    )


@pytest.mark.parametrize("variant", sorted(LISTENS))
def test_short_and_silent_renders_are_told_apart(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lip_sync, "network", SyncNet)
    monkeypatch.setattr(lip_sync, "mesh", lambda _: np.random.default_rng(0).normal(size=(478, 2)))
    metric, small = THERE[variant], [np.zeros((32, 32, 3), np.uint8)] * 60
    assert outcome(metric, small, small) == "silent_audio"
    assert outcome(metric, small, small, sound=False) == "no_audio_stream"
    assert outcome(metric, [], []) == "no_frames"
    if not variant.endswith("_lrs"):
        assert outcome(metric, small[:1], small[:1]) in ("too_short", "silent_audio")


@pytest.mark.parametrize(
    ("variant", "reason"),
    [("fvd_16", "too_short"), ("fvd_videogpt", "too_short"), ("lra_mstcn", "no_word"), ("fid_legacy", "no_frames")],
)
def test_what_is_refused_before_the_network_is_asked(variant: str, reason: str) -> None:
    frames = [] if reason == "no_frames" else [toy()]
    assert outcome(THERE[variant], frames, frames) == reason
