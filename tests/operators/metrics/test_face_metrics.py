"""Of every metric that looks at faces: a clip beside itself, the same person later, another person; and what is
refused.
"""

import pytest

from operators.base import Drop
from operators.metrics.aed_3dmm import Aed3dmm
from operators.metrics.aed_id import AedId
from operators.metrics.akd import Akd
from operators.metrics.apd import Apd
from operators.metrics.base import Metric, Video
from operators.metrics.csim import Csim
from operators.metrics.lmd import Lmd
from operators.metrics.mkr import Mkr
from tests.conftest import weights
from tests.operators.metrics.faces_seen import blank, other, same

METRICS: list[tuple[Metric, float]] = [
    (Csim("csim_aligned_faceplugin"), 1.0),
    (Csim("csim_whole_frame_faceplugin"), 1.0),
    (AedId(), 0.0),
    (Aed3dmm("aed_3ddfa"), 0.0),
    (Apd("apd_3ddfa"), 0.0),
    (Akd(), 0.0),
    (Lmd(), 0.0),
    (Lmd("lmd_vico_mesh"), 0.0),
]


@pytest.mark.parametrize(("metric", "itself"), METRICS, ids=lambda one: getattr(one, "variant", ""))
def test_itself_then_the_same_person_then_another(metric: Metric, itself: float) -> None:
    weights("3ddfa_v2_mb05_120x120.pth")
    values = [metric.measure(Video.of(same(), others)) for others in (same(), same(later=True), other())]
    assert values[0] == pytest.approx(itself, abs=1e-9)
    better = 1 if metric.definition.better == "higher" else -1
    assert better * values[0] > better * values[1] > better * values[2]


@pytest.mark.parametrize(
    "metric", [metric for metric, _ in METRICS if "whole" not in metric.variant], ids=lambda one: one.variant
)
def test_frames_without_a_face_are_left_out_up_to_half(metric: Metric) -> None:
    weights("3ddfa_v2_mb05_120x120.pth")
    frames = same()
    some = metric.measure(Video.of([*frames, blank()], [*same(later=True), frames[0]]))
    assert some == pytest.approx(metric.measure(Video.of(frames, same(later=True))))
    with pytest.raises(Drop, match="no_face"):
        metric.measure(Video.of([frames[0], blank(), blank()], frames[:3]))
    with pytest.raises(Drop, match="no_frames"):
        metric.measure(Video.of([], []))


def test_the_missing_are_counted_where_the_recording_shows_a_face() -> None:
    frames = same()[:2]
    assert Mkr().measure(Video.of([*frames, blank(), blank()], [*frames, frames[0], blank()])) == pytest.approx(1 / 3)
    with pytest.raises(Drop, match="no_face"):
        Mkr().measure(Video.of(frames, [blank(), blank()]))
