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


def test_how_far_the_rates_were_off_is_told(corpus: Manifest) -> None:
    learn(corpus, {"Look-1": {1}})
    assert rates().error is None, "nothing had been foretold"
    before = rates().of("Look")
    assert before is not None
    learn(corpus, {"Look-1": {0}})
    assert rates().error == pytest.approx(5 / (before * 10) - 1)


def test_a_corpus_takes_the_bytes_of_its_tables_and_renders(corpus: Manifest, tmp_path: Path) -> None:
    learn(corpus, {"Look-1": {0}})
    assert rates().bytes == 0, "shard 1 has a source of 10 s, and the step wrote no table"
    listed = tmp_path / "corpus" / "scores" / "Look-1"
    listed.mkdir(parents=True)
    (listed / "00001.parquet").write_bytes(b"x" * 50)
    learn(corpus, {"Look-1": {0}})
    assert rates().bytes == pytest.approx(50 / 10)
