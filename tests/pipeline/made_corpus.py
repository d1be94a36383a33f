"""A small corpus as a run would leave it, of rows that a test gives: written through the manifest, without Ray."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from manifests.ledger import Receipt, ended
from manifests.manifest import LISTED, Manifest, RunRecord, StepRecord
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Render, Row, Score, Source, Track, span_id, tables

# What each step reads and writes; the rows that a test gives are those that it wrote.
STEPS = {"TrackFaces": ("sources", "tracks"), "PlanClips": ("sources", "clips"), "ScoreClips": ("clips", "scores"),
         "RenderClips": ("clips", "renders"), "Annotate": ("clips", "annotations"),
         "Publish": ("sources", "published")}  # fmt: skip


def corpus_of(root: Path | str, rows: Iterable[Row]) -> Manifest:
    """Adds sources, and commits all other rows as the answers of one run. Media of renders must be in the store
    already.
    """
    by_table: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_table[row.table][row.source_id].append(row)
    manifest = Manifest(str(root))
    manifest.add([source for found in by_table["sources"].values() for source in found if isinstance(source, Source)])
    made_by = {written: name for name, (_, written) in STEPS.items()}
    records = []
    for number, (name, (reads, writes)) in enumerate(STEPS.items()):
        inputs = {reads: [LISTED if reads == "sources" else f"{made_by[reads]}-made"]}
        records.append(StepRecord(name, f"{name}-made", number, reads, [writes], [], inputs, {}, []))
    manifest.remember(RunRecord("made", records))
    types = tables()
    for shard in manifest.shards():
        sources = {source.source_id for source in manifest.read(Source, [LISTED], shard)}
        for record in records:
            table, reads = record.writes[0], record.reads
            mine = [row for source in sources for row in by_table[table][source]]
            given = [row for source in sources for row in by_table[reads][source]]
            drops = [
                row
                for source in sources
                for row in by_table["drops"][source]
                if isinstance(row, Dropped) and row.operator == record.operator
            ]
            calls, given_up = ended(drops, reads, [row.row_id for row in given])
            reasons = Counter(drop.reason for drop in drops)
            receipt = Receipt(
                record.operator,
                calls,
                {table: len(mine)},
                len(drops),
                given_up,
                reasons,
                reads,
                inputs=record.inputs,
                cpu_s=1.0,
            )
            manifest.finish(record.version, shard, {types[table]: mine}, drops, receipt, manifest.takedowns())
    return Manifest(str(root))


def source(name: str, **facts: object) -> Source:
    return replace(
        Source(name, f"https://example.org/{name}.mp4", sha256=f"{name:0<64}", width=1280, height=720, end_s=60.0),
        **facts,
    )  # pyright: ignore[reportArgumentType]


def clip(source_id: str, start_s: float = 0.0, end_s: float = 5.0, track: str = "t0", **more: object) -> Clip:
    shot = span_id(source_id, 0.0, 60.0)
    made = Clip(
        source_id,
        f"{span_id(source_id, start_s, end_s)}/{track}",
        shot,
        f"{shot}/{track}",
        "speaker0",
        start_s,
        end_s,
        0.0,
        0.0,
        400.0,
        400.0,
    )
    return replace(made, **more)  # pyright: ignore[reportArgumentType]


def track(source_id: str, name: str = "t0", left_px: float = 0.0, end_s: float = 60.0) -> Track:
    shot, looks = span_id(source_id, 0.0, 60.0), [0.0, end_s / 2, end_s]
    return Track(
        source_id,
        f"{shot}/{name}",
        shot,
        0.0,
        end_s,
        looks,
        [left_px] * 3,
        [50.0] * 3,
        [left_px + 300] * 3,
        [350.0] * 3,
        [1.0] * 3,
    )


def score(of: Row, metric: str, value: float, variant: str = "made", protocol: str = "") -> Score:
    return Score(
        of.source_id,
        f"{of.row_id}#{metric}{f'@{variant}' if variant != 'made' else ''}{protocol}",
        of.row_id,
        metric,
        variant,
        value,
        protocol=protocol,
    )


def render(of: Clip, root: Path | str, scratch: Path, content: bytes | None = None) -> Render:
    """A render whose file is kept: the bytes are not those of a video."""
    scratch.mkdir(parents=True, exist_ok=True)
    (file := scratch / "made.mp4").write_bytes(content or f"the pixels and sound of {of.clip_id}".encode() * 100)
    size = file.stat().st_size
    place, sha256 = MediaStore(str(root)).put(file, ".mp4")
    return Render(of.source_id, f"{of.clip_id}@recording", of.clip_id, "recording", place, sha256,
                  f"frames of {of.clip_id}", size,
                  512, 512, 25.0, 125, of.end_s - of.start_s, "made")  # fmt: skip
