"""What an export is told of a corpus's clips: scores, words, and the file they were cut from."""

from pathlib import Path

from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.tables import Clip, Dropped, Render, Score, Source, Word
from pipeline.export.clip import SourceFile
from pipeline.export.corpus_clips import clips_of


def test_clips_know_what_was_measured_heard_and_cut(tmp_path: Path) -> None:
    clip_id = "s/000000-001000/t0"
    rows = [
        Clip("s", clip_id, "s/x", "s/x/t0", "speaker0", 0.0, 1.0, 10.0, 0.0, 74.0, 64.0, sound_late_s=0.08),
        Render("s", f"{clip_id}@recording", clip_id, "recording", "m.mp4", "0", "0", 1, 64, 64, 25.0, 25, 1.0, "x"),
        Word("s", f"{clip_id}/2", clip_id, "we.", 0.5, 0.8, 0.9),
        Word("s", f"{clip_id}/1", clip_id, "Here", 0.1, 0.4, 0.9),
        Score("s", f"{clip_id}#yaw_deg", clip_id, "yaw_deg", "", -30.0),
        Score("s", "1", clip_id, "lse_c", "lse_tracked", 7.0),
        Score("s", "2", f"{clip_id}@recording", "lse_c", "lse_lrs", 6.0),
        Score("s", "3", clip_id, "dnsmos_ovrl", "", 3.0),
    ]
    manifest = Manifest(str(tmp_path))
    manifest.add([Source("s", "/films/s.mkv", width=100, height=64, audio_track=1, audio_channels=6)])
    tables = (Clip, Render, Word, Score)
    step = StepRecord("All", "All-1", 0, "sources", [table.table for table in tables], [], {}, {}, [])
    manifest.remember(RunRecord("made", [step]))
    for table in (*tables, Dropped):
        manifest.write(table, "All-1", 0, [row for row in rows if isinstance(row, table)])
    manifest.commit("All-1", 0, Receipt("All"))
    (clip,) = clips_of(Manifest(manifest.root))
    assert (clip.transcript, clip.sound_late_s) == ("Here we.", 0.08)
    assert clip.scores == {"yaw_deg:": -30.0, "lse_c:lse_tracked": 7.0, "lse_c:lse_lrs": 6.0}
    assert (clip.score("lse_c"), clip.score("yaw_deg"), clip.score("lse_d")) == (6.0, -30.0, None)
    assert clip.source == SourceFile("/films/s.mkv", "", "", 1, 6)
    assert clip.pieces((10, 4)) == [(0, 10), (10, 20), (20, 24)]
