"""VFHQ: one text a clip, named by its video, person and frames."""

from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.vfhq import read
from tests.pipeline.importers.rows import Sorted, box, write

GOOD = "H 720\nW 1280\nFPS 29.97\n\nCROP 100 20 612 532\nLANDMARKS 1 2 3\n"


def test_clips_and_drops(tmp_path: Path) -> None:
    found = Sorted(
        read,
        write(
            tmp_path,
            {
                "a/Clip+aaaaaaaaaaa+P0+C3+F1537-1825.txt": GOOD,
                "a/Clip+aaaaaaaaaaa+P1+C4+F10-60.txt": "\ufeff" + GOOD.replace("612", "1300").rstrip("\n"),
                "a/Clip+aaaaaaaaaaa+P1+C5+F10-11.txt": GOOD,
                "a/Clip+aaaaaaaaaaa+P1+C6+F10-99.txt": GOOD.replace("FPS 29.97\n", ""),
                "a/Clip+aaaaaaaaaaa+P1+C7+F10-99.txt": GOOD.replace("612", "100"),
                "a/Clip+short+P1+C7+F10-99.txt": GOOD,
            },
        ),
    )
    first, second = found.clips
    assert (first.first_frame, first.last_frame, first.fps) == (1538, 1825, 29.97), (
        "the frames after start and before end"
    )
    assert (box(first), first.frame_width, first.frame_height, first.crop) == ((100, 20, 612, 532), 1280, 720, "vfhq")
    assert (first.identity, second.identity) == ("aaaaaaaaaaa/P0", "aaaaaaaaaaa/P1")
    assert found.said(first.name) == []
    assert [trap.split()[0] for trap in found.said(second.name)] == [
        "byte_order_mark",
        "no_last_newline",
        "box_beyond_frame",
        "box_not_square",
    ]
    assert found.reasons == {"bad_frames": 1, "missing_field": 1, "bad_box": 1, "malformed_name": 1}
    assert found.drop("Clip+aaaaaaaaaaa+P1+C6+F10-99").detail == "FPS"


def test_a_folder_without_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="meta_info"):
        list(read(tmp_path))
