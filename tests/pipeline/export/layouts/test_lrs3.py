"""LRS3's files, read back by the importer of the published ones, and broken."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.tables import Annotation, Clip, Published
from operators.clips.cut_sentences import says
from pipeline.export.clip import ExportClip, Spoken
from pipeline.export.corpus_clips import clips_of
from pipeline.importers.lrs3 import parse, read
from tests.pipeline.export.layouts.conftest import exported, made_corpus, problem
from tests.pipeline.made_corpus import clip, corpus_of, render, source

LONG = tuple(Spoken(word, n / 30, (n + 1) / 30) for n, word in enumerate(["so"] * 34 + ["long"]))
WORDS = (Spoken("It's", 0.1, 0.4, "3.2"), Spoken("that", 0.4, 0.7), Spoken("simple.", 0.8, 1.5999, "1.0"))


def told(clip: ExportClip, **changes: str) -> ExportClip:
    said = {"transcript": "It’s that simple.", "confidence": "9", **changes}
    return replace(clip, annotations=said, spoken=WORDS, box=(0.25, 0.1, 0.75, 0.6), start_s=2.0, end_s=3.6)


@pytest.fixture(scope="module")
def made(clips: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("lrs3")
    ours = [told(clips[0]), told(clips[1]), replace(told(clips[2], transcript="so " * 34 + "long"), spoken=LONG)]
    ours = [replace(clip, split=split) for clip, split in zip(ours, ("train", "test", "train"), strict=True)]
    written, refused = exported("lrs3", ours, to)
    assert [one.note["name"] for one in written] == ["trainval/a/00001", "test/b/00002", "pretrain/c/00003"]
    assert not refused
    return to


def test_the_text_is_as_published(made: Path) -> None:
    lines = (made / "trainval/a/00001.txt").read_text().splitlines()
    assert lines[:6] == [
        "Text:  IT'S THAT SIMPLE",
        "Conf:  9",
        "Ref:  a",
        "",
        "FRAME \tX \tY \tW \tH ",
        "000050 \t0.250 \t0.100 \t0.500 \t0.500",
    ]
    assert lines[-4:] == ["WORD START END ASDSCORE", "IT'S 0.10 0.40 3.2", "THAT 0.40 0.70", "SIMPLE 0.80 1.60 1.0"]
    text, wrong = parse(made / "trainval/a/00001.txt")
    assert not wrong
    assert [row[0] for row in text.frames] == list(range(50, 90))


def test_the_importer_of_the_published_copy_reads_it_without_a_trap(made: Path, tmp_path: Path) -> None:
    for subset in ("trainval", "test"):
        shutil.copytree(made / subset, tmp_path / subset)
    rows = list(read(tmp_path))
    assert [row.name for row in rows if isinstance(row, Published)] == ["trainval/a/00001", "test/b/00002"]
    notes = [row for row in rows if isinstance(row, Annotation)]
    assert not [row.value for row in notes if row.name == "trap"]
    assert [row.value for row in notes if row.name == "word"] == ["IT'S", "THAT", "SIMPLE"] * 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"annotations": {}}, "no_transcript"),
        ({"spoken": ()}, "no_words"),
        ({"spoken": LONG}, "words_differ"),
        ({"annotations": {"transcript": "so " * 34 + "long"}, "spoken": LONG}, "too_long"),
    ],
)
def test_what_has_no_words_is_refused(clips: list[ExportClip], tmp_path: Path, changes: dict, reason: str) -> None:
    good = replace(told(clips[0]), split="train")
    written, refused = exported("lrs3", [good, replace(told(clips[1]), split="test", **changes)], tmp_path)
    assert len(written) == 1
    assert [one.reason for one in refused] == [reason]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Text:  IT'S", "Text:  It's", "not in capitals"),
        ("Ref:  a", "Ref:  z", "Ref: z lies in a"),
        ("000050 \t", "000049 \t", "40 rows of boxes"),
        ("SIMPLE 0.80 1.60", "SIMPLE 0.80 1.90", "a word lies beyond"),
        ("THAT 0.40 0.70", "THOSE 0.40 0.70", "are not those of the sentence"),
        ("WORD START", "WORTH START", "is no line of the form"),
    ],
)
def test_a_broken_text_is_told(broken: Path, old: str, new: str, said: str) -> None:
    path = broken / "trainval/a/00001.txt"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert said in problem("lrs3", broken)


def test_broken_folders_are_told(broken: Path) -> None:
    shutil.copytree(broken / "pretrain/c", broken / "trainval/c")
    shutil.copytree(broken / "trainval/a", broken / "test/a")
    (broken / "test/b/00002.mp4").write_bytes(b"no video")
    (broken / "test/a/00001.txt").unlink()
    said = problem("lrs3", broken)
    assert "trainval/c/00003: 1.60 s, 106 characters" in said
    assert "a: is in test and in trainval" in said
    assert "test/a/00001: has not both" in said
    assert "test/b/00002: " in said


def test_words_and_box_come_from_the_corpus(tmp_path: Path) -> None:
    cut = clip("a")
    said = [
        says(cut, "word", "that", (0.4, 0.7)),
        says(cut, "word", "It's", (0.1, 0.4)),
        says(cut, "asd_score", "3.2", (0.1, 0.4)),
    ]
    note = says(cut, "transcript", "It's that.")
    made = corpus_of(
        tmp_path / "corpus", [source("a"), cut, render(cut, tmp_path / "corpus", tmp_path / "scratch"), note, *said]
    )
    (found,) = clips_of(made)
    assert found.spoken == (Spoken("It's", 0.1, 0.4, "3.2"), Spoken("that", 0.4, 0.7))
    assert found.annotations == {"transcript": "It's that."}
    assert found.box == (0.0, 0.0, 400 / 1280, 400 / 720)


@pytest.mark.parametrize(
    ("late_s", "spans"),
    [
        (0.0, [(0.1, 0.4), (0.4, 0.7), (0.8, 1.7)]),
        (0.2, [(0.0, 0.2), (0.2, 0.5), (0.6, 1.5)]),
        (-0.1, [(0.2, 0.5), (0.5, 0.8), (0.9, 1.6)]),
        (0.4, [(0.0, 0.3), (0.4, 1.3)]),
    ],
)
def test_words_move_with_the_sound_as_far_as_it_is_in_the_render(
    late_s: float, spans: list[tuple[float, float]], tmp_path: Path
) -> None:
    cut = clip("a", end_s=1.6, sound_late_s=late_s)
    said = [says(cut, "word", "word", span) for span in ((0.1, 0.4), (0.4, 0.7), (0.8, 1.7))]
    made = corpus_of(
        tmp_path / "corpus", [source("a"), cut, render(cut, tmp_path / "corpus", tmp_path / "scratch"), *said]
    )
    assert [(word.start_s, word.end_s) for word in clips_of(made)[0].spoken] == spans


def test_exported_words_are_those_of_the_moved_sound(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path, {name: [("gray", 1.6)] for name in ("a", "b")})
    for shard in manifest.shards():
        (cut,) = manifest.read(Clip, ["All-1"], shard)
        late_s = 0.2 if cut.source_id == "a" else 0.5
        manifest.write(Clip, "All-1", shard, [replace(cut, sound_late_s=late_s)])
        said = [says(cut, "word", text, span) for text, span in (("It's", (0.1, 0.4)), ("that", (0.6, 0.7)))]
        manifest.write(
            Annotation, "All-1", shard, [*said, says(cut, "transcript", "It's that."), says(cut, "split", "train")]
        )
    (written,), (refused,) = exported("lrs3", clips_of(manifest), tmp_path / "to")
    lines = (tmp_path / f"to/{written.note['name']}.txt").read_text().splitlines()
    assert lines[-2:] == ["IT'S 0.00 0.20", "THAT 0.40 0.50"]
    assert (refused.clip_id[0], refused.reason) == ("b", "words_differ"), "of which a word is no longer to be heard"
