"""The contact sheet shows the frames of the clips, in order, from files that headset rendered itself."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from manifests.errors import UsageError
from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Render, Score, Source
from operators.clips.render_clips import RenderClips
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from pipeline.views.contact_sheet import CAPTION, FRAMES, SIDE, draw_sheet
from tests.made_videos import tone, write_video


@pytest.fixture
def corpus(tmp_path: Path) -> Manifest:
    """One clip, red for its first half and blue for its second."""
    manifest = Manifest(str(tmp_path / "corpus"))
    video = write_video(tmp_path / "video.mp4", [("red", 2.0), ("blue", 2.0)], size=(128, 128), audio=tone(4.0))
    clip = Clip("s", "s/0-4/t0", "s/0-4", "s/0-4/t0", "speaker0", 0.0, 4.0, 0.0, 0.0, 128.0, 128.0)
    media = SimpleNamespace(path=video, keep=MediaStore(manifest.root).put)
    (render,) = RenderClips(size=128)(clip, VideoFrames(video, 0.0, 4.0), SourceAudio(video), cast(Any, media))
    score = Score("s", "s/0-4/t0#face_width_px", clip.clip_id, "face_width_px", "boxes", 101.0)
    manifest.add([Source("s", str(video))])
    manifest.remember(
        RunRecord("r", [StepRecord("All", "All-1", 0, "sources", ["clips", "renders", "scores"], [], {}, {}, [])])
    )
    for table, rows in ((Clip, [clip]), (Render, [render]), (Score, [score]), (Dropped, [])):
        manifest.write(table, "All-1", 0, rows)
    manifest.commit("All-1", 0, Receipt("All"))
    return Manifest(manifest.root)


def test_frames_are_evenly_spread_over_the_clip(corpus: Manifest, tmp_path: Path) -> None:
    assert draw_sheet(corpus, tmp_path / "sheet.png") == 1
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB")).astype(int)
    assert sheet.shape == (CAPTION + SIDE, FRAMES * SIDE, 3)
    middles = [sheet[CAPTION + SIDE // 2, i * SIDE + SIDE // 2] for i in range(FRAMES)]
    assert ["red" if red > blue else "blue" for red, _, blue in middles] == ["red"] * 4 + ["blue"] * 4
    assert (sheet[:CAPTION] < 128).any(), "a caption is written"


def test_a_corpus_without_renders_says_where_to_look(tmp_path: Path) -> None:
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source("s", "")])
    with pytest.raises(UsageError, match="headset status"):
        draw_sheet(manifest, tmp_path / "sheet.png")
