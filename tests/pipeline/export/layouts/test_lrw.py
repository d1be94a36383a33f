"""LRW's files, read back by the importer of the published ones, and broken."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.tables import Annotation
from pipeline.export.clip import ExportClip, Spoken
from pipeline.export.corpus_clips import clips_of
from pipeline.importers.lrw import read
from tests.pipeline.export.layouts.conftest import exported, made_corpus, problem


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[ExportClip]:
    manifest = made_corpus(
        tmp_path_factory.mktemp("words"), {"a": [("collins", 1.16)], "b": [("hopper", 1.16)], "c": [("hopper", 1.16)]}
    )
    said = [("ABOUT", "train"), ("ABOUT", "test"), ("PEOPLE", "val")]
    return [
        replace(clip, split=split, annotations={"label": word}, spoken=(Spoken(word.title() + ",", 0.3, 0.86),))
        for clip, (word, split) in zip(clips_of(manifest), said, strict=True)
    ]


@pytest.fixture(scope="module")
def made(words: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("lrw")
    written, refused = exported("lrw", words, to)
    assert [one.note["name"] for one in written] == [
        "ABOUT/train/ABOUT_00001",
        "ABOUT/test/ABOUT_00002",
        "PEOPLE/val/PEOPLE_00003",
    ]
    assert not refused
    return to


def test_the_fifth_line_says_how_long_the_word_is(made: Path) -> None:
    lines = (made / "ABOUT/train/ABOUT_00001.txt").read_text().splitlines()
    assert lines[4] == "Duration: 0.56 seconds"
    assert (made / "words.txt").read_text() == "ABOUT\nPEOPLE\n"


def test_the_importer_of_the_published_copy_reads_it_without_a_trap(made: Path) -> None:
    rows = [row for row in read(made) if isinstance(row, Annotation)]
    assert not [row.value for row in rows if row.name == "trap"]
    spans = sorted(
        (row.value, round(row.start_s or 0, 3), round(row.end_s or 0, 3)) for row in rows if row.name == "word"
    )
    assert spans == [("ABOUT", 0.3, 0.86), ("ABOUT", 0.3, 0.86), ("PEOPLE", 0.3, 0.86)]


def test_what_is_no_word_in_the_middle_of_29_frames_is_refused(
    words: list[ExportClip], clips: list[ExportClip], tmp_path: Path
) -> None:
    off = replace(words[1], spoken=(Spoken("about", 0.1, 0.5),))
    long = replace(clips[2], split="train", annotations=words[0].annotations, spoken=words[0].spoken, clip_id="long")
    unknown, silent = (
        replace(words[1], annotations={}, clip_id="unknown"),
        replace(words[1], spoken=(), clip_id="silent"),
    )
    _, refused = exported("lrw", [words[0], off, long, unknown, silent], tmp_path)
    assert [(one.reason, one.detail) for one in refused] == [
        ("word_off_centre", "-0.28 s"), ("not_29_frames", "40"), ("no_label", ""), ("no_words", "ABOUT"),
    ]  # fmt: skip


def test_broken_files_are_told(broken: Path, clips: list[ExportClip]) -> None:
    text = broken / "ABOUT/train/ABOUT_00001.txt"
    text.write_text(text.read_text().replace("Duration: 0.56", "Duration:0.56"))
    (broken / "ABOUT/test/ABOUT_00002.mp4").write_bytes(b"no video")
    shutil.copy(clips[0].path, broken / "PEOPLE/val/PEOPLE_00003.mp4")
    (broken / "words.txt").write_text("ABOUT\n")
    said = problem("lrw", broken)
    for line in (
        "the fifth line of its .txt says no duration",
        "ABOUT_00002: ",
        "has 40 frames",
        "the words are not those of the folders",
    ):
        assert line in said
