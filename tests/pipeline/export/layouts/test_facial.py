"""FACIAL's three files a clip, read back as its loader does, and broken."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.clip import ExportClip
from pipeline.export.corpus_clips import clips_of
from pipeline.export.export import export
from pipeline.export.layout import Given, Refused
from tests.pipeline.export.layouts.conftest import exported, made_corpus, problem

pytestmark = pytest.mark.slow  # clips of five seconds, and their faces
SUBSTITUTED = Given(substitutes=frozenset({"deepspeech", "face_params", "openface"}))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> list[ExportClip]:
    return clips_of(
        made_corpus(
            tmp_path_factory.mktemp("facial"),
            {"a": [("hopper", 4.4)], "b": [("collins", 4.4)], "c": [("collins", 4.2)]},
        )
    )


@pytest.fixture
def made(long: list[ExportClip], tmp_path: Path) -> Path:
    written, refused = exported("facial", long, tmp_path, SUBSTITUTED)
    assert [one.note["frames"] for one in written] == [132, 132]
    assert [(one.clip_id[0], one.reason, one.detail) for one in refused] == [
        ("c", "too_short", "126 frames, 129 are needed")
    ]
    return tmp_path


def test_the_three_files_have_one_length_at_30_frames_a_second(made: Path, long: list[ExportClip]) -> None:
    name = long[0].name
    assert pickle.loads((made / f"audio/{name}.pkl").read_bytes()).shape == (132, 16, 29)
    with np.load(made / f"params/{name}.npz") as held:
        assert held["face"].shape == (132, 71)
        assert held["face"][:, 7:59] == pytest.approx(long[0].faces(30).blendshapes, abs=1e-6)
    rows = [line.split(",") for line in (made / f"openface/{name}.csv").read_text().splitlines()]
    assert rows[0][2] == " AU45_r"
    blinks = np.array([float(row[2]) for row in rows[1:]])
    assert blinks == pytest.approx(5 * long[0].faces(30).blendshapes[:, 9:11].mean(axis=1), abs=1e-4)


def test_what_is_given_is_taken_and_checked(long: list[ExportClip], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for clip, frames in zip(long, (132, 131, 132), strict=True):
        np.save(tmp_path / f"{clip.name}.npy", random.random((132, 16, 29)))
        np.savez(tmp_path / f"{clip.name}.npz", face=random.random((132, 80)))
        (tmp_path / f"{clip.name}.csv").write_text("frame, AU45_r\n" + "1, 0.5\n" * frames)
    given = Given(dict.fromkeys(("deepspeech", "face_params", "openface"), tmp_path))
    outcomes = list(export("facial", long, tmp_path / "to", given))
    assert [one.reason for one in outcomes if isinstance(one, Refused)] == ["openface_differs", "too_short"]
    assert (tmp_path / f"to/params/{long[0].name}.npz").read_bytes() == (tmp_path / f"{long[0].name}.npz").read_bytes()


def test_what_the_loader_would_choke_on_is_told(made: Path, long: list[ExportClip]) -> None:
    one, other = long[0].name, long[1].name
    (made / f"openface/{one}.csv").write_text("frame,AU45_r\n1,0\n")
    np.savez(made / f"params/{one}.npz", face=np.ones((132, 71)))
    (made / f"audio/{other}.pkl").write_bytes(pickle.dumps(print))
    told = problem("facial", made)
    for line in (
        f"openface/{one}.csv: has no column ' AU45_r'",
        f"params/{one}.npz: holds a pose that never changes",
        f"audio/{other}.pkl: does not unpickle",
    ):
        assert line in told
    np.savez(made / f"params/{one}.npz", face=np.ones((132, 70)))
    assert "holds face (132, 70), not (132, 71 or more)" in problem("facial", made)
    (made / "train.txt").write_text("")
    assert "train.txt: names no clip" in problem("facial", made)
