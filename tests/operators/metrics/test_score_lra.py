"""Which word is asked about, which 29 frames are read, and what is refused; with a lip reader of seeded weights."""

import numpy as np
import pytest
import torch

from manifests.tables import Annotation, Clip, Score
from operators.base import Drop
from operators.metrics.faces import points68
from operators.metrics.metric import Picture
from operators.metrics.score_lra import ScoreLra
from operators.speech.lipreading import mouth_rois, word_scores
from operators.weights import LRW_READER, LRW_WORDS, Weight
from pipeline.decode import VideoFrames
from tests.conftest import lists, media
from tests.operators.speech.test_lipreading import published_state


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The lip reader's file where a user has it, and the published list."""
    lists("LRS2_LRW", "lrw_500WordsSortedList.txt")
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save({"model_state_dict": published_state()}, folder / LRW_READER.file)
    places = Weight._places
    monkeypatch.setattr(Weight, "_places", lambda weight: [folder / weight.file, *places(weight)])
    return folder


def clip(start_s: float = 0.0, end_s: float = 1.16) -> Clip:
    return Clip("s", "s/c", "s/x", "s/x/t0", "speaker0", start_s, end_s, 0, 0, 256, 256)


def word(value: str, start_s: float | None = None, end_s: float | None = None, subject: str = "s/c", name: str = "word") -> Annotation:
    return Annotation("s", f"{subject}#{name}", subject, name, value, "list", start_s, end_s)


def read(one: Clip, *notes: Annotation) -> Score:
    path = media("single", "lia_vox_driving2.mp4")
    (row,) = ScoreLra()(one, list(notes), VideoFrames(path, one.start_s, one.end_s))
    assert isinstance(row, Score)
    return row


def test_the_word_read_counts_and_no_other(files):
    path = media("single", "lia_vox_driving2.mp4")
    pictures = [Picture(frame.crop(0, 0, 256, 256, (256, 256))) for frame in VideoFrames(path, 0.0, 1.16)]
    assert len(pictures) == 29
    rois = mouth_rois([one.luma.astype(np.uint8) for one in pictures], [points68(one) for one in pictures])
    words = LRW_WORDS.path().read_text().split()
    operator = ScoreLra()
    answer = words[int(word_scores(operator._reader, rois).argmax())]
    other = next(one for one in words if one != answer)
    right, wrong = (
        read(clip(), word(answer.lower())),
        read(clip(), word(other), word("HELLO", subject="s/other"), word("x", name="emotion")),
    )
    assert (right.value, wrong.value) == (1.0, 0.0)
    assert (right.metric, right.variant) == ("lra", "lra_mstcn")
    assert right.model_sha256 == LRW_READER.as_supplied().sha256 != ""


def test_the_frames_lie_about_the_words_middle(files, monkeypatch):
    seen = []
    monkeypatch.setattr(ScoreLra, "read", lambda self, pictures: seen.append([float(one.rgb.mean()) for one in pictures]) or "ABOUT")
    path = media("single", "lia_vox_driving2.mp4")
    every = [float(frame.crop(0, 0, 256, 256, (256, 256)).mean()) for frame in VideoFrames(path, 0.0, 3.0)]
    assert read(clip(0.0, 3.0), word("ABOUT", 1.0, 1.4)).value == 1.0
    read(clip(0.0, 3.0), word("ABOUT"))
    middles = [next(k for k in range(len(every)) if every[k : k + 29] == one) for one in seen]
    assert middles == [16, 23]  # 29 frames about 1.2 s, and about the middle of 75


@pytest.mark.parametrize(
    ("one", "notes", "reason"),
    [
        (clip(), [], "no_word"),
        (clip(), [word("ABOUT", subject="s/other")], "no_word"),
        (clip(), [word("SUPERCALIFRAGILISTIC")], "not_in_lrw"),
        (clip(0.0, 1.0), [word("ABOUT")], "too_short"),
        (clip(0.0, 3.0), [word("ABOUT", 0.2, 0.5)], "too_short"),
    ],
)
def test_refuses(files, one, notes, reason):
    with pytest.raises(Drop) as refused:
        read(one, *notes)
    assert refused.value.reason == reason


def test_nobody_knows_the_sum_of_the_readers_file(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path))
    assert LRW_READER.sha256 == ""
    assert LRW_READER.found() is None
    assert LRW_READER.as_supplied() is LRW_READER
    assert "lrw_resnet18_mstcn_video.pth" in LRW_READER.ways()


def test_the_file_a_user_has_is_known_by_its_own_sum(files):
    supplied = LRW_READER.as_supplied()
    assert len(supplied.sha256) == 64
    assert supplied.path() == LRW_READER.found() == files / LRW_READER.file
    assert ScoreLra().fingerprint() != ""


def test_there_are_500_words():
    lists("LRS2_LRW", "lrw_500WordsSortedList.txt")
    words = LRW_WORDS.path().read_text().split()
    assert len(set(words)) == len(words) == 500
