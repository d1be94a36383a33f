"""Words and their times, against a GRID utterance whose words were aligned by its authors."""

import itertools
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import WeightError
from manifests.tables import Annotation, Clip, Word
from operators.base import Drop
from operators.media.sound import SourceAudio
from operators.speech.transcribe_speech import PACKAGED, TranscribeSpeech, ordered, sounding
from tests.conftest import lists, media
from tests.made_videos import tone, write_video
from tests.operators.speech.grid_words import alignment, errors, hear, plain, sentence, time_errors


@cache
def operator() -> TranscribeSpeech:
    return TranscribeSpeech()


def clip(start_s: float, end_s: float) -> Clip:
    return Clip("talk", "talk/clip/t0", "talk/shot", "talk/shot/t0", "speaker0", start_s, end_s, 0, 0, 96, 96)


def rows(audio: SourceAudio, start_s: float, end_s: float) -> list[Word]:
    return [row for row in operator()(clip(start_s, end_s), audio) if isinstance(row, Word)]


@pytest.fixture
def utterance() -> SourceAudio:
    return SourceAudio(media("grid", "id2_vcd_swwp2s.mpg"))


def test_words_are_those_said_when_they_are_said():
    heard = hear(media("grid", "id2_vcd_swwp2s.mpg"), operator())
    truth = alignment(lists("GRID", "swwp2s.align"))
    assert [word for word, _, _ in truth] == sentence("swwp2s")
    assert [part for word in heard.words for part in plain(word.text)] == sentence("swwp2s")
    starts, ends = time_errors(truth, heard.words)
    assert np.abs(starts).mean() < 0.12
    assert np.abs(ends).mean() < 0.12
    assert max(map(abs, starts + ends)) < 0.25


def test_times_are_the_sources_and_inside_the_clip(utterance: SourceAudio):
    whole, part = rows(utterance, utterance.start_s, utterance.end_s), rows(utterance, 0.7, 2.4)
    assert [word.text for word in part][-2:] == ["P2", "soon."]
    soon, again = whole[-1], part[-1]
    assert again.start_s == pytest.approx(soon.start_s, abs=0.15), "on the clock of the source, not of the clip"
    assert all(0.7 <= word.start_s < word.end_s <= 2.4 for word in part)
    assert all(one.end_s <= other.start_s for one, other in itertools.pairwise(part))
    assert all(
        word.word_id.startswith("talk/clip/t0/") and word.subject == "talk/clip/t0" and 0 <= word.confidence <= 1
        for word in part
    )


def test_the_same_clip_gives_the_same_rows(utterance: SourceAudio):
    assert rows(utterance, 0.0, 2.9) == rows(utterance, 0.0, 2.9)


@pytest.mark.parametrize(
    ("sound", "reason"),
    [(None, "no_audio_stream"), (np.zeros(48000, np.float32), "silent_audio")],
    ids=["no stream", "silence"],
)
def test_what_cannot_be_heard_is_refused(tmp_path: Path, sound: np.ndarray | None, reason: str):
    audio = SourceAudio(write_video(tmp_path / "a.mp4", [("gray", 1.0)], audio=sound))
    with pytest.raises(Drop) as drop:
        rows(audio, 0.0, 1.0)
    assert drop.value.reason == reason


def test_less_than_a_tenth_of_a_second_is_refused(tmp_path: Path):
    audio = SourceAudio(write_video(tmp_path / "a.mp4", [("gray", 1.0)], audio=tone(1.0)))
    with pytest.raises(Drop, match="audio_too_short"):
        rows(audio, 0.5, 0.55)


@pytest.mark.slow
def test_a_model_of_ones_own_is_a_folder_of_the_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, utterance: SourceAudio
):
    own = TranscribeSpeech(model="mine")
    packaged = rows(utterance, 0.0, 2.9)
    files = {name: parts[0].path() for name, parts in PACKAGED["tiny.en"].items()}
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightError, match=r"mine/model.bin .* is not on this machine"):
        own.weights[0].path()
    before = own.fingerprint()
    (tmp_path / "mine").mkdir()
    for name, path in files.items():
        (tmp_path / "mine" / name).symlink_to(path)
    assert {weight.file for weight in own.weights} == {f"mine/{name}" for name in files}
    assert own.fingerprint() != before, "what the files hold is part of what is computed"
    assert [row for row in own(clip(0.0, 2.9), utterance) if isinstance(row, Word)] == packaged


@pytest.mark.slow
def test_a_model_of_many_languages_tells_which():
    audio = SourceAudio(media("speech", "sadtalker_chinese_news.wav"))
    made = list(TranscribeSpeech(model="base")(clip(0.0, 6.0), audio))
    assert [(row.name, row.value) for row in made if isinstance(row, Annotation)] == [("language", "zh")]
    assert any("\u4e00" <= letter <= "\u9fff" for row in made if isinstance(row, Word) for letter in row.text)


def test_settings_that_cannot_be_meant_are_refused():
    with pytest.raises(ValueError, match="a folder in HEADSET_WEIGHTS"):
        TranscribeSpeech(model="/models/whisper")
    with pytest.raises(ValueError, match="knows English only"):
        TranscribeSpeech(language="de")


def test_quiet_edges_are_taken_off_and_nothing_else():
    wave = np.concatenate([np.full(8000, 0.001), np.full(8000, 0.5), np.full(4800, 0.001), np.full(8000, 0.4)]).astype(
        np.float32
    )
    spans = [(0.0, 1.1), (1.1, 1.8)]
    np.testing.assert_allclose(sounding(spans, wave, 25.0), [(0.5, 1.0), (1.3, 1.8)])
    assert sounding(spans, wave, 0.0) == spans
    np.testing.assert_allclose(sounding([(0.1, 0.4)], wave, 25.0), [(0.1, 0.4)], err_msg="quiet all through: it stays")


def test_spans_follow_one_another_within_the_clip():
    made = ordered([(-0.1, 0.3), (0.2, 0.2), (0.9, 1.4), (1.5, 1.6)], 1.0)
    np.testing.assert_allclose(made, [(0, 0.3), (0.3, 0.32), (0.9, 1.0), (1.0, 1.0)])


def test_word_errors_are_edit_distances():
    assert errors(["set", "white", "with", "p"], ["set", "white", "p", "two"]) == 2
    assert plain("Place white in J3, please.") == sentence("pwij3p")
