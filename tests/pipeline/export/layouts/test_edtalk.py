"""EDTalk's files, read back, and each trap of its loader made on purpose."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.layout import Refused
from pipeline.export.layouts.pirender import jpeg, key, opened, put
from tests.pipeline.export.layouts.conftest import all_exported, problem

A = "a-000000-006880-t0"


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    clips = [talks[0], replace(talks[1], split="test")]
    return all_exported("edtalk", clips, tmp_path_factory.mktemp("edtalk"))


def names_of(folder: Path, split: str = "train") -> list[str]:
    return json.loads((folder / f"lists/MEAD_HDTF_{split}.json").read_text())


def test_pieces_of_a_clip_are_one_person_s(made: Path) -> None:
    assert names_of(made) == [f"{A}#0", f"{A}#1"]
    with opened(made / "EDTalk_lmdb") as stored:
        assert stored is not None
        assert [stored(key(name, "length")) for name in names_of(made)] == [b"0000086", b"0000086"]
        assert stored(key("length")) == b"0000004"
        assert stored(key(f"{A}#1", 85)) is not None
        assert stored(key(f"{A}#1", 86)) is None


def test_a_single_frame_is_refused(talks: list[ExportClip], tmp_path: Path) -> None:
    (outcome,) = export("edtalk", [replace(talks[0], frames=1)], tmp_path)
    assert isinstance(outcome, Refused)
    assert outcome.reason == "too_short"


def lists(*names: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "lists/MEAD_HDTF_train.json").write_text(json.dumps(names))

    return change


def stores(name: str, number: int | str, value: bytes) -> Callable[[Path], None]:
    return lambda folder: put(folder / "EDTalk_lmdb", {key(name, number): value})


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (lists(), "names no video, and the loader draws from it"),
        (lists(f"{A}#0", f"{A}#0"), f"{A}#0 is listed 2 times"),
        (lists(A), f"{A}: is not of two parts, or four, parted by #"),
        (lists("M003#angry#001#0"), "is of MEAD's form, and M003 has no neutral take"),
        (lists("other#0"), "other#0: has no length, or one below 2"),
        (stores(f"{A}#0", "length", b"0000001"), f"{A}#0: has no length, or one below 2"),
        (stores(f"{A}#0", "length", b"0000087"), f"{A}#0: frame 86 does not decode"),
        (stores(f"{A}#0", 3, jpeg(np.zeros((64, 64, 3), np.uint8))), "frame 3 is RGB of (64, 64), not RGB of 256x256"),
        (lambda folder: (folder / "lists/MEAD_HDTF_test.json").unlink(), "MEAD_HDTF_test.json: does not read"),
        (lambda folder: (folder / "EDTalk_lmdb/data.mdb").unlink(), "EDTalk_lmdb: is no lmdb"),
    ],
)
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], told: str) -> None:
    breaks(broken)
    assert told in problem("edtalk", broken)
