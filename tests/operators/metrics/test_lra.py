"""Which word is asked about, which 29 frames are read, and what is refused; with a lip reader of seeded weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from manifests.tables import Annotation
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.metrics.base import FramePair, Video
from operators.metrics.lra import Lra, first_frame, grey
from operators.models.catalogue_sound import LRW_READER, LRW_WORDS
from operators.models.face_pictures import points68
from operators.models.lipreading import mouth_rois, word_scores
from operators.picture import Picture
from operators.weights import Weight
from tests.conftest import lists, media
from tests.operators.models.test_lipreading import published_state


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("weights")
    torch.save({"model_state_dict": published_state()}, made / LRW_READER.file)
    return made


@pytest.fixture
def files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lip reader's file where a user has it, and the published list."""
    lists("LRS2_LRW", "lrw_500WordsSortedList.txt")
    places = Weight._places
    monkeypatch.setattr(Weight, "_places", lambda weight: [folder / weight.file, *places(weight)])
    return folder


def word(value: str, start_s: float | None = None, end_s: float | None = None, name: str = "word") -> Annotation:
    return Annotation("s", f"s/c#{name}", "s/c", name, value, "list", start_s, end_s)


def pictures(seconds: float) -> list[Picture]:
    path = media("single", "lia_vox_driving2.mp4")
    return [Picture(frame.crop(0, 0, 256, 256, (256, 256))) for frame in VideoFrames(path, 0.0, seconds)]


def read(shown: Sequence[Picture], *notes: Annotation, fps: float = 25) -> float:
    return Lra().measure(Video((FramePair(one, None) for one in shown), fps, frames=len(shown), notes=notes))


@pytest.mark.parametrize(
    ("start_s", "end_s", "first"), [(1.0, 1.2, 13), (1.02, 1.22, 14), (0.88, 1.0, 9), (None, None, 36)]
)
def test_the_frames_lie_about_the_middle_of_the_word(start_s: float | None, end_s: float | None, first: int) -> None:
    """Frame k is shown from k / 25 s to (k + 1) / 25 s: a word about 1.1 s is in the middle of frame 27. Without times,
    of 101 frames.
    """
    assert first_frame(word("ABOUT", start_s, end_s), 101) == first


def test_the_share_of_words_read_right(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = pictures(1.16)
    assert len(shown) == 29
    rois = mouth_rois([one.luma.astype(np.uint8) for one in shown], [points68(one) for one in shown])
    words = LRW_WORDS.path().read_text().split()
    operator = Lra()
    answer = words[int(word_scores(operator._reader, rois).argmax())]
    other = next(one for one in words if one != answer)
    monkeypatch.setattr(Lra, "_reader", operator._reader)
    assert read(shown, word(answer.lower()), word(other, name="emotion")) == 1.0
    assert read(shown, word(other), word(answer), word("SUPERCALIFRAGILISTIC")) == 0.5
    assert operator.model_sha256 != Lra().weights[0].sha256 == LRW_READER.as_supplied().sha256 != ""


def test_the_frames_lie_about_the_words_middle(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[float]] = []
    monkeypatch.setattr(
        Lra, "read", lambda self, shown: seen.append([float(one.rgb[0, 0, 0]) for one in shown]) or "ABOUT"
    )
    shown = [Picture(np.full((8, 8, 3), n, np.uint8)) for n in range(75)]
    for notes, fps in (([word("ABOUT", 1.0, 1.4)], 25), ([word("ABOUT")], 25), ([word("ABOUT", 2.0, 2.4)], 12.5)):
        assert read(shown, *notes, fps=fps) == 1.0
    # about 1.2 s; about the middle of 75; about 2.2 s, each frame twice
    assert [one[0] for one in seen] == [16, 23, 20]
    assert seen[2] == sorted([*range(20, 35), *range(21, 35)])


@pytest.mark.parametrize(
    ("seconds", "notes", "reason"),
    [
        (1.16, [], "no_word"),
        (1.16, [word("ABOUT", name="emotion")], "no_word"),
        (1.16, [word("SUPERCALIFRAGILISTIC")], "not_in_lrw"),
        (1.0, [word("ABOUT")], "too_short"),
        (3.0, [word("ABOUT", 0.2, 0.5)], "too_short"),
    ],
)
def test_refuses(files: Path, seconds: float, notes: list[Annotation], reason: str) -> None:
    with pytest.raises(Drop, match=reason):
        read(pictures(seconds), *notes)


def test_a_face_that_is_never_seen_is_refused(files: Path) -> None:
    with pytest.raises(Drop, match="no_face"):
        read([Picture(np.full((128, 128, 3), 90, np.uint8))] * 29, word("ABOUT"))


def test_large_pictures_are_made_smaller() -> None:
    assert grey(Picture(np.zeros((600, 1024, 3), np.uint8))).shape == (300, 512)
    assert grey(Picture(np.zeros((600, 400, 3), np.uint8))).shape == (512, 341)
    assert grey(Picture(np.zeros((300, 400, 3), np.uint8))).shape == (300, 400)


def test_nobody_knows_the_sum_of_the_readers_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path))
    assert LRW_READER.sha256 == ""
    assert LRW_READER.found() is None
    assert LRW_READER.as_supplied() is LRW_READER
    assert "lrw_resnet18_mstcn_video.pth" in LRW_READER.ways()


def test_the_file_a_user_has_is_known_by_its_own_sum(files: Path) -> None:
    supplied = LRW_READER.as_supplied()
    assert len(supplied.sha256) == 64
    assert supplied.path() == LRW_READER.found() == files / LRW_READER.file
    assert Lra().fingerprint() != ""


def test_there_are_500_words() -> None:
    lists("LRS2_LRW", "lrw_500WordsSortedList.txt")
    words = LRW_WORDS.path().read_text().split()
    assert len(set(words)) == len(words) == 500
