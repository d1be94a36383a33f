from pathlib import Path

import pytest

from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.tables import Source
from pipeline.engine.costs import learn, rates


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """Two sources of 10 s; a step took 3 and 5 CPU seconds for them."""
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source("a", "", start_s=5.0, end_s=15.0), Source("b", "", end_s=10.0)])
    manifest.remember(RunRecord("r", [StepRecord("Look", "Look-1", 0, "sources", [], [], {}, {}, [])]))
    for shard, seconds in ((0, 2.0), (1, 4.0)):
        manifest.commit("Look-1", shard, Receipt("Look", cpu_s=seconds, decode_cpu_s=1.0))
    return Manifest(manifest.root)


def test_a_rate_is_work_over_media(corpus: Manifest) -> None:
    assert rates().of("Look") is None
    learn(corpus, {"Look-1": set()})
    assert rates().of("Look") == pytest.approx(8 / 20)


def test_shards_that_were_done_before_are_not_counted_again(corpus: Manifest) -> None:
    learn(corpus, {"Look-1": {0}})
    assert rates().of("Look") == pytest.approx(5 / 10)
    learn(corpus, {"Look-1": {0, 1}})
    assert rates().of("Look") == pytest.approx(5 / 10)
