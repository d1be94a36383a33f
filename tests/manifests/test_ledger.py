"""Receipts: what adds up and what does not, of now and of before; and in which order a retry takes one back."""

from dataclasses import replace
from pathlib import Path

import pytest

from manifests.errors import Inconsistent, StorageError
from manifests.ledger import DUPLICATE_KEY, Receipt, ended, note
from manifests.manifest import Manifest
from manifests.storage import Storage
from manifests.tables import Dropped

WHOLE = Receipt(
    "Cut",
    {"read": 5, "answered": 2, "dropped": 2, "failed": 1},
    {"shots": 4},
    4,
    {"shots": 1},
    {"no_sense": 2, "worker_died": 2},
    "sources",
)


def test_what_adds_up_is_let_through() -> None:
    WHOLE.check("Cut, shard 0")
    WHOLE.check("Cut, shard 0", given=5, found={"shots": 4, "drops": 4})


@pytest.mark.parametrize(
    ("receipt", "given", "found", "said"),
    [
        (replace(WHOLE, calls={**WHOLE.calls, "answered": 1}), None, None, r"read 5 rows, but 1 \+ 2 \+ 1 ended"),
        (replace(WHOLE, calls={"read": 0, "answered": 1, "dropped": -1}), None, None, "read 0 rows, but 1"),
        (WHOLE, 6, None, "6 rows to read, but the receipt says 5"),
        (replace(WHOLE, drops=3), None, None, "dropped 3 rows for 4 reasons"),
        (WHOLE, 5, {"shots": 3, "drops": 4}, "wrote 4 shots, but the file holds 3"),
        (WHOLE, 5, {"shots": 4}, "dropped 4 rows, but the file holds 0"),
    ],
)
def test_what_does_not_add_up_is_told_with_its_place(
    receipt: Receipt, given: int | None, found: dict[str, int] | None, said: str
) -> None:
    with pytest.raises(Inconsistent, match=f"Cut, shard 0: {said}"):
        receipt.check("Cut, shard 0", given=given, found=found)


def test_a_receipt_that_does_not_add_up_commits_nothing(tmp_path: Path) -> None:
    with pytest.raises(Inconsistent):
        Manifest(str(tmp_path)).finish("Cut-1", 0, {}, [], replace(WHOLE, rows={}, calls={"read": 1}))
    assert Manifest(str(tmp_path)).committed("Cut-1") == set()


def test_receipts_of_before_there_were_sums_of_files_are_read(tmp_path: Path) -> None:
    old = {"operator": "Cut", "calls": {"read": 1, "answered": 1, "dropped": 0, "failed": 0}, "rows": {"shots": 2},
           "drops": 0,
           "given_up": {}, "reasons": {}, "inputs": {"sources": ["listed"]}, "seconds": 1.5, "cpu_s": 1.0,
           "decode_cpu_s": 0.5}  # fmt: skip
    manifest = Manifest(str(tmp_path))
    manifest.save(note("receipts", "Cut-1", 3), {**old, "of_a_later_headset": 1})
    found = manifest.receipts("Cut-1")[3]
    assert (found.rows, found.inputs, found.files, found.reads, found.decode_cpu_s) == (
        {"shots": 2},
        {"sources": ["listed"]},
        {},
        "",
        0.5,
    )
    found.check("Cut-1", given=1)


def test_rows_are_counted_by_how_they_ended() -> None:
    def drop(subject: str, reason: str = "x", table: str = "sources", failed: bool = False) -> Dropped:
        return Dropped("s", f"{subject}@Cut", subject, table, "Cut", reason, "", failed, False)

    drops = [
        drop("a"),
        drop("b", failed=True),
        drop("s/1", table="shots"),
        drop("c", DUPLICATE_KEY, failed=True),
        drop("gone"),
    ]
    calls, given_up = ended(drops, "sources", ["a", "b", "c", "d"])
    assert calls == {"read": 4, "answered": 2, "dropped": 1, "failed": 1}
    assert given_up == {"shots": 1, "sources": 1}


def test_a_retry_is_noted_before_its_receipt_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the other order, who is killed in between leaves a shard that is done again as a whole."""
    manifest, real, seen = Manifest(str(tmp_path)), Storage.delete, list[bool]()
    manifest.commit("Cut-1", 0, WHOLE)

    def delete(self: Storage, name: str) -> None:
        seen.append(manifest.retry("Cut-1", 0) is not None)
        real(self, name)

    monkeypatch.setattr(Storage, "delete", delete)
    manifest.take_back("Cut-1", 0, ["a"])
    assert seen == [True]


def test_a_damaged_note_is_named(tmp_path: Path) -> None:
    manifest = Manifest(str(tmp_path))
    for content in (b"", b'{"operator": "Cu'):
        manifest.put("receipts/Cut-1/00000.json", content)
        with pytest.raises(StorageError, match=r"receipts/Cut-1/00000.json is damaged.*headset check .* --repair"):
            manifest.receipt("Cut-1", 0)
