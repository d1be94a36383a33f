"""Who speaks when, against reference turns and published numbers."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from manifests.errors import WeightError
from manifests.tables import Source, Track, Turn
from operators.base import Audio, Drop
from operators.media.sound import SourceAudio
from operators.models.catalogue_sound import CAMPPLUS, SEGMENTATION_3, SILERO_VAD
from operators.speech.diarize_speakers import DiarizeSpeakers, overlaps
from tests.conftest import media
from tests.made_sounds import WavAudio

SOURCE = Source("talk", uri="talk.wav")


def wave_of(path: Path) -> NDArray[np.float32]:
    wave, hz = soundfile.read(path, dtype="float32")
    assert hz == 16000
    return np.asarray(wave, np.float32)


def sample() -> tuple[NDArray[np.float32], Path]:
    """pyannote.audio's own 30 s sample of two speakers, and its reference turns."""
    # Importing the sample's own package would decode it with torchcodec, which needs FFmpeg's libraries.
    folder = Path(str(files("pyannote.audio"))) / "sample"
    return wave_of(folder / "sample.wav"), folder / "sample.rttm"


@cache
def operator() -> DiarizeSpeakers:
    return DiarizeSpeakers()


def turns(audio: Audio) -> list[Turn]:
    return list(operator()(SOURCE, audio))


def drop(audio: Audio) -> tuple[str, str]:
    with pytest.raises(Drop) as given_up:
        turns(audio)
    return given_up.value.reason, given_up.value.detail


def errors(found: list[Turn], rttm: Path, name: str, length_s: float) -> dict[str, float]:
    """Parts of the diarization error of pyannote.metrics, in seconds and as a rate: no collar, overlap counted."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    truth, said = Annotation(), Annotation()
    for n, line in enumerate(rttm.read_text().splitlines()):
        _, file, _, start_s, for_s, _, _, voice, *_ = line.split()
        if file == name:
            truth[Segment(float(start_s), float(start_s) + float(for_s)), n] = voice
    for turn in found:
        said[Segment(turn.start_s, turn.end_s), turn.turn_id] = turn.speaker
    whole = Timeline([Segment(0, length_s)])
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    return metric(truth.crop(whole), said.crop(whole), uem=whole, detailed=True)  # type: ignore[return-value]


@pytest.mark.slow
def test_two_speakers_against_reference_turns():
    wave, rttm = sample()
    found = turns(WavAudio(wave))
    assert errors(found, rttm, "sample", 30.0)["diarization error rate"] <= 0.06  # 5.2 % measured
    assert {turn.speaker for turn in found} == {"speaker0", "speaker1"}
    assert found[0].speaker == "speaker0"
    assert found == sorted(found, key=lambda turn: turn.start_s)
    assert all(0 <= turn.start_s < turn.end_s <= 30 and turn.end_s - turn.start_s >= 0.1 for turn in found)
    assert len({turn.turn_id for turn in found}) == len(found)
    # The reference has both speak at 14.5 to 14.7 s: each keeps its turn.
    both = [turn for turn in found if turn.start_s < 14.6 < turn.end_s]
    assert {turn.speaker for turn in both} == {"speaker0", "speaker1"}
    # And is told how long it is not heard alone; 2.1 s of the reference are of both.
    assert all(0.1 < turn.overlap_s <= turn.end_s - turn.start_s for turn in both)
    spoken = {voice: np.zeros(30000, bool) for voice in ("speaker0", "speaker1")}
    for turn in found:
        spoken[turn.speaker][round(turn.start_s * 1000) : round(turn.end_s * 1000)] = True
    of_both_s = (spoken["speaker0"] & spoken["speaker1"]).sum() / 1000
    for voice in spoken:
        assert sum(turn.overlap_s for turn in found if turn.speaker == voice) == pytest.approx(of_both_s, abs=0.02)


class Unheard:
    """Sound that must not be asked for."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} of the sound was asked for")


def face(width_px: float, end_s: float) -> Track:
    sides = [0.0] * 2, [0.0] * 2, [width_px] * 2, [width_px] * 2
    return Track("talk", "talk/shot/t0", "talk/shot", 0.0, end_s, [0.0, end_s - 0.2], *sides, [0.9] * 2)


