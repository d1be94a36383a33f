"""Which rows another try is for, and what is taken back for it: without Ray."""

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from pipeline.engine.retry import retry
from tests.pipeline.engine.test_agenda import PLAN, drive, listed

CUT, HEAR, PROPOSE, KEEP = (step.version for step in PLAN.steps)


@pytest.fixture
def done(tmp_path: Path) -> Manifest:
    """Of it `Hear` failed on one source, `Cut` dropped one, and `Propose` dropped late clips; only failures are worth
    another try.
    """
    manifest = listed(tmp_path)
    drive(manifest)
    return Manifest(manifest.root)


def noted(manifest: Manifest) -> dict[str, set[str]]:
    """By step, the sources that are to be done again."""
    return {
        name: {source for note in manifest.retries(version).values() for source in note["sources"]}
        for name, version in (("Cut", CUT), ("Hear", HEAR), ("Propose", PROPOSE), ("Keep", KEEP))
        if manifest.retries(version)
    }


def test_what_read_the_rows_is_done_again_too_and_nothing_before(done: Manifest) -> None:
    found = retry(done)
    assert [(drop.operator, drop.source_id) for drop in found.drops if drop.operator == "Hear"] == [("Hear", "fails")]
    assert {drop.retryable for drop in found.drops} == {True}
    assert found.others["no_sense"] == 1
    assert noted(done) == {"Hear": {"fails"}, "Propose": {"fails"}, "Keep": {"fails"}}
    drive(Manifest(done.root))
    assert noted(done) == {}, "a note is gone when its sources are done"


def test_a_reason_and_an_operator_choose(done: Manifest) -> None:
    assert not retry(done, reasons=("no_sense",), operator="Hear").drops
    assert noted(done) == {}
    (drop,) = retry(done, reasons=("no_sense",), operator="Cut").drops
    assert drop.source_id == "drops"
    assert noted(done) == {"Cut": {"drops"}, "Propose": {"drops"}, "Keep": {"drops"}}


def test_wherever_it_is_stopped_no_reader_keeps_a_receipt_that_its_source_has_lost(
    done: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = Manifest.take_back, [1]

    def once(self: Manifest, *arguments: object) -> None:
        if not left:
            raise InterruptedError
        left.pop()
        real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Manifest, "take_back", once)
    with pytest.raises(InterruptedError):
        retry(done)
    assert set(noted(done)) == {"Keep"}, "from the end to the start"
