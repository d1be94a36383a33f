"""A packed corpus under the commands that rewrite it, and those that name its files to others."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from manifests.checking import faults
from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.packing import pack, unpack
from manifests.tables import Clip, Dropped, Shot, Source, tables
from operators.base import Drop, Operator
from pipeline.__main__ import main
from pipeline.engine.retry import retry
from pipeline.recipe import Plan, Recipe, Stage
from pipeline.release.catalog.croissant import HUB, write_croissant
from pipeline.release.catalog.views import write_views
from pipeline.takedown.takedown import takedown_source
from pipeline.views.funnel import funnel
from tests.pipeline.engine.in_process import do
from tests.pipeline.takedown.made import holding, made

OPEN = {"s1": False}  # whether the shot of a source can be had


@dataclass(frozen=True)
class MakeShots(Operator):
    def __call__(self, source: Source) -> Iterator[Shot]:
        if not OPEN.get(source.source_id, True):
            raise Drop("rate_limited")
        yield Shot(source.source_id, f"{source.source_id}/0", 0.0, 1.0)


@dataclass(frozen=True)
class MakeClips(Operator):
    def __call__(self, shot: Shot) -> Iterator[Clip]:
        yield Clip(shot.source_id, f"{shot.shot_id}/c", shot.shot_id, "", "", 0.0, 1.0, 0.0, 0.0, 1.0, 1.0)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setitem(OPEN, "s1", False)
    return Recipe("r", "of nothing", (Stage(MakeShots()), Stage(MakeClips()))).plan()


def run(root: Path, plan: Plan, *names: str) -> Manifest:
    Manifest(str(root)).add([Source(name, f"{name}.mp4", end_s=1.0) for name in names])
    return do(plan, Manifest(str(root)))


def content(root: str) -> dict[str, list]:
    return {name: sorted(map(repr, Manifest(root).table(table).to_pylist())) for name, table in tables().items()}


def test_a_run_and_a_retry_go_on_over_it(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loose = run(tmp_path / "loose", plan, "s0", "s1", "s2")
    packed = Manifest(str(shutil.copytree(loose.root, tmp_path / "packed")))
    pack(packed, 2)
    for manifest in (loose, packed):
        manifest = run(Path(manifest.root), plan, "s3")
        monkeypatch.setitem(OPEN, "s1", True)
        assert len(retry(manifest, reasons=("rate_limited",)).drops) == 1
        assert funnel(run(Path(manifest.root), plan)).to_json()
        assert list(faults(Manifest(manifest.root), deep=True)) == []
        monkeypatch.setitem(OPEN, "s1", False)
    assert content(packed.root) == content(loose.root)
    assert Manifest(packed.root).table(Clip)["clip_id"].to_pylist() == [f"s{n}/0/c" for n in range(4)]
    unpack(Manifest(packed.root))
    assert {path.relative_to(packed.root) for path in Path(packed.root).rglob("*.*")} == {
        path.relative_to(loose.root) for path in Path(loose.root).rglob("*.*")
    }


def test_a_takedown_leaves_nothing_in_it(tmp_path: Path) -> None:
    roots = [tmp_path / name / "corpus" for name in ("loose", "packed")]
    made(roots[0], tmp_path / "scratch")
    shutil.copytree(roots[0], roots[1])
    pack(Manifest(str(roots[1])))
    # whoever was killed before the receipt of a pack left the rows here
    stray = next(roots[1].glob("clips/*/*.parquet"))
    shutil.copy(stray, stray.with_name("00000-00002-0123456789ab.parquet"))
    reports = [takedown_source(Manifest(str(root)), "gone") for root in roots]
    assert [report.rows for report in reports] == [reports[0].rows] * 2
    assert content(str(roots[1])) == content(str(roots[0]))
    assert list(faults(Manifest(str(roots[1])), deep=True)) == []
    left = [{name.rpartition("/")[2] for name in holding(b"gone", root)} for root in roots]
    assert left[1] == left[0]


def test_others_are_told_of_its_files_where_all_in_them_is_current(plan: Plan, tmp_path: Path) -> None:
    packed = run(tmp_path / "corpus", plan, "s0", "s1", "s2")
    pack(packed)
    write_croissant(packed)
    assert f"{Clip.table}/{plan.steps[1].version}/00000-00002-" in (packed.text(HUB) or "")
    with duckdb.connect(str(Path(packed.root, write_views(packed)))) as connection:
        assert connection.sql("select clip_id from clips order by 1").fetchall() == [("s0/0/c",), ("s2/0/c",)]
    packed.take_back(plan.steps[1].version, 0, ["s0"])
    packed.take_back(plan.steps[0].version, 0, ["s0"])
    assert write_croissant(Manifest(packed.root))  # unpacked: the files of the other shards are current
    run(Path(packed.root), plan)
    pack(Manifest(packed.root))
    packed.storage.forget()
    step = packed.storage.packs(plan.steps[1].version)[0]
    Manifest(packed.root).remember(refining(plan, Manifest(packed.root)))
    with pytest.raises(UsageError, match=rf"{step.file('clips')} holds rows that are not current .*--unpack"):
        write_croissant(Manifest(packed.root))


def refining(plan: Plan, manifest: Manifest):
    """The record of a run that was stopped when a step which refines clips had done one shard of three."""
    from manifests.ledger import Receipt, RunRecord, StepRecord

    inputs = {Clip.table: [plan.steps[1].version]}
    calls = {"read": 1, "answered": 1}
    receipt = Receipt("Keep", calls, {Clip.table: 0}, reads=Clip.table, inputs=inputs)
    manifest.finish("Keep-1", 0, {Clip: []}, [], receipt)
    keep = StepRecord("Keep", "Keep-1", 2, Clip.table, [Clip.table], [Clip.table], inputs, {}, [])
    return RunRecord("r", [*plan.record().steps, keep])


def test_the_command_says_what_it_did(plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = run(tmp_path / "corpus", plan, "s0", "s2").root
    assert main(["pack", root]) == 0
    assert "16 files became 9, 3 blocks packed." in " ".join(capsys.readouterr().out.split())
    assert main(["pack", root]) == 0
    assert "Nothing to pack." in capsys.readouterr().out
    assert main(["sql", root, "select count(*) as n from clips", "--csv"]) == 0
    assert capsys.readouterr().out.split() == ['"n"', "2"]
    assert main(["check", root, "--all"]) == 0
    assert main(["pack", root, "--unpack"]) == 0
    assert "9 files became 16, 3 blocks unpacked." in " ".join(capsys.readouterr().out.split())
    assert Manifest(root).count_rows(Dropped) == 0
