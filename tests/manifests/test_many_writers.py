"""Many who list sources at once: nothing is lost and nothing is listed twice, with the lease and where it was lost."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from manifests import lease
from manifests.ledger import Receipt
from manifests.manifest import LISTED, Manifest, file_of
from manifests.storage import Storage
from manifests.tables import Annotation, Clip, Dropped, Score, Source
from manifests.takedowns import FILE


def at_once(*what: Callable[[], object]) -> None:
    start, errors = threading.Barrier(len(what)), list[BaseException]()

    def do(one: Callable[[], object]) -> None:
        start.wait()
        try:
            one()
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=do, args=(one,)) for one in what]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def listed(root: str) -> Counter[str]:
    manifest = Manifest(root)
    return Counter(row.source_id for shard in manifest.shards() for row in manifest.read(Source, [LISTED], shard))


def note(name: str) -> Dropped:
    return Dropped(name, f"{name}@list", name, "sources", "list", "missing_file", "", False, False)


@pytest.mark.parametrize("with_lease", [True, False], ids=["lease", "lost lease"])
def test_what_several_list_at_once_is_listed_once(
    with_lease: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "ASK_S", 0.01)
    if not with_lease:  # as if each had taken the others for dead
        monkeypatch.setattr(Lease := lease.Lease, "__enter__", lambda self: self)
        monkeypatch.setattr(Lease, "__exit__", lambda self, *_: None)
    root = str(tmp_path / "corpus")

    def add(who: str) -> Callable[[], object]:
        mine = [Source(f"{who}{number}", f"{who}{number}.mp4") for number in range(6)]
        given = [Annotation(one.source_id, one.source_id, one.source_id, "word", who, "list") for one in mine]
        return lambda: Manifest(root).add([*mine, Source("shared", "s.mp4")], [note(who)], {who: {who: None}}, given)

    at_once(*(add(who) for who in "abc"))
    found = listed(root)
    assert set(found) == {"shared", *(f"{who}{number}" for who in "abc" for number in range(6))}
    if with_lease:
        assert set(found.values()) == {1}
        assert len(Manifest(root).table(Annotation)) == 18
        assert set(Manifest(root).lists()) == set("abc")
    assert set(Manifest(root).table(Dropped)["subject"].to_pylist()) == set("abc")


def test_a_number_that_another_took_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one, which took the lease for lost, makes shard 0 between our look and our first file."""
    manifest, real = Manifest(str(tmp_path)), Storage.create

    def create(self: Storage, name: str, content: bytes) -> bool:
        if name == file_of("drops", LISTED, 0):
            monkeypatch.setattr(Storage, "create", real)
            manifest.write(Dropped, LISTED, 0, [note("other")])
            manifest.write(Source, LISTED, 0, [Source("b", "elsewhere.mp4")])
        return real(self, name, content)

    monkeypatch.setattr(Storage, "create", create)
    manifest.add([Source("a", "a.mp4"), Source("b", "b.mp4")], [note("ours")])
    assert listed(str(tmp_path)) == {"a": 1, "b": 1}
    assert sorted(row["subject"] for row in manifest.table(Dropped).to_pylist()) == ["other", "ours"]


def test_listing_what_is_listed_writes_nothing(tmp_path: Path) -> None:
    Manifest(str(tmp_path)).add([Source("a", "a.mp4")], lists={"l": {"a": None}})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert Manifest(str(tmp_path)).add([Source("a", "a.mp4")], lists={"l": {"a": None}}) == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


# A takedown that comes while a step is at work.


def clip(source: str) -> Clip:
    return Clip(source, f"{source}/c", "", "", "", 0.0, 1.0, 0, 0, 1, 1)


def taken(manifest: Manifest, source: str) -> None:
    manifest.save(
        FILE, [{"takedown_id": f"source:{source}", "at": "", "sources": {source: ""}, "regions": [], "clips": []}]
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    made = Manifest(str(tmp_path))
    made.write(Dropped, LISTED, 0, [])
    made.write(Source, LISTED, 0, [Source("stays", "a"), Source("goes", "b")])
    return made


def receipt() -> Receipt:
    return Receipt("Clip", {"read": 2, "answered": 2}, {"clips": 2}, reads="sources", inputs={"sources": [LISTED]})


def test_what_was_taken_down_meanwhile_is_not_committed(manifest: Manifest) -> None:
    asked = manifest.takedowns()
    taken(manifest, "goes")
    made = manifest.finish("Clip-1", 0, {Clip: [clip("stays"), clip("goes")]}, [], receipt(), asked)
    assert manifest.read(Clip, ["Clip-1"], 0) == [clip("stays")]
    assert made.rows == {"clips": 1}
    assert made.files["clips"] == manifest.sha256("clips/Clip-1/00000.parquet")
    assert manifest.receipt("Clip-1", 0) == made


def test_takedowns_are_asked_for_again_after_the_files_and_before_the_receipt(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    for name in ("write", "takedowns", "commit"):
        real = getattr(Manifest, name)
        monkeypatch.setattr(
            Manifest, name, lambda self, *a, name=name, real=real: (order.append(name), real(self, *a))[1]
        )
    manifest.finish(
        "Clip-1",
        0,
        {Clip: [clip("stays"), clip("goes")], Score: []},
        [],
        replace_rows(receipt(), {"clips": 2, "scores": 0}),
    )
    assert order == ["write", "write", "write", "takedowns", "commit"]


def replace_rows(made: Receipt, rows: dict[str, int]) -> Receipt:
    from dataclasses import replace

    return replace(made, rows=rows)


def test_a_takedown_between_a_table_and_its_receipt_mends_itself(manifest: Manifest) -> None:
    """The takedown has rewritten the listing and the clips; the step, which asked before, commits what it knew."""
    from manifests.checking import add_up
    from manifests.ledger import StepRecord

    manifest.finish("Clip-1", 0, {Clip: [clip("stays"), clip("goes")]}, [], receipt())
    taken(manifest, "goes")
    manifest.write(Source, LISTED, 0, [Source("stays", "a")])
    manifest.write(Dropped, LISTED, 0, [manifest.takedowns().drop_of(Source("goes", "b"))])
    manifest.write(Clip, "Clip-1", 0, [clip("stays")])
    record = StepRecord("Clip", "Clip-1", 0, "sources", ["clips"], [], {"sources": [LISTED]}, {}, [])
    add_up(manifest, [record], {"Clip-1": [0]})
    found = manifest.receipt("Clip-1", 0)
    assert found
    assert (found.calls["read"], found.rows) == (1, {"clips": 1})
    assert found.files["clips"] == manifest.sha256("clips/Clip-1/00000.parquet")
