from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manifests.errors import UsageError
from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.tables import Clip, Dropped, Source
from pipeline.views.funnel_chart import draw_funnel, reasons


def drop(subject: str, table: str, operator: str, reason: str) -> Dropped:
    return Dropped("s0", f"{subject}@{operator}", subject, table, operator, reason, "", False, False)


@pytest.fixture
def corpus(tmp_path: Path) -> Manifest:
    """Four sources, one given up by two steps one after the other; three clips, of which one is kept."""
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source(f"s{n}", "") for n in range(4)])
    steps = [
        StepRecord("Look", "Look-1", 0, "sources", ["clips"], [], {}, {}, []),
        StepRecord("Keep", "Keep-1", 1, "clips", ["clips"], ["clips"], {}, {}, []),
    ]
    manifest.remember(RunRecord("r", steps))
    clips = [Clip("s0", f"s0/{n}", "", "", "", 0.0, 1.0, 0.0, 0.0, 1.0, 1.0) for n in range(3)]
    for shard in manifest.shards():
        here = shard == 0
        manifest.write(Clip, "Look-1", shard, clips[:2] if here else [])
        manifest.write(Clip, "Keep-1", shard, clips[:1] if here else [])
        looked = [drop("s0", "sources", "Look", "dark"), drop("s0/2", "clips", "Look", "short")]
        kept = [drop("s0", "sources", "Keep", "dull"), drop("s0/1", "clips", "Keep", "low")]
        for step, drops in (("Look-1", looked), ("Keep-1", kept)):
            manifest.write(Dropped, step, shard, drops if here else [])
            manifest.commit(step, shard, Receipt("X"))
    return Manifest(manifest.root)


def test_every_row_is_counted_once(corpus: Manifest) -> None:
    found = reasons(corpus)
    assert found["sources"][0] == 3
    assert found["sources"][1].total() == 1
    assert found["clips"] == (1, Counter({"short": 1, "low": 1}))


def test_the_picture_has_a_bar_a_table_and_green_for_what_went_on(corpus: Manifest, tmp_path: Path) -> None:
    draw_funnel(corpus, tmp_path / "funnel.png")
    picture = Image.open(tmp_path / "funnel.png").convert("RGB")
    green = (np.asarray(picture) == (58, 157, 93)).all(axis=2).mean()
    assert 0.05 < green < 0.6


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing ran yet"):
        draw_funnel(Manifest(str(tmp_path)), tmp_path / "x.png")
