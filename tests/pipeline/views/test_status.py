"""Where a corpus stands, as it is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from pipeline.release.release import release
from pipeline.views.console import console
from pipeline.views.status import status
from pipeline.views.story import story
from tests.pipeline.made_corpus import clip, corpus_of, render, source

LINE = "lips stand in for ears; put ears.onnx into the folder that HEADSET_WEIGHTS names"


def with_a_stand_in(root: Path, scratch: Path) -> Manifest:
    one = clip("a")
    manifest = corpus_of(root, [source("a"), one, render(one, root, scratch)])
    assert manifest.run is not None
    steps = [replace(step, stand_in=LINE if number == 0 else "") for number, step in enumerate(manifest.run.steps)]
    manifest.remember(replace(manifest.run, steps=steps))
    return Manifest(str(root))


def test_a_stand_in_is_told_with_its_operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = status(with_a_stand_in(tmp_path / "corpus", tmp_path / "scratch"))
    (operator,) = found.stand_ins
    console().print(found)
    assert f"{operator}: {LINE}" in capsys.readouterr().out
    assert found.to_json()["stand_ins"] == {operator: LINE}


def test_it_is_told_where_sound_was_moved(tmp_path: Path) -> None:
    root, scratch = tmp_path / "corpus", tmp_path / "scratch"
    clips = [clip("a", sound_late_s=0.207), clip("b", sound_late_s=-0.085), clip("c")]
    rows = [row for one in clips for row in (source(one.source_id), one, render(one, root, scratch))]
    manifest = corpus_of(root, rows)
    assert "sound was off and is moved in their clips: 2, 85 ms early to 207 ms late." in str(status(manifest))
    assert "its clips have the sound moved: 207 ms late in the source" in str(story(manifest, "a"))
    assert "its render has the sound moved: 85 ms early in the source" in str(story(manifest, clips[1].clip_id))
    assert "moved" not in str(story(manifest, "c"))
    release(manifest, str(tmp_path / "out"), "folder", "r")
    told = (tmp_path / "out" / "README.md").read_text()
    assert "is moved in their clips: 2, by 85 to 207 ms" in told


def test_a_release_tells_of_a_stand_in(tmp_path: Path) -> None:
    release(with_a_stand_in(tmp_path / "corpus", tmp_path / "scratch"), str(tmp_path / "out"), "webdataset", "r")
    assert LINE in (tmp_path / "out" / "README.md").read_text()
