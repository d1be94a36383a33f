"""`headset import`, as a person uses it."""

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Annotation, Dropped, Published, Source
from pipeline.__main__ import main
from pipeline.commands.import_ import datasets
from tests.pipeline.importers.rows import write
from tests.pipeline.importers.test_hdtf import MADE


@pytest.fixture
def hdtf(tmp_path: Path) -> Path:
    return write(tmp_path / "lists", MADE)


def test_sources_clips_and_notes_are_listed(hdtf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "corpus"
    assert main(["import", "hdtf", str(hdtf), "--out", str(out)]) == 0
    told = {
        line.rsplit(maxsplit=1)[0].strip(): line.split()[-1]
        for line in capsys.readouterr().out.splitlines()
        if line.strip()
    }
    assert told["rows"] == "13"
    assert told["clips"] == "5"
    assert told["videos"] == "3"
    assert told["dropped no_crop"] == "1"
    assert told["noted byte_order_mark"] == "2"
    manifest = Manifest(str(out))
    assert [manifest.count_rows(table) for table in (Source, Published, Dropped)] == [3, 5, 8]
    clips = manifest.table(Published).to_pylist()
    assert {clip["source_id"] for clip in clips} == set(manifest.table(Source)["source_id"].to_pylist())
    assert sorted(clip["name"] for clip in clips) == ["Ada_0", "Ada_1", "BobAgain_0", "Bob_0", "Cal_0"]
    assert "trap" in manifest.table(Annotation)["name"].to_pylist()


def test_a_second_import_changes_nothing(hdtf: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"

    def files() -> dict[Path, bytes]:
        return {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}

    assert main(["import", "hdtf", str(hdtf), "--out", str(out)]) == 0
    before = files()
    assert main(["import", "hdtf", str(hdtf), "--out", str(out)]) == 0
    assert files() == before


def test_sources_that_are_listed_without_their_clips(
    hdtf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "corpus")
    Manifest(out).add([Source("yt-aaaaaaaaaaa", "https://www.youtube.com/watch?v=aaaaaaaaaaa")])
    assert main(["import", "hdtf", str(hdtf), "--out", out]) == 2
    assert "lists the sources of 2 of these clips already" in " ".join(capsys.readouterr().err.split())
    assert Manifest(out).count_rows(Source) == 1


def test_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "hdtf", str(tmp_path), "--out", str(tmp_path / "corpus")]) == 2
    assert "holds no *_annotion_time.txt" in capsys.readouterr().err
    assert not (tmp_path / "corpus").exists()
    with pytest.raises(SystemExit):
        main(["import", "other", str(tmp_path), "--out", str(tmp_path / "corpus")])


def test_every_importer_is_named_and_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    import importlib

    with pytest.raises(SystemExit):
        main(["import", "--help"])
    told = capsys.readouterr().out
    assert len(datasets()) >= 9
    for name in datasets():
        assert name in told
        module = importlib.import_module(f"pipeline.importers.{name}")
        assert (module.__doc__ or "").splitlines()[0].endswith(".")
        assert isinstance(module.TERMS, str)
        assert callable(module.read)
        assert not any(word in module.TERMS for word in ("withdrawn", "licensed")) or "own copy" in module.TERMS
