"""What an export is told of a corpus's clips: scores, words, and the file they were cut from."""

from pathlib import Path

from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.tables import Annotation, Clip, Dropped, Published, Render, Row, Score, Source, Word
from pipeline.export.clip import ExportClip, SourceFile, Spoken
from pipeline.export.corpus_clips import clips_of

CLIP = "s/000000-001000/t0"
RENDER = Render("s", f"{CLIP}@recording", CLIP, "recording", "m.mp4", "0", "0", 1, 64, 64, 25.0, 25, 1.0, "x")


def exported(folder: Path, rows: list[Row]) -> ExportClip:
    """The clip of a corpus that holds these rows and one render of it."""
    manifest = Manifest(str(folder))
    manifest.add([Source("s", "/films/s.mkv", width=100, height=50, audio_track=1, audio_channels=6)])
    tables = sorted({type(row) for row in rows}, key=lambda table: table.table)
    step = StepRecord("All", "All-1", 0, "sources", [table.table for table in tables], [], {}, {}, [])
    manifest.remember(RunRecord("made", [step]))
    for table in (*tables, Dropped):
        manifest.write(table, "All-1", 0, [row for row in rows if isinstance(row, table)])
    manifest.commit("All-1", 0, Receipt("All"))
    (clip,) = clips_of(Manifest(manifest.root))
    return clip


def test_clips_know_what_was_measured_heard_and_cut(tmp_path: Path) -> None:
    clip = exported(
        tmp_path,
        [
            Clip("s", CLIP, "s/x", "s/x/t0", "speaker0", 0.0, 1.0, 10.0, 5.0, 74.0, 45.0, sound_late_s=0.08),
            RENDER,
            Word("s", f"{CLIP}/1", CLIP, "we.", 0.5, 0.8, 0.9),
            Word("s", f"{CLIP}/2", CLIP, "Here", 0.1, 0.4, 0.9),
            Score("s", f"{CLIP}#yaw_deg", CLIP, "yaw_deg", "", -30.0),
            Score("s", "1", CLIP, "lse_c", "lse_tracked", 7.0),
            Score("s", "2", f"{CLIP}@recording", "lse_c", "lse_lrs", 6.0),
            Score("s", "3", CLIP, "dnsmos_ovrl", "", 3.0),
        ],
    )
    assert (clip.transcript, clip.sound_late_s) == ("Here we.", 0.08)
    assert clip.scores == {"yaw_deg:": -30.0, "lse_c:lse_tracked": 7.0, "lse_c:lse_lrs": 6.0}
    assert (clip.score("lse_c"), clip.score("yaw_deg"), clip.score("lse_d")) == (6.0, -30.0, None)
    assert clip.source == SourceFile("/films/s.mkv", "", "", 1, 6)
    assert clip.box == (0.1, 0.1, 0.74, 0.9), "shares of 100 pixels across and 50 down"
    assert clip.pieces((10, 4)) == [(0, 10), (10, 20), (20, 24)]
    assert clip.pieces((25, 10)) == [(0, 25)], "a length that fits to the frame fits"


def published(identity: str, split: str) -> Published:
    box = (0.0, 0.0, 1.0, 1.0, 1.0, 1.0, "")
    return Published("s", "list/one", "list", "one", 0.0, 1.0, None, None, 0.0, None, *box, identity, split)


def annotated(name: str, value: str, *span: float) -> Annotation:
    return Annotation("s", f"{CLIP}#{name}{span}", CLIP, name, value, "list", *span)


def test_what_is_said_of_a_clip_counts_before_what_is_said_of_its_list(tmp_path: Path) -> None:
    cut = Clip("s", CLIP, "s/x", "s/x/t0", "a", 0.0, 1.0, 0.0, 0.0, 64.0, 50.0, published_id="list/one")
    told = exported(tmp_path / "told", [cut, RENDER, published("Ada", "dev"), annotated("identity", "Bob")])
    assert (told.identity, told.split) == ("Bob", "val"), "the list's split, by the name that layouts know"
    assert exported(tmp_path / "untold", [cut, RENDER, published("Ada", "test")]).identity == "Ada"


def test_words_move_with_the_sound_and_go_where_the_render_has_none_of_them(tmp_path: Path) -> None:
    """The sound is 0.2 s late in the source, so what is heard there at 0.5 s is heard in the render at 0.3 s."""
    cut = Clip("s", CLIP, "s/x", "s/x/t0", "a", 0.0, 1.0, 0.0, 0.0, 64.0, 50.0, sound_late_s=0.2)
    words = [
        annotated("word", "gone", 0.0, 0.2),
        annotated("word", "cut", 0.1, 0.3),
        annotated("word", "here", 0.5, 0.8),
    ]
    told = exported(tmp_path, [cut, RENDER, *words, annotated("asd_score", "1.5", 0.5, 0.8)])
    assert told.spoken == (Spoken("cut", 0.0, 0.1), Spoken("here", 0.3, 0.6, "1.5"))
