"""EVP's windows, read back as its loader does, and broken."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.clip import ExportClip
from pipeline.export.layouts.evp import old_pickle, unpickled
from pipeline.export.layouts.headpose import float_mfcc
from tests.pipeline.export.layouts.conftest import exported, problem


@pytest.fixture
def said(clips: list[ExportClip]) -> list[ExportClip]:
    """The person of two clips speaks angrily to train on, and happily for the test; of the other nothing is known."""
    emotions = {"a": "", "b": "anger", "c": "happy"}
    splits = {"a": "train", "b": "train", "c": "test"}
    return [
        replace(clip, annotations={"emotion": emotions[clip.source_id]}, split=splits[clip.source_id]) for clip in clips
    ]


@pytest.fixture
def made(said: list[ExportClip], tmp_path: Path) -> Path:
    written, refused = exported("evp", said, tmp_path)
    assert [(one.clip_id[0], one.reason) for one in refused] == [("a", "no_emotion")]
    assert [one.note["name"] for one in written] == ["angry_2", "happy_3"]
    return tmp_path


def test_windows_are_those_the_loader_unpickles(made: Path, said: list[ExportClip]) -> None:
    person = made / said[1].person
    train, val = (pickle.loads((person / f"{name}_M030.pkl").read_bytes()) for name in ("train", "val"))
    assert train == [f"angry_2/{n}.npy" for n in range(len(train))]
    assert val == [f"happy_3/{n}.npy" for n in range(len(val))]
    cepstra = float_mfcc(np.pad(said[1].samples(), 1920))
    assert len(train) == (len(cepstra) - 28) // 4 + 1
    assert (pickle.loads((person / "MFCC" / train[5]).read_bytes()) == cepstra[20:48]).all()


def test_old_versions_of_numpy_can_read_the_pickles() -> None:
    content = old_pickle(np.ones((2, 3)))
    assert b"numpy._core" not in content
    assert (pickle.loads(content) == 1).all()


def test_a_pickle_that_would_run_code_is_not_read() -> None:
    with pytest.raises(ValueError, match="is no plain data"):
        unpickled(pickle.dumps(print))


def test_what_the_loader_would_choke_on_is_told(made: Path, said: list[ExportClip]) -> None:
    person = made / said[1].person
    np.save(person / "MFCC/angry_2/0.npy", np.ones((28, 13)))
    (person / "MFCC/angry_2/1.npy").write_bytes(old_pickle(np.ones((27, 13))))
    (person / "val_M030.pkl").write_bytes(old_pickle(["joyful_1/0.npy"]))
    told = problem("evp", made)
    for line in (
        "angry_2/0.npy: does not unpickle",
        "angry_2/1.npy: is no array of (28, 13)",
        "joyful_1/0.npy begins with no emotion",
    ):
        assert line in told
    (person / "val_M030.pkl").unlink()
    assert "val_M030.pkl: does not read" in problem("evp", made)
