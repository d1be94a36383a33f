"""Takes clips out of the releases of a corpus, where they lie: everywhere first, then the datasheets of what is
left.
"""

import tempfile
from dataclasses import asdict
from pathlib import Path

from manifests.manifest import Manifest
from pipeline.query.selection import selection
from pipeline.release.datasheet import describe, digest_of
from pipeline.release.formats import WITHOUT, bytes_of, sha256_of_files
from pipeline.release.place import Place, Shard, put_pairs
from pipeline.release.release import Release, Rows, release_named, releases
from pipeline.takedown.report import Report


class Withdrawal:
    """Takes clips out of releases; or, as a plan, only finds them."""

    def __init__(self, manifest: Manifest, sources: set[str], clips: set[str], report: Report):
        """
        Args:
            report: is filled in; where it is `planned`, no file is changed.
        """
        self.manifest, self.sources, self.clips, self.report = manifest, sources, clips, report
        self.left: list[tuple[Release, Place, list[Shard]]] = []  # finished releases, and the shards they have now

    def remove(self) -> None:
        """Takes the clips out of all shards."""
        known: dict[str, Release] = {}
        for name in releases(self.manifest):
            with self.report.attempt(f"the release {name}"):
                known[name] = release_named(self.manifest, name)
        for name, made in known.items():
            with self.report.attempt(f"the release {name} at {made.to}"):
                # one place may have been released to twice
                names = [other.name for other in known.values() if other.to == made.to]
                self._remove(made, names)

    def describe(self) -> None:
        """Writes the datasheets of what is left, where they do not tell of it already."""
        for made, place, shards in self.left:
            with self.report.attempt(f"the datasheet of the release {made.name} at {made.to}"):
                self._describe(made, place, shards)

    def _remove(self, made: Release, names: list[str]) -> None:
        place = Place(made.to)
        facts = place.files.load("release.json")
        if not isinstance(facts, dict) or facts.get("name") not in names:
            self.report.unreachable[made.name] = made.to
            return
        shards, begun = place.shards(), place.begun()
        if not self.report.planned:
            place.sweep()
        for shard in begun:
            with self.report.attempt(f"the release {made.name}: {shard.name}"):
                for new in self._from_shard(made, place, shard):
                    if new is not shard:
                        place.files.save(f".state/{new.name}.json", asdict(new))
        left: list[Shard] = []
        for shard in shards:
            kept = [shard]
            with self.report.attempt(f"the release {made.name}: {shard.name}"):
                kept = self._from_shard(made, place, shard)
            left += kept
        if not self.report.planned and left != shards:
            put_pairs(place, self.manifest, left)
            place.write_index(left)
        if facts.get("finished"):
            self.left.append((made, place, left))

    def _from_shard(self, made: Release, place: Place, shard: Shard) -> list[Shard]:
        """The shard without what is taken down; none where nothing is left of it."""
        gone = {
            clip
            for clip in shard.clips
            if clip in self.clips or any(clip.startswith(f"{source}/") for source in self.sources)
        }
        if not gone:
            return [shard]
        self.report.releases[made.name] = made.to
        self.report.shards[f"{made.name}: {shard.name}"] = len(gone)
        self.clips |= gone
        if self.report.planned:
            return [shard]
        clips = [clip for clip in shard.clips if clip not in gone]
        if not clips:
            place.delete(shard.name)
            place.files.delete(f".state/{shard.name}.json")
            return []
        if not place.there(shard.name):  # noted, and stopped before it was there
            return [Shard(shard.name, shard.split, "", 0, "", clips)]
        with tempfile.TemporaryDirectory() as folder:
            old, new = place.get(shard.name, Path(folder, "old")), Path(folder, "new")
            WITHOUT[made.format](old, new, gone)
            # No plan: a release made again looks at it anew.
            rewritten = Shard(shard.name, shard.split, sha256_of_files(new), bytes_of(new), "", clips)
            if not place.files.is_local:
                place.delete(shard.name)
            place.put(new, shard.name)
        return [rewritten]

    def _describe(self, made: Release, place: Place, left: list[Shard]) -> None:
        facts = place.files.load("release.json")
        chosen = selection(self.manifest, made.selection) if made.selection else None
        told = (facts.get("selection") or {}).get("where", "")
        if facts.get("sha256") == digest_of(left) and told == (chosen.where if chosen else ""):
            return
        with tempfile.TemporaryDirectory() as folder:
            rows = Rows(self.manifest, Path(folder), chosen, [clip for shard in left for clip in shard.clips])
            seconds = describe(place, self.manifest, made.name, made.format, chosen, left, rows)
        now = {"clips": sum(len(shard.clips) for shard in left), "seconds": seconds, "shards": len(left)}
        self.manifest.save(f"releases/{made.name}.json", {**asdict(made), **now})