@pytest.mark.parametrize("tracks", [[], [face(95, 20)], [face(200, 1.5), face(40, 20)]])
def test_a_source_in_which_no_face_could_become_a_clip_is_not_listened_to(tracks: list[Track]):
    operator, unheard = DiarizeSpeakers(min_face_px=96, min_face_s=3), cast(Audio, Unheard())
    with pytest.raises(Drop) as given_up:
        list(operator(SOURCE, unheard, tracks))
    assert given_up.value.reason == "no_clip_face"
    with pytest.raises(AssertionError, match="was asked for"):
        list(operator(SOURCE, unheard, [*tracks, face(96, 3)]))
    with pytest.raises(AssertionError, match="was asked for"):  # off by default
        list(DiarizeSpeakers()(SOURCE, unheard, tracks))


@pytest.mark.slow
def test_times_are_on_the_clock_of_the_source_and_runs_agree():
    wave, _ = sample()
    wave = wave[6 * 16000 : 18 * 16000]
    at_zero, later = turns(WavAudio(wave)), list(DiarizeSpeakers()(SOURCE, WavAudio(wave, start_s=100.0)))
    assert [turn.speaker for turn in later] == [turn.speaker for turn in at_zero]
    assert [turn.start_s for turn in later] == [100.0 + turn.start_s for turn in at_zero]
    assert [turn.end_s for turn in later] == [100.0 + turn.end_s for turn in at_zero]
    first = later[0]
    assert first.turn_id == f"talk/{round(first.start_s * 1000):06d}-{round(first.end_s * 1000):06d}/speaker0"
    assert turns(WavAudio(wave)) == at_zero


def test_overlap_is_the_time_in_which_another_voice_speaks_too():
    turns = [
        (0.0, 10.0, "a"),
        (1.0, 2.0, "b"),
        (1.5, 3.0, "c"),
        (8.0, 12.0, "b"),
        (9.0, 9.5, "c"),
        (12.0, 13.0, "a"),
        (20.0, 21.0, "a"),
    ]
    assert overlaps(turns) == [4.0, 1.0, 1.5, 2.0, 0.5, 0.0, 0.0]
    draw = np.random.default_rng(0)
    starts, lengths = draw.integers(0, 300, 80), draw.integers(1, 20, 80)
    made = sorted((float(starts[n]), float(starts[n] + lengths[n]), "abc"[n % 3]) for n in range(80))
    # A voice's own turns are apart.
    apart = [
        turn for n, turn in enumerate(made) if all(turn[2] != other[2] or other[1] <= turn[0] for other in made[:n])
    ]
    for (start_s, end_s, voice), found_s in zip(apart, overlaps(apart), strict=True):
        seconds = [any(o != voice and a <= t < b for a, b, o in apart) for t in range(int(start_s), int(end_s))]
        assert found_s == sum(seconds)


@pytest.mark.slow
def test_the_number_of_speakers_can_be_bounded():
    wave, _ = sample()
    found = DiarizeSpeakers(max_speakers=1)(SOURCE, WavAudio(wave[6 * 16000 : 18 * 16000]))
    assert {turn.speaker for turn in found} == {"speaker0"}


def test_silence_noise_and_scraps_are_answers():
    noise = np.random.default_rng(0).normal(0, 0.001, 5 * 16000).astype(np.float32)
    assert drop(WavAudio(np.zeros(5 * 16000, np.float32))) == ("no_speech", "5.000 s, digital silence")
    assert drop(WavAudio(noise)) == ("no_speech", "5.000 s, -60.0 dBFS")
    assert drop(WavAudio(noise[:4000])) == ("audio_too_short", "0.250 s of sound, 0.5 s are needed")
    assert drop(WavAudio(noise[:0]))[0] == "audio_too_short"


def test_sound_without_speech_costs_the_detector_of_speech_only():
    fresh = DiarizeSpeakers()
    with pytest.raises(Drop, match="no_speech"):
        list(fresh(SOURCE, WavAudio(np.zeros(5 * 16000, np.float32))))
    assert "vad" in fresh.__dict__
    assert "model" not in fresh.__dict__
    assert fresh.weights == (SEGMENTATION_3, CAMPPLUS, SILERO_VAD)
    assert DiarizeSpeakers(speech_threshold=0).weights == (SEGMENTATION_3, CAMPPLUS)


@pytest.mark.slow
def test_the_detector_of_speech_takes_no_turn_away():
    wave, _ = sample()
    wave = wave[6 * 16000 : 18 * 16000]
    assert turns(WavAudio(wave)) == list(DiarizeSpeakers(speech_threshold=0)(SOURCE, WavAudio(wave)))


