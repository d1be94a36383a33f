"""Whether what the receipts say lies there: by the receipts alone after a run, by every byte for `headset check`."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import Inconsistent, StorageError
from manifests.ledger import Receipt, StepRecord, note
from manifests.manifest import LISTED, Manifest, file_of
from manifests.media import MediaStore
from manifests.packs import RECEIPTS, Pack, pack_of
from manifests.tables import Dropped, Render, Row, Source, tables
from manifests.takedowns import Takedowns

ALONE = ("recipes", "selections", "releases", "leases")  # folders of small files


def add_up(
    manifest: Manifest, steps: Iterable[StepRecord], shards: Mapping[str, Iterable[int]], known: Takedowns | None = None
) -> None:
    """Holds the receipts of some steps against those of the steps that they read, without opening a table.

    Args:
        steps: in the order in which they were done.
        shards: by step, those to look at.
        known: the takedowns from before the steps were at work; None for those there are. What came since is counted
            anew.

    Raises:
        Inconsistent: naming the step and shard that do not add up.
    """
    steps, gone = list(steps), manifest.takedowns()
    touched = _touched(manifest, {shard for some in shards.values() for shard in some}, gone) if gone else set[int]()
    if touched and known is not None and known != gone:
        _count_anew(manifest, steps, touched)
    try:
        _add_up(manifest, steps, shards)
    except Inconsistent:
        if not touched:
            raise
        _count_anew(manifest, steps, touched)  # a takedown came between a table and its receipt
        _add_up(manifest, steps, shards)


def _add_up(manifest: Manifest, steps: list[StepRecord], shards: Mapping[str, Iterable[int]]) -> None:
    held: dict[str, dict[int, Receipt]] = {}
    wanted: dict[str, set[int]] = defaultdict(set)
    for step in steps:
        for version in {step.version, *step.inputs.get(step.reads, [])} - {LISTED}:
            wanted[version] |= set(shards.get(step.version, ()))
    for version, some in wanted.items():
        held[version] = manifest.receipts(version, some)
    for step in steps:
        for shard in sorted(shards.get(step.version, ())):
            if receipt := held[step.version].get(shard):
                receipt.check(f"{step.version}, shard {shard}", given=_given(manifest, step, shard, held))


def _given(manifest: Manifest, step: StepRecord, shard: int, held: Mapping[str, Mapping[int, Receipt]]) -> int | None:
    """How many rows a step had to read in a shard; None for a step that says of no step that it read it."""
    given = 0
    for version in step.inputs.get(step.reads, []):
        if version == LISTED:
            given += manifest.count(tables()[step.reads], LISTED, shard)
        elif (before := held.get(version, {}).get(shard)) is not None:
            given += before.rows.get(step.reads, 0)
        else:
            return None
    return given if step.reads in step.inputs else None


def _touched(manifest: Manifest, shards: Iterable[int], gone: Takedowns) -> set[int]:
    """The shards of the sources that a takedown names."""
    names = {name for one in gone.all for name in [*one.sources, *(region.source_id for region in one.regions)]}
    found = set()
    for shard in shards:
        here = {row.source_id for row in manifest.read(Source, [LISTED], shard)}
        # that is where one stays which is gone
        here |= {drop.source_id for drop in manifest.read(Dropped, [LISTED], shard)}
        if here & names:
            found.add(shard)
    return found


def _count_anew(manifest: Manifest, steps: Iterable[StepRecord], shards: Iterable[int]) -> None:
    for step in steps:
        for shard in shards:
            if (receipt := manifest.receipt(step.version, shard)) is not None:
                new = manifest.recount(step.version, shard, receipt, step.reads, step.inputs)
                if new != receipt:
                    manifest.commit(step.version, shard, new)


@dataclass(frozen=True)
class Fault:
    """A file that is not as it was written, or counts that do not add up."""

    name: str  # of the file
    why: str
    step: str = ""  # whose receipt is to be taken back to have it made again; "" where that does not help
    shard: int = -1
    sources: tuple[str, ...] = ()  # those of the shard that are to be done again; () for all
    instead: str = ""  # what a person can do where no step can

    def told(self) -> str:
        return f"{self.name}: {self.why}" + (f"; {self.instead}" if self.instead else "")


def faults(manifest: Manifest, *, deep: bool = False) -> Iterator[Fault]:
    """Looks for what is missing, damaged or does not add up.

    Args:
        deep: also the content of media, and the steps whose rows are not current.
    """
    yield from _small_files(manifest)
    bad: dict[str, set[int]] = defaultdict(set)  # shards of damaged packs, by step
    for version in (LISTED, *manifest.names(RECEIPTS, folders=True)):
        for pack in manifest.storage.packs(version, look_again=True):
            if fault := _of_pack(manifest, pack):
                bad[version].update(pack.shards)
                yield fault
    shards = []
    for fault, shard in _listing(manifest, bad[LISTED]):
        if fault:
            yield fault
        else:
            shards.append(shard)
    try:
        steps = {step.version: step for step in manifest.steps()}
    except StorageError:
        return  # told by `_small_files`
    receipts: dict[str, dict[int, Receipt]] = defaultdict(dict)
    for version in manifest.names("receipts", folders=True):
        if version in steps or deep:
            packed = {shard for pack in manifest.storage.packs(version) for shard in pack.shards}
            receipts[version] |= manifest.receipts(version, packed - bad[version])
            for shard in sorted(manifest.committed(version) - packed):
                yield from _of_receipt(manifest, version, shard, receipts)
    for version, step in steps.items():
        for shard, receipt in receipts[version].items():
            if shard in shards:
                try:
                    receipt.check(f"{version}, shard {shard}", given=_given(manifest, step, shard, receipts))
                except Inconsistent as error:
                    yield Fault(note("receipts", version, shard), str(error).partition(": ")[2], version, shard)
    yield from _media(manifest, steps.values(), receipts, shards, deep)


def _small_files(manifest: Manifest) -> Iterator[Fault]:
    advice = {
        "takedowns.json": "restore it from a copy: what it names must not come back",
        "given.json": "restore it from a copy",
    }
    there = [name for name in manifest.names("") if name.endswith(".json")]
    there += [name for folder in ALONE for name, _ in manifest.storage.walk(folder) if name.endswith(".json")]
    for name in there:
        content = manifest.storage.read(name)
        try:
            json.loads(content or b"")
        except ValueError:
            kind = name.partition("/")[0]
            again = (
                "it is written again by the next command that makes it"
                if kind in ("recipes", "steps.json", "leases")
                else ""
            )
            instead = again or advice.get(name, "restore it from a copy, or make it again")
            yield Fault(name, f"{len(content or b'')} bytes that are not JSON", instead=instead)


def _of_pack(manifest: Manifest, pack: Pack) -> Fault | None:
    """What is wrong with a pack. Its shards are made again together: the files of all are one."""
    instead = "" if pack.step != LISTED else "restore it from a copy"
    step = pack.step if pack.step != LISTED else ""
    try:
        layout, receipts = manifest.storage.layout(pack), manifest.storage.receipts(pack)
    except StorageError:
        return Fault(pack.receipt, "no packed receipt", step, pack.first, instead=instead)
    for shard, receipt in receipts.items():
        for table, rows in {**receipt["rows"], Dropped.table: receipt["drops"]}.items():
            if (found := layout[table].rows[shard - pack.first]) != rows:
                why = f"{found} rows of shard {shard}, but its receipt says {rows}"
                return Fault(pack.file(table), why, step, pack.first, instead=instead)
    for table, held in layout.items():
        if (sha256 := manifest.storage.hash_of(pack.file(table))) != held.sha256:
            why = "not the bytes that were packed" if sha256 else "missing"
            return Fault(pack.file(table), why, step, pack.first, instead=instead)
    return None


def _listing(manifest: Manifest, bad: Set[int]) -> Iterator[tuple[Fault | None, int]]:
    """Of every shard there is, or was: what is wrong with its listing, or that it is whole.

    Args:
        bad: those whose listing is told to be damaged.
    """
    listed = set(manifest.shards())
    done = {shard for step in manifest.names("receipts", folders=True) for shard in manifest.committed(step)}
    for shard in sorted((listed | done) - bad):
        wrong = None
        for table in dict.fromkeys([Source, Dropped, *manifest.given()]):
            name = file_of(table.table, LISTED, shard)
            try:
                manifest.read(table, [LISTED], shard)
            except StorageError:
                why = (
                    f"{manifest.storage.size(name)} bytes that are not Parquet"
                    if manifest.storage.size(name) is not None
                    else "missing"
                )
                wrong = Fault(
                    name, why, instead="restore it from a copy, or delete what is left of it and name its videos again"
                )
                break
        yield wrong, shard


def _of_receipt(manifest: Manifest, version: str, shard: int, receipts: dict[str, dict[int, Receipt]]) -> list[Fault]:
    """What is wrong with a receipt and with the files it tells of."""
    try:
        receipt = manifest.receipt(version, shard)
    except StorageError:
        return [Fault(note("receipts", version, shard), "not JSON", version, shard)]
    if receipt is None:
        return []
    found = []
    for table, rows in {**receipt.rows, Dropped.table: receipt.drops}.items():
        name = file_of(table, version, shard)
        if why := _wrong(manifest, name, rows, receipt.files.get(table, "")):
            found.append(Fault(name, why, version, shard))
    if not found:
        receipts[version][shard] = receipt
    return found


def _wrong(manifest: Manifest, name: str, rows: int, sha256: str) -> str:
    """Why a file is not the one that was committed; "" where it is."""
    content = manifest.storage.read(name)
    if content is None:
        return "missing"
    try:
        found = pq.read_metadata(pa.BufferReader(content)).num_rows
    except (pa.ArrowException, OSError):
        return f"{len(content)} bytes that are not Parquet"
    if found != rows:
        return f"{found} rows, but its receipt says {rows}"
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        return "not the bytes that were committed"
    return ""


def _media(
    manifest: Manifest,
    steps: Iterable[StepRecord],
    receipts: Mapping[str, Mapping[int, Receipt]],
    shards: list[int],
    deep: bool,
) -> Iterator[Fault]:
    """Files of the store that rows name, and that are not there or not what they were."""
    sizes = dict(manifest.storage.walk("media"))
    told = set[str]()
    for step in steps:
        if step.parameters.get("keep_sources") is False:  # its files were deleted once the shard was done
            continue
        for table in {Source.table, Render.table} & set(step.writes):
            for shard in sorted(set(shards) & receipts[step.version].keys()):
                for row in manifest.read(tables()[table], [step.version], shard):
                    place = getattr(row, "media", "")
                    if place and place not in told and (why := _unlike(manifest, place, row, sizes, deep)):
                        told.add(place)
                        yield Fault(place, f"{why}: {row.row_id}", step.version, shard, (row.source_id,))


def _unlike(manifest: Manifest, place: str, row: Row, sizes: Mapping[str, int], deep: bool) -> str:
    if place not in sizes:
        return "missing"
    told: Any = row
    if told.bytes and told.bytes != sizes[place]:
        return f"{sizes[place]} bytes, and not {told.bytes}"
    if deep and told.sha256 and manifest.sha256(place) != told.sha256:
        return "not the bytes that were kept"
    return ""


def repair(manifest: Manifest, found: Iterable[Fault]) -> list[Fault]:
    """Takes back the receipts of what is damaged, so that the next run makes it again and nothing else. Returns what it
    could not.
    """
    left = []
    for fault in found:
        if not fault.step:
            if fault.instead.startswith("it is written again"):
                manifest.delete(fault.name)
            else:
                left.append(fault)
        elif (packed := pack_of(fault.name)) is not None:
            manifest.storage.drop(packed[1])
        elif fault.sources:
            MediaStore(manifest.root).delete(fault.name)
            manifest.take_back(fault.step, fault.shard, fault.sources)
        else:
            manifest.forget(fault.step, fault.shard)
            manifest.retried(fault.step, fault.shard)  # what it kept of other sources is damaged too
    return left
