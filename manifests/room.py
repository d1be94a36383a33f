"""What takes room in a corpus, and what of it nobody needs."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from manifests.folder import PART
from manifests.manifest import LISTED, Manifest
from manifests.packing import leftovers
from manifests.storage import Storage
from manifests.tables import Render, Source, tables


@dataclass(frozen=True)
class Room:
    """What part of a corpus takes how much room."""

    kind: str  # step, media, parts (left by what was killed), or the name of a folder
    name: str  # of a step; "" else
    table: str
    bytes: int
    files: int
    needed: bool


def room(manifest: Manifest) -> list[Room]:
    """Bytes by table and step, of media, and of all else; the largest first."""
    needed, kinds = needed_steps(manifest), {*tables()}
    found: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for name, size in manifest.storage.walk():
        parts = name.split("/")
        if name.endswith(PART):
            key = "parts", "", ""
        elif parts[0] in kinds and len(parts) == 3:
            key = "step", parts[1], parts[0]
        else:
            key = parts[0], "", ""
        found[key].update(bytes=size, files=1)
    made = [
        Room(kind, step, table, of["bytes"], of["files"], kind not in ("step", "parts") or step in needed)
        for (kind, step, table), of in found.items()
    ]
    return sorted(made, key=lambda one: (-one.bytes, one.kind, one.name, one.table))


def needed_steps(manifest: Manifest) -> set[str]:
    """The steps that some record names: of the last run of each recipe, of scoring, and of tables of the whole
    corpus.
    """
    return {
        LISTED,
        *(step.version for run in manifest.runs() for step in run.steps),
        *(step.version for step in manifest.attached.values()),
        *manifest.in_shard_0.values(),
    }


@dataclass(frozen=True)
class Garbage:
    """What `headset gc` removes."""

    steps: dict[str, int]  # with their bytes
    parts: dict[str, int]  # unfinished files
    media: dict[str, int]  # that no row of a step which is left names
    packs: dict[str, int] = field(default_factory=dict)  # what was killed while it was packed, or unpacked

    @property
    def bytes(self) -> int:
        return sum(sum(some.values()) for some in (self.steps, self.parts, self.media, self.packs))


def garbage(manifest: Manifest) -> Garbage:
    """The steps that no record names, what was killed while it was written, and media that no row names. Nobody may be
    at work.
    """
    needed, steps = needed_steps(manifest), Counter[str]()
    sizes = dict(manifest.storage.walk())
    for name, size in sizes.items():
        kind, _, rest = name.partition("/")
        step = rest.partition("/")[0]
        if (kind in tables() or kind in ("receipts", "retries")) and "/" in rest and step not in needed:
            steps[step] += size
    named = set[str]()
    for table in (Source, Render):
        for step in sorted(set(manifest.names(table.table, folders=True)) & needed):
            for file in manifest.names(f"{table.table}/{step}"):
                column = manifest.arrow(f"{table.table}/{step}/{file}")
                named |= set(column["media"].to_pylist()) if "media" in column.column_names else set()
    parts = {name: size for name, size in sizes.items() if name.endswith(PART)}
    media = {
        name: size
        for name, size in sizes.items()
        if name.startswith("media/") and name not in named and name not in parts
    }
    packs = {name: sizes[name] for name in leftovers(sizes) if name.split("/")[1] in needed}
    return Garbage(dict(steps), parts, media, packs)


def remove(manifest: Manifest, found: Garbage) -> None:
    """Removes it: receipts first, so that whoever is killed here leaves no receipt without its tables."""
    for kind in ("receipts", "retries", *tables()):
        for step in sorted(set(manifest.names(kind, folders=True)) & found.steps.keys()):
            manifest.storage.clear(f"{kind}/{step}")
    for name in [*found.parts, *found.media]:
        manifest.delete(name)
    for name in found.packs:
        Storage(manifest.root).delete(name)
