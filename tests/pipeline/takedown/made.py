"""A corpus of which a source, `gone`, is taken down, made once and copied; and where its bytes are looked for."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from manifests.manifest import Manifest
from manifests.tables import Annotation, Dropped, Duplicate, Row, tables
from pipeline.corpus_steps.splits import split_clips
from pipeline.query.selection import select
from pipeline.views.funnel import funnel
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source, track

FORMS = ("webdataset", "parquet", "folder")


def rows_of(root: Path | str, scratch: Path) -> list[Row]:
    """Three sources with a clip each."""
    found: list[Row] = []
    for name in ("a", "gone", "z"):
        one = clip(name)
        found += [source(name), track(name), one, score(one, "face_width_px", 300.0), render(one, root, scratch)]
        found.append(
            Dropped(
                name,
                f"{one.clip_id}9@PlanClips",
                f"{one.clip_id}9",
                "clips",
                "PlanClips",
                "too_short",
                "1 s",
                False,
                False,
            )
        )
    found.append(Annotation("gone", "1", clip("gone").clip_id, "identity", "Ada", "list"))
    return found


def made(root: Path | str, scratch: Path) -> Manifest:
    manifest = corpus_of(root, rows_of(root, scratch))
    manifest.write_whole(Duplicate, "copies", [Duplicate("z", "z=gone", "gone", 5.0, 0.0, 1.0, 0.0)])
    split_clips(manifest, (1.0, 0.0, 0.0))
    manifest = Manifest(str(root))
    select(manifest, "face_px > 100", "hq")
    return manifest


def copied(template: Path, folder: Path) -> Manifest:
    """A corpus and its releases, which lie side by side in `template`, in another folder."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    for note in (folder / "corpus" / "releases").glob("*.json"):
        told = json.loads(note.read_text())
        note.write_text(json.dumps({**told, "to": str(folder / Path(told["to"]).relative_to(template))}))
    return Manifest(str(folder / "corpus"))


def all_bytes(*folders: Path) -> dict[Path, bytes]:
    """Of every file, unpacked where it is packed."""
    found = {}
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        found[path] = path.read_bytes()
        if path.suffix == ".parquet":
            found[path] += repr(pq.read_table(path).to_pylist()).encode()
    return found


def holding(needle: bytes, *folders: Path) -> set[str]:
    return {path.name for path, content in all_bytes(*folders).items() if needle in content}


def whole(manifest: Manifest) -> None:
    """Receipts, files and the funnel add up."""
    assert manifest.run
    for step in manifest.run.steps:
        for shard, receipt in manifest.receipts(step.version).items():
            table = tables()[step.reads]
            given = sum(manifest.count(table, version, shard) for version in step.inputs[step.reads])
            there = {name: manifest.count(tables()[name], step.version, shard) for name in [*step.writes, "drops"]}
            receipt.check(step.version, given=given, found=there)
    assert funnel(manifest).sums
