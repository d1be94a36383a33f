"""Whatever an adapter does, its pair is accounted for, the next pair is made, and nothing of it is left."""

import os
import time
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from manifests.media import MediaStore
from manifests.tables import Pair, Render
from operators.base import Drop, Lookup, RenderMedia
from operators.generate.generate_video import GenerateVideo
from operators.generate.supervisor import KINDS, Limits
from pipeline.engine.row_media import RowMedia
from tests.operators.generate.adapters import HOSTILE, write_adapter
from tests.pipeline.scored_corpus import clips_of, look, made_corpus, rendered

LIMITS = Limits(load_s=60, base_s=8, per_driving_s=1, silence_s=5, memory_bytes=2**30, folder_bytes=64 * 2**20)
QUICK = (
    "dies",
    "raises",
    "garbage_json",
    "short",
    "wrong_fps",
    "writes_outside",
    "links_out",
    "answers_for_another",
    "refuses",
)
BAD = "if request['pair_id'].endswith('bad'):\n    "


class Corpus:
    """Two clips and their recordings, and a place for adapters."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch):
        self.root = root
        monkeypatch.setenv("HEADSET_CACHE", str(root / "cache"))
        monkeypatch.setenv("HEADSET_SYSTEMS", str(root / "systems"))
        manifest = made_corpus(root / "corpus", clips=2)
        self.clips = clips_of(manifest)
        self.renders = [rendered(manifest, clip, "recording", look(number)) for number, clip in enumerate(self.clips)]

    def pair(self, name: str) -> Pair:
        source, driving = self.clips
        return Pair(driving.source_id, name, "cross_identity", source.clip_id, driving.clip_id)

    def make(self, operator: GenerateVideo, pair: Pair) -> Render:
        media = cast(RenderMedia, RowMedia(pair, None, MediaStore(str(self.root / "corpus"))))
        (render,) = operator(pair, Lookup(lambda: self.renders), Lookup(lambda: self.clips), Lookup(), media)
        return render


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    return Corpus(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in HOSTILE]
)
def test_a_hostile_adapter_costs_its_pair_and_no_other(corpus: Corpus, name: str) -> None:
    does, reason = HOSTILE[name]
    pid = corpus.root / "pid"
    body = BAD + does.replace("'{pid}'", repr(str(pid))).replace("\n", "\n    ") + "\nreturn video(request)"
    write_adapter(corpus.root / "systems", name, body)
    operator = GenerateVideo(name, limits=LIMITS)
    try:
        if reason:
            with pytest.raises(Drop) as drop:
                corpus.make(operator, corpus.pair("bad"))
            assert drop.value.reason == reason in KINDS
            assert drop.value.detail
        else:
            assert corpus.make(operator, corpus.pair("bad")).frames == corpus.renders[1].frames
        # the second answer is found when the next pair is asked for, whose answer it is not
        if name == "answers_twice":
            with pytest.raises(Drop, match="bad_answer"):
                corpus.make(operator, corpus.pair("next"))
        assert corpus.make(operator, corpus.pair("good")).frames == corpus.renders[1].frames
    finally:
        operator.end()
    Path("/tmp/headset-outside.avi").unlink(missing_ok=True)
    if pid.exists():
        for _ in range(50):
            if not _runs(int(pid.read_text())):
                break
            time.sleep(0.1)
        assert not _runs(int(pid.read_text()))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_two_killed_children_give_the_pair_up_and_one_does_not(corpus: Corpus) -> None:
    """The first child dies of the pair, the second makes it."""
    once = corpus.root / "once"
    write_adapter(
        corpus.root / "systems",
        "dies_once",
        f"if not os.path.exists({str(once)!r}):\n    open({str(once)!r}, 'w'); os._exit(1)\nreturn video(request)",
    )
    operator = GenerateVideo("dies_once", limits=LIMITS)
    assert corpus.make(operator, corpus.pair("one")).made_by == "dies_once"
    operator.end()
    tries = corpus.root / "tries"
    write_adapter(corpus.root / "systems", "dies", f"open({str(tries)!r}, 'a').write('x'); os._exit(1)")
    operator = GenerateVideo("dies", limits=LIMITS)
    with pytest.raises(Drop) as drop:
        corpus.make(operator, corpus.pair("one"))
    operator.end()
    assert drop.value.reason == "died"
    assert tries.read_text() == "xx"


@pytest.mark.parametrize(
    ("load", "reason"),
    [("raise OSError('no weights')", "load_failed"), ("os._exit(4)", "load_failed"), ("time.sleep(600)", "timed_out")],
)
def test_what_cannot_be_loaded_is_told(corpus: Corpus, load: str, reason: str) -> None:
    write_adapter(corpus.root / "systems", "lame", load=load)
    operator = GenerateVideo("lame", limits=Limits(load_s=3, silence_s=30))
    with pytest.raises(Drop) as drop:
        corpus.make(operator, corpus.pair("one"))
    operator.end()
    assert drop.value.reason == reason


def test_an_interpreter_that_is_none_is_an_environment_that_failed(corpus: Corpus) -> None:
    write_adapter(corpus.root / "systems", "homeless")
    operator = GenerateVideo("homeless", limits=LIMITS)
    operator.home.use_python("/bin/false")
    with pytest.raises(Drop) as drop:
        corpus.make(operator, corpus.pair("one"))
    operator.end()
    assert drop.value.reason == "env_failed"


def test_it_is_told_no_secret_and_given_no_descriptor(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_abcdef")
    said = corpus.root / "said"
    tells = (
        f"open({str(said)!r}, 'w').write(repr(dict(os.environ)) + repr([os.readlink('/proc/self/fd/' + one) for one in"
        " os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + one)]))\nreturn video(request)"
    )
    write_adapter(corpus.root / "systems", "tells", tells)
    held = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(held, True)
    operator = GenerateVideo("tells", limits=LIMITS)
    corpus.make(operator, corpus.pair("one"))
    operator.end()
    os.close(held)
    assert "hf_abcdef" not in said.read_text()
    assert __file__ not in said.read_text()
    assert f"'HOME': '{os.environ.get('HOME')}'" not in said.read_text()


def test_quirks_that_the_card_states_are_undone(corpus: Corpus) -> None:
    """Three panels of which the last is the render, two frames dropped at each end, and a rate that is not the true
    one.
    """
    output = "# panels = 3\n# panel = 2\n# dropped_head = 2\n# dropped_tail = 2\n# stated_fps = 15\n"
    write_adapter(
        corpus.root / "systems",
        "odd",
        "return video(request, frames=request['frames'] - 4, rate=15)",
        output=output,
        panels=3,
    )
    operator = GenerateVideo("odd", limits=LIMITS)
    render = corpus.make(operator, corpus.pair("one"))
    operator.end()
    driving = corpus.renders[1]
    assert (render.width, render.height, render.fps, render.frames) == (64, 64, driving.fps, driving.frames)
    frames = [np.asarray(frame) for frame in _frames(corpus, render)]
    # held
    assert np.abs(frames[0].astype(int) - frames[2]).mean() < np.abs(frames[2].astype(int) - frames[3]).mean() / 2
    assert np.abs(frames[-1].astype(int) - frames[-3]).mean() < np.abs(frames[2].astype(int) - frames[3]).mean() / 2


def _frames(corpus: Corpus, render: Render) -> list[np.ndarray]:
    from operators.media.frames import VideoFrames

    return [frame.rgb() for frame in VideoFrames(corpus.root / "corpus" / render.media)]


def test_the_identity_of_a_render_is_that_of_what_makes_it(corpus: Corpus) -> None:
    write_adapter(corpus.root / "systems", "one")
    first = GenerateVideo("one").fingerprint()
    assert GenerateVideo("one", device="cuda", limits=LIMITS).fingerprint() == first
    assert GenerateVideo("one", seed=1).fingerprint() != first
    assert GenerateVideo("one", random=True).fingerprint() != first
    assert GenerateVideo("one", random=True).made_by == "one+random"
    write_adapter(corpus.root / "systems", "one", "pass\nreturn video(request)")
    assert GenerateVideo("one").fingerprint() != first
