"""Systems that are driven by text: what they are told, the sound that they speak, and `speak` in an environment of its
own.
"""

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Annotation, Pair, Render, Word
from operators.base import Drop, Lookup, RenderMedia
from operators.generate.cards import card_named
from operators.generate.generate_video import TRANSCRIPT, GenerateVideo, said_in
from operators.generate.home import Home
from operators.generate.supervisor import Limits
from operators.generate.trial import try_system
from operators.media.sound import SourceAudio
from pipeline.corpus_steps.generation import generate
from pipeline.corpus_steps.pairs import build_pairs
from pipeline.engine.row_media import RowMedia
from tests.operators.generate.adapters import write_adapter
from tests.operators.generate.test_hostile import Corpus

LIMITS = Limits(load_s=60, base_s=30, per_driving_s=1, silence_s=10)
SPEAKS = """
import wave
open(os.path.join({root!r}, "told"), "w").write(request["text"])
tone = np.sin(2 * np.pi * {hz} * np.arange({samples}) / 16000) * 9000
with wave.open(os.path.join(request["out_dir"], "said.wav"), "wb") as file:
    file.setparams((1, 2, 16000, len(tone), "NONE", ""))
    file.writeframes(tone.astype("<i2").tobytes())
return dict(video(request), audio={name!r})
"""


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus(tmp_path, monkeypatch)


def written(corpus: Corpus, name: str, hz: float = 700.0, samples: int = 3200, audio: object = "said.wav") -> None:
    """An adapter that is driven by text, and says a tone."""
    text = SPEAKS.format(root=str(corpus.root), hz=hz, samples=samples, name=audio)
    path = write_adapter(corpus.root / "systems", name, text)
    path.write_text(path.read_text().replace('# driven_by = "video"', '# driven_by = "text"'))


def made(corpus: Corpus, system: str, annotations: list[Annotation], words: list[Word]) -> Render:
    source, driving = corpus.clips
    pair = Pair(driving.source_id, "one", "text_driven", source.clip_id, driving.clip_id)
    media = cast(RenderMedia, RowMedia(pair, None, MediaStore(str(corpus.root / "corpus"))))
    operator = GenerateVideo(system, limits=LIMITS)
    rows = Lookup(lambda: corpus.renders), Lookup(lambda: corpus.clips), Lookup()
    try:
        (render,) = operator(pair, *rows, media, annotations, words)
    finally:
        operator.end()
    return render


def test_a_render_has_the_sound_that_was_spoken_and_silence_behind_it(corpus: Corpus) -> None:
    written(corpus, "says")
    driving = corpus.clips[1].clip_id
    render = made(corpus, "says", [Annotation("s", f"{driving}#t", driving, TRANSCRIPT, "Good day.", "the list")], [])
    assert (corpus.root / "told").read_text() == "Good day."
    seconds = render.frames / render.fps
    samples = SourceAudio(corpus.root / "corpus" / render.media).samples(0.0, seconds, 16000)
    spectrum = np.abs(np.fft.rfft(samples[800:2400]))
    assert abs(np.argmax(spectrum) * 16000 / 1600 - 700) < 20
    assert np.abs(samples[4800:]).max() < 0.02 < np.abs(samples[:3200]).max()


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("silent", {"hz": 0.0}, "silent"),
        ("elsewhere", {"audio": "../said.wav"}, "said.wav' lies outside"),
        ("nothing", {"audio": None}, "`audio` is 'None'"),
        ("no_sound", {"audio": "made.avi"}, "its sound"),
    ],
)
def test_a_system_that_says_nothing_has_answered_badly(corpus: Corpus, name: str, change: dict, told: str) -> None:
    written(corpus, name, **change)
    with pytest.raises(Drop, match="bad_answer") as drop:
        made(corpus, name, [], [])
    assert told in drop.value.detail


def test_a_transcript_is_said_before_what_was_heard() -> None:
    pair = Pair("s", "one", "text_driven", "a", "b")
    words = [
        Word("s", "b#1", "b", "there", 1.0, 1.2, 0.9),
        Word("s", "b#0", "b", "hello", 0.1, 0.4, 0.9),
        Word("s", "a#0", "a", "other", 0.0, 0.4, 0.9),
    ]
    assert said_in(pair, [], words) == "hello there"
    assert (
        said_in(pair, [Annotation("s", "b#t", "b", TRANSCRIPT, "Hello, there.", "the list")], words) == "Hello, there."
    )
    assert said_in(pair, [Annotation("s", "a#t", "a", TRANSCRIPT, "Not this.", "the list")], []) == ""


def test_a_clip_with_words_is_paired(corpus: Corpus) -> None:
    said = {corpus.clips[0].clip_id}
    people = {clip.clip_id: clip.source_id for clip in corpus.clips}
    pairs = build_pairs(corpus.clips, people, said, {}, protocols=["text_driven"])
    assert [pair.driving_clip_id for pair in pairs] == sorted(said)


def test_a_system_driven_by_text_takes_no_other_pairs(corpus: Corpus) -> None:
    written(corpus, "says")
    manifest = Manifest(str(corpus.root / "corpus"))
    with pytest.raises(UsageError, match="is given pairs of text_driven alone, and none of cross_identity"):
        generate(manifest, GenerateVideo("says", limits=LIMITS), protocol="cross_identity")


def test_the_identity_of_speak_is_that_of_what_it_drives_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_SYSTEMS", str(tmp_path))
    for name in ("speak", "mouth_retrieval"):
        (tmp_path / f"{name}.py").write_bytes(card_named(name).path.read_bytes())
    first = card_named("speak").adapter_sha256
    with (tmp_path / "mouth_retrieval.py").open("a") as file:
        file.write("# another version\n")
    assert card_named("speak").adapter_sha256 != first
    (tmp_path / "mouth_retrieval.py").unlink()
    with pytest.raises(UsageError, match="name a system whose file lies beside this one"):
        card_named("speak")


@pytest.mark.slow
def test_speak_says_words_in_an_environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    card = card_named("speak")
    assert "headset systems fetch speak" in try_system(card).told
    try:
        Home(card).make_environment()
    except UsageError as error:
        if "No matching distribution" in str(error) or "Connection" in str(error):
            pytest.skip("no index within reach holds Piper and its voice")
        raise
    trial = try_system(card)
    assert trial.ran, trial.told
