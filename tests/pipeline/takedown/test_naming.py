"""Which rows name what is gone: by its id, or by an id that is made of it, and not by one that only begins alike."""

import pyarrow as pa
import pytest

from pipeline.takedown.naming import naming


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gone", True),
        ("gone/000000-005000/t0", True),
        ("gone=other", True),
        ("gone2", False),
        ("gone2/000000-005000/t0", False),
        ("other/gone", False),
        ("a/c1", True),
        ("a/c1#psnr", True),
        ("a/c1@recording", True),
        ("a/c1=b/c2", True),
        ("a/c10", False),
        ("a/c1/part", False),
        (None, False),
    ],
)
def test_what_is_named(text: str | None, told: bool) -> None:
    rows = pa.table({"score_id": pa.array(["x"]), "subject": pa.array([text], pa.string()), "value": pa.array([1.0])})
    assert naming(rows, {"gone"}, {"a/c1"}).to_pylist() == [told]
