"""What is told of a failure."""

from collections.abc import Iterator

import pytest

from manifests.tables import Source, Turn
from operators.base import Drop
from pipeline.engine.outcome import call_operator, without_paths


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[Errno 2] No such file or directory: '/home/ada/my videos/a b.mp4'",
            "[Errno 2] No such file or directory: 'a b.mp4'",
        ),
        ("cannot open /tmp/x/y.wav, nor /var/z/", "cannot open y.wav, nor z"),
        ("file:///home/ada/a.mp4: Invalid data", "a.mp4: Invalid data"),
        ("(/usr/lib/libx.so.1) is missing", "(libx.so.1) is missing"),
        (
            "https://example.org/a/b.mp4 gave 3/4 of s3://bucket/a/b",
            "https://example.org/a/b.mp4 gave 3/4 of s3://bucket/a/b",
        ),
        ("and/or, 25 frames / s", "and/or, 25 frames / s"),
    ],
)
def test_a_path_of_this_machine_is_cut_to_its_name(text: str, told: str) -> None:
    assert without_paths(text) == told


def test_a_failure_of_an_operator_names_no_path() -> None:
    def made() -> Iterator[Drop]:
        raise FileNotFoundError(2, "No such file or directory", "/home/ada/videos/a.mp4")
        yield

    (drop,) = call_operator("Read", Source("s", ""), made()).drops
    assert "a.mp4" in drop.detail
    assert "/home" not in drop.detail
    assert drop.failed


@pytest.mark.parametrize(("error", "status"), [(Drop("no_sense"), "dropped"), (RuntimeError("broken"), "failed")])
def test_what_was_yielded_before_the_end_is_not_kept(error: Exception, status: str) -> None:
    """Rows and drops of a row that is given up later would be half an answer."""
    row = Source("s", "")

    def made() -> Iterator[Turn | Drop]:
        yield Turn("s", "s/1", "speaker0", 0.0, 1.0)
        yield Drop("too_short", Turn("s", "s/2", "speaker0", 1.0, 1.1))
        raise error

    answer = call_operator("Half", row, made())
    assert (answer.status, answer.rows) == (status, [])
    assert [(drop.subject, drop.failed) for drop in answer.drops] == [("s", status == "failed")]
