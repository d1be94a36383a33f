"""Rows on their way between processes."""

import pickle

from manifests.tables import Dropped, Shot, schema
from pipeline.engine.rows import Made, to_arrow


def test_rows_travel_as_they_are_stored() -> None:
    shots = [Shot("a", f"a/{number}", number / 3, number / 3 + 1) for number in range(3)]
    drop = Dropped("a", "a/3@DetectShots", "a/3", "shots", "DetectShots", "shot_short", "", False, False)
    made = Made({"shots": to_arrow(Shot, shots), "empty": to_arrow(Shot, [])}, [drop], seconds=1.5)
    buffers: list[pickle.PickleBuffer] = []
    there = pickle.loads(pickle.dumps(made, protocol=5, buffer_callback=buffers.append), buffers=buffers)
    assert (there, there.of(Shot)) == (made, shots)
    assert there.rows["empty"].schema == schema(Shot)
    assert len(buffers) == 2, "tables stay where Ray has them, and are not copied"