@pytest.mark.slow
def test_two_men_one_after_the_other():
    """The voice changes once, between 7.5 and 8.2 s: pieces of 1.5 s on one side have cosines of .4 to .8, across at
    most .3.
    """
    found = turns(SourceAudio(media("multi", "avi_billhyland.mp4")))
    assert {turn.speaker for turn in found} == {"speaker0", "speaker1"}
    assert max(turn.end_s for turn in found if turn.speaker == "speaker0") < 8.2
    assert min(turn.start_s for turn in found if turn.speaker == "speaker1") > 7.5
    assert sum(turn.end_s - turn.start_s for turn in found) > 18.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "labels", "speakers", "limit"),
    [
        ("dev00", "development", 2, 0.28),
        ("dev01", "development", 2, 0.49),
        ("trn08", "train", None, 0.45),
        ("trn09", "train", None, 0.17),
    ],
)
def test_meetings_from_across_the_room(name: str, labels: str, speakers: int | None, limit: float):
    found = turns(WavAudio(wave_of(media("speech", f"ami_{name}.wav"))))
    assert errors(found, media("speech", f"ami_debug.{labels}.rttm"), name, 30.0)["diarization error rate"] <= limit
    assert speakers is None or len({turn.speaker for turn in found}) == speakers


def test_a_file_without_speech():
    assert drop(SourceAudio(media("speech", "ami_empty.wav")))[0] == "no_speech"


def test_community_needs_a_token_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    community = DiarizeSpeakers(pipeline="community-1")
    assert community.weights == (SILERO_VAD,)
    assert community.fingerprint() != operator().fingerprint()
    with pytest.raises(WeightError, match="HF_TOKEN"):
        list(community(SOURCE, WavAudio(sample()[0][13 * 16000 : 16 * 16000])))
    with pytest.raises(ValueError, match="community-1"):
        DiarizeSpeakers(pipeline="community-2")


def test_a_voice_is_the_published_numbers():
    """First numbers and norm by `CAMPPlus(embedding_size=192)` of modelscope/3D-Speaker at 09e78067, same state dict
    and fbank.
    """
    import torch

    from operators.models.campplus import CamPlusPlus

    model = CamPlusPlus.load(CAMPPLUS.path())
    waves = torch.from_numpy(wave_of(media("speakers", "1688-142285-0003.flac")))[None, None]
    with torch.inference_mode():
        voice = model(waves)[0]
        assert voice[:6].tolist() == pytest.approx([0.25280, -0.18841, -0.49048, 0.38674, 0.27084, 0.46939], abs=1e-4)
        assert voice.norm().item() == pytest.approx(6.60295, abs=1e-4)
        # All of it selected is the whole; nothing, and less than 0.1 s, is no voice.
        masks = torch.zeros(3, 500)
        masks[0] = 1
        masks[2, :5] = 1
        voices = model(waves.expand(3, 1, -1), weights=masks)
        assert torch.equal(voices[0], voice)
        assert voices[1:].isnan().all()
        with pytest.raises(ValueError, match="10 are needed"):
            model(waves[..., :1500])


def test_a_voice_is_loaded_strictly(tmp_path: Path):
    import torch

    from operators.models.campplus import CamPlusPlus

    state = torch.load(CAMPPLUS.path(), weights_only=True)
    state.pop("xvector.dense.linear.weight")
    torch.save(state, tmp_path / "less.pt")
    with pytest.raises(RuntimeError, match=r"xvector\.dense\.linear\.weight"):
        CamPlusPlus.load(tmp_path / "less.pt")


def test_voices_of_readers():
    """Of 20 utterances by 5 readers, every one is nearest to another of the same reader."""
    import torch

    from operators.models.campplus import CamPlusPlus

    paths = sorted(media("speakers").glob("*.flac"))
    assert len(paths) == 20
    model = CamPlusPlus.load(CAMPPLUS.path())
    torch.set_num_threads(1)
    with torch.inference_mode():
        voices = torch.cat([model(torch.from_numpy(wave_of(path)[: 4 * 16000])[None, None]) for path in paths])
    voices = torch.nn.functional.normalize(voices, dim=1)
    alike = voices @ voices.T - 2 * torch.eye(len(paths))
    readers = [path.name.split("-")[0] for path in paths]
    assert [readers[n] for n in alike.argmax(dim=1)] == readers
