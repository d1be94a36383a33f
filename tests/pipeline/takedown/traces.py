"""Where what was taken down might still stand."""

from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from manifests.manifest import LISTED, Manifest
from manifests.tables import Clip, Row
from tests.pipeline.takedown.made import all_bytes


def shard_of(manifest: Manifest, source_id: str) -> int:
    shards = {
        clip.source_id: shard for shard in manifest.shards() for clip in manifest.read(Clip, ["PlanClips-made"], shard)
    }
    return shards[source_id]


def naming(root: Path, needle: bytes = b"gone") -> set[str]:
    """The folders in whose files it stands, but for where it must stand to keep the source out."""
    found = {path.relative_to(root) for path, content in all_bytes(root).items() if needle in content}
    return {path.parts[0] for path in found if path != Path("takedowns.json") and path.parts[:2] != ("drops", LISTED)}


def any_row(table: type[Row], source_id: str) -> Row:
    """A row of any table, in which every text names the source."""
    hints = get_type_hints(table)
    empty: dict[object, Any] = {str: f"{source_id}/x", float: 0.0, int: 0, bool: False, bytes: b""}
    values = {f.name: empty.get(hints[f.name], [] if "list" in str(hints[f.name]) else None) for f in fields(table)}
    return table(**{**values, "source_id": source_id})
