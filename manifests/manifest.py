"""A manifest: a folder of Parquet tables, sharded by source, with a receipt for every step done on every shard.

    <root>/<table>/<step>/<shard>.parquet     written whole under another name, then moved; rows sorted by key
    <root>/receipts/<step>/<shard>.json       commits a step on a shard, with its counts; what has one is never redone
    <root>/claims/<step>/<shard>.json         the row in work, to find the one that kills workers
    <root>/retries/<step>/<shard>.json        the sources to do again, until they are; all others stay as they are
    <root>/recipes/<name>.json                the steps of the last run, to know which rows are current
    <root>/lists.json                         what the lists held that the user named, for the share that was had
    <root>/moved.json                         by source where its file lies now, for those that were moved since they were listed
    <root>/given.json                         the tables that were given with the sources, by shard: clips of a published list
    <root>/attached.json                      the steps that no recipe did, such as scoring, whose rows count as well
    <root>/corpus.json                        the steps that hold the tables of the whole corpus, which lie in shard 0
    <root>/media/                             files by content: `manifests/media.py`
    <root>/selections/<name>/                 clips chosen by a query, a version each: `pipeline/query/selection.py`
    <root>/releases/<name>.json               where a release lies, and of what it was made: `pipeline/release/release.py`
    <root>/takedowns.json                     what was taken down and must not come back: `pipeline/takedown/takedown.py`

A step is named by the operator and a hash of all it depends on. The root is a local folder or `s3://bucket/prefix`.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from manifests import takedowns
from manifests.errors import NotFound
from manifests.names import inside, relative
from manifests.schema import marked, migrated, version_of
from manifests.tables import Dropped, Row, Source, schema, tables
from manifests.takedowns import Takedowns

R = TypeVar("R", bound=Row)
T = TypeVar("T")

LISTED = "listed"  # the step that no operator did: what the user named
SHARD_SOURCES = 16  # sources a shard holds at most: what a killed worker has to do again


@dataclass(frozen=True)
class StepRecord:
    """What a manifest remembers of a step of its last run."""

    operator: str
    version: str
    stage: int
    reads: str
    writes: list[str]
    refines: list[str]
    inputs: dict[str, list[str]]  # table to the steps whose rows it reads
    parameters: dict[str, Any]
    weights: list[dict[str, Any]]
    stand_in: str = ""  # see `Operator.stand_in`


@dataclass(frozen=True)
class RunRecord:
    """The recipe that a manifest was last run with."""

    recipe: str
    steps: list[StepRecord]
    origin: str = ""  # what names the recipe on the command line; "" for one that was made in a program
    changes: list[str] = field(default_factory=list)  # what --set was given


@dataclass(frozen=True)
class Manifest:
    root: str

    @cached_property
    def _place(self) -> tuple[fs.FileSystem, str]:
        if "://" in self.root:
            filesystem, path = fs.FileSystem.from_uri(self.root)
        else:
            filesystem, path = fs.LocalFileSystem(), self.root
        return filesystem, path.rstrip("/")

    def _at(self, name: str) -> str:
        """Where a name lies for the file system.

        Raises:
            OutsideRoot: for a name, or a link, that leads out of the root.
        """
        return str(inside(self._place[1], name)) if self.is_local else f"{self._place[1]}/{relative(name, self.root)}"

    @property
    def is_local(self) -> bool:
        return isinstance(self._place[0], fs.LocalFileSystem)

    # Tables.

    def write(self, table: type[Row], step: str, shard: int, rows: Iterable[Row]) -> None:
        """Replaces the rows a step wrote for a shard. Equal rows make equal bytes, in whatever order they come."""
        ordered = sorted(rows, key=lambda row: row.row_id)
        self._put(_file(table.table, step, shard), _parquet(table, ordered) if ordered else _empty(table))

    def read(self, table: type[R], steps: Iterable[str], shard: int) -> list[R]:
        """The rows that some steps wrote for a shard, sorted by key."""
        filesystem = self._place[0]
        rows: list[R] = []
        for step in steps:
            if not self._there(table, step, shard):
                continue
            found = pq.read_table(self._at(_file(table.table, step, shard)), filesystem=filesystem)
            rows += [table(**row) for row in migrated(found, table).to_pylist()]
        if moved := self._moved:
            rows = [replace(row, uri=moved[row.row_id]) if isinstance(row, Source) and row.row_id in moved else row for row in rows]
        return sorted(rows, key=lambda row: row.row_id)

    def _there(self, table: type[Row], step: str, shard: int) -> bool:
        """Whether there is a file to read: of all steps, only what was given may have nothing for a shard."""
        return step != LISTED or table in (Source, Dropped) or shard in self._given.get(table.table, ())

    def files(self, table: type[Row], shards: Iterable[int] | None = None) -> list[str]:
        """The files that hold the current rows of a table: of each shard, what its last committed steps left.

        Args:
            shards: the shards to tell of; None for all. A table of the whole corpus is told of in any case.
        """
        whole = {0} if table.table in self._whole else set[int]()
        there = self.shards() if shards is None else sorted(whole.union(shards))
        return [_file(table.table, step, shard) for shard in there for step in self.current(shard).get(table.table, [])]

    def count(self, table: type[Row], step: str, shard: int) -> int:
        """Rows in a file, from its footer."""
        filesystem = self._place[0]
        if not self._there(table, step, shard):
            return 0
        return pq.read_metadata(self._at(_file(table.table, step, shard)), filesystem=filesystem).num_rows

    def rows(self, table: type[Row]) -> int:
        """How many current rows a table has, from the footers of its files."""
        return sum(self.count(table, step, shard) for shard in self.shards() for step in self.current(shard).get(table.table, []))

    def table(self, table: type[Row]) -> pa.Table:
        """The current rows of a table."""
        filesystem = self._place[0]
        parts = [migrated(pq.read_table(self._at(name), filesystem=filesystem), table) for name in self.files(table)]
        return pa.concat_tables([part.cast(schema(table)) for part in parts]) if parts else schema(table).empty_table()

    def migrate(self, to: int) -> int:
        """Rewrites the files of all tables that are not of this version. Returns how many those were.

        Raises:
            UsageError: before anything is written, where a file cannot be of that version.
        """
        filesystem = self._place[0]

        def files() -> Iterator[tuple[type[Row], str]]:
            for table in tables().values():
                for step in sorted(self._names(table.table, fs.FileType.Directory)):
                    for name in sorted(self._names(f"{table.table}/{step}")):
                        if version_of(pq.read_schema(self._at(f"{table.table}/{step}/{name}"), filesystem=filesystem)) != to:
                            yield table, f"{table.table}/{step}/{name}"

        changed = list(files())
        for table, name in changed:
            migrated(pq.read_table(self._at(name), filesystem=filesystem), table, to)
        for table, name in changed:
            sink = pa.BufferOutputStream()
            pq.write_table(migrated(pq.read_table(self._at(name), filesystem=filesystem), table, to), sink, compression="zstd")
            self._put(name, sink.getvalue())
        return len(changed)

    def dataset(self, table: type[Row], shards: Iterable[int] | None = None) -> Any:
        """The current rows of a table, of some shards or of all, as an Arrow dataset, which DuckDB scans without loading it whole."""
        import pyarrow.dataset as dataset

        filesystem = self._place[0]
        names = [self._at(name) for name in self.files(table, shards)]
        if not names:
            return schema(table).empty_table()
        return dataset.dataset(names, schema=schema(table), filesystem=filesystem, format="parquet")

    # Tables of the whole corpus lie in shard 0, and are made anew when what they are made of changes.

    def write_whole(self, table: type[Row], step: str, rows: Iterable[Row]) -> None:
        """Replaces the rows of a table that no shard can hold alone, such as `duplicates`."""
        self.write(table, step, 0, rows)
        self._save("corpus.json", {**self._whole, table.table: step})
        self.__dict__.pop("_whole", None)

    def whole(self, table: type[Row]) -> str | None:
        """The step that made a table of the whole corpus last; None where none did."""
        return self._whole.get(table.table)

    @cached_property
    def _whole(self) -> dict[str, str]:
        return self._load("corpus.json") or {}

    # Listing.

    def shards(self) -> list[int]:
        """The numbers of the shards, in the order they were added."""
        return sorted(int(name.removesuffix(".parquet")) for name in self._names(f"{Source.table}/{LISTED}"))

    def add(
        self,
        sources: Sequence[Source],
        dropped: Sequence[Dropped] = (),
        lists: Mapping[str, Mapping[str, float | None]] | None = None,
        given: Iterable[Row] = (),
    ) -> list[Source]:
        """Lists sources that are not listed yet, in shards of their own. Returns those that are new.

        A shard, once listed, never changes: its receipts stay true when sources are added. A source that was taken down is not
        listed again, but dropped as `taken_down`.

        Args:
            given: rows that come with the sources, such as the clips of a published list; those of sources that are listed
                already are left out.
            lists: what each list named: the ids of its sources, and the subjects of drops, with their seconds where it tells.
                A list that is named again replaces what was known of it.
        """
        shards = self.shards()
        known = self._listed(Source, shards)
        told = self._listed(Dropped, shards)
        gone = self.takedowns()
        refused = {s.source_id: gone.drop_of(s) for s in sources if gone and s.source_id not in known and gone.gone(s)}
        new = sorted((s for s in sources if s.source_id not in known and s.source_id not in refused), key=lambda s: s.source_id)
        notes = [drop for drop in [*dropped, *refused.values()] if drop.drop_id not in told]
        size = min(SHARD_SOURCES, max(1, len(new) // 64))  # few sources: a shard each, so that all workers have work
        parts = [new[i : i + size] for i in range(0, len(new), size)] or ([[]] if notes else [])
        first = max(shards, default=-1) + 1
        rows_of: dict[str, dict[type[Row], list[Row]]] = defaultdict(lambda: defaultdict(list))
        for row in given:
            rows_of[row.source_id][type(row)].append(row)
        tables_given = {table for source in new for table in rows_of[source.source_id]}
        whole = {name: [shard for shard in there if shard < first] for name, there in self._given.items()}  # a killed `add` wrote more
        for table in tables_given:
            whole[table.table] = [*whole.get(table.table, []), *range(first, first + len(parts))]
        if whole != self._given:
            self._save("given.json", whole)
            self.__dict__.pop("_given", None)

        def write(number: int) -> None:
            self.write(Dropped, LISTED, first + number, [] if number else notes)
            for table in tables_given:
                self.write(table, LISTED, first + number, [row for s in parts[number] for row in rows_of[s.source_id][table]])
            self.write(Source, LISTED, first + number, parts[number])  # last: a shard is there when its sources are

        self._at_once(write, range(len(parts)))
        if lists:
            self._save("lists.json", {**self.lists(), **lists})
        return new

    def relocate(self, sources: Iterable[Source]) -> list[str]:
        """Notes where local files lie now that are no longer where they were listed. Returns the ids of those that were moved.

        A file's id is its content: no step depends on where it lies, and none is done again.
        """
        now = {source.source_id: source.uri for source in sources if "://" not in source.uri}
        listed = {row.source_id: row.uri for shard in self.shards() for row in self.read(Source, [LISTED], shard) if row.source_id in now}
        moved = {one: now[one] for one, uri in listed.items() if uri != now[one] and "://" not in uri and not os.path.exists(uri)}
        if moved:
            self._save("moved.json", {**self._moved, **moved})
            self.__dict__.pop("_moved", None)
        return sorted(moved)

    def forget_moved(self, sources: Iterable[str]) -> None:
        """Removes what is noted of where these sources lie, for a takedown."""
        left = {one: uri for one, uri in self._moved.items() if one not in set(sources)}
        if left != self._moved:
            self._save("moved.json", left)
            self.__dict__.pop("_moved", None)

    @cached_property
    def _moved(self) -> dict[str, str]:
        return self._load("moved.json") or {}

    def given(self) -> list[type[Row]]:
        """The tables that rows were given for, beside the sources."""
        return [table for name, table in tables().items() if self._given.get(name)]

    @cached_property
    def _given(self) -> dict[str, list[int]]:
        """By table the shards that rows were given for."""
        return self._load("given.json") or {}

    def takedowns(self) -> Takedowns:
        """Who and what was taken down, and must not come back."""
        return Takedowns.of(self._load(takedowns.FILE))

    def lists(self) -> dict[str, dict[str, float | None]]:
        """By the path of each list that was named: the ids of its sources and refused entries, with their seconds where it tells."""
        return self._load("lists.json") or {}

    def _listed(self, table: type[Row], shards: list[int]) -> set[str]:
        filesystem = self._place[0]

        def keys(shard: int) -> list[str]:
            found = pq.read_table(self._at(_file(table.table, LISTED, shard)), filesystem=filesystem, columns=[table.key])
            return found[table.key].to_pylist()

        return {key for part in self._at_once(keys, shards) for key in part}

    # Receipts commit a step on a shard.

    def receipt(self, step: str, shard: int) -> dict[str, Any] | None:
        return self._load(_note("receipts", step, shard))

    def receipts(self, step: str) -> dict[int, dict[str, Any]]:
        """The receipts of a step by shard."""
        names = self._names(f"receipts/{step}")
        found = {int(name.removesuffix(".json")): self._load(f"receipts/{step}/{name}") for name in names if name.endswith(".json")}
        return {shard: receipt for shard, receipt in found.items() if receipt is not None}

    def committed(self, step: str) -> set[int]:
        """The shards a step is done on."""
        return {int(name.removesuffix(".json")) for name in self._names(f"receipts/{step}") if name.endswith(".json")}

    def commit(self, step: str, shard: int, receipt: dict[str, Any]) -> None:
        self._save(_note("receipts", step, shard), receipt)

    def steps_done(self) -> dict[str, dict[str, list[str]]]:
        """Every step that any run, of any recipe, has committed somewhere, with the steps whose rows it read, by table."""
        known = {step.version: step.inputs for step in (self.run.steps if self.run else [])}
        found = {}
        for step in {*self._names("receipts", fs.FileType.Directory), *self._names("retries", fs.FileType.Directory)}:
            if step in known:
                found[step] = known[step]
            elif done := self.committed(step):
                found[step] = (self.receipt(step, min(done)) or {})["inputs"]
            elif taken_back := self.retries(step):
                found[step] = taken_back[min(taken_back)]["receipt"]["inputs"]
        return found

    # Retries take a receipt back, for some sources of a shard.

    def retry(self, step: str, shard: int) -> dict[str, Any] | None:
        """What is to be done again: `sources`, and the `receipt` from before; None where the shard is new or done."""
        return self._load(_note("retries", step, shard))

    def retries(self, step: str) -> dict[int, dict[str, Any]]:
        """What is to be done again of a step, by shard."""
        shards = sorted(int(name.removesuffix(".json")) for name in self._names(f"retries/{step}"))
        return {shard: note for shard in shards if (note := self.retry(step, shard))}

    def take_back(self, step: str, shard: int, sources: Iterable[str]) -> None:
        """Has the next run do a step again for these sources of a shard. What it made of the others stays.

        Whoever is killed here has either changed nothing yet, or left a shard that the next run brings to its end.
        """
        noted, receipt = self.retry(step, shard), self.receipt(step, shard)
        if noted is not None:
            sources, receipt = {*sources, *noted["sources"]}, receipt or noted["receipt"]
        self._save(_note("retries", step, shard), {"sources": sorted(sources), "receipt": receipt})
        self._delete(_note("receipts", step, shard))
        self.__dict__.pop("_committed", None)

    def retried(self, step: str, shard: int) -> None:
        self._delete(_note("retries", step, shard))

    # Claims name the row in work.

    def claims(self, stage: str, shard: int) -> dict[str, Any]:
        return self._load(_note("claims", stage, shard)) or {}

    def claim(self, stage: str, shard: int, claims: dict[str, Any]) -> None:
        self._save(_note("claims", stage, shard), claims)

    def release(self, stage: str, shard: int) -> None:
        self._delete(_note("claims", stage, shard))

    # Runs say which steps are current.

    def remember(self, run: RunRecord) -> None:
        self._save(f"recipes/{run.recipe}.json", asdict(run))
        self._save("recipes/last.json", {"recipe": run.recipe})
        for stale in ("run", "_committed"):
            self.__dict__.pop(stale, None)

    @cached_property
    def run(self) -> RunRecord | None:
        """The last run; None where nothing ran yet."""
        last = self._load("recipes/last.json")
        if last is None or (found := self._load(f"recipes/{last['recipe']}.json")) is None:
            return None
        return RunRecord(**{**found, "steps": [StepRecord(**step) for step in found["steps"]]})

    def attach(self, place: str, step: StepRecord) -> None:
        """Has the rows of a step that no recipe did count as current, where all it read is. It replaces the step that had its place."""
        self._save("attached.json", {**{name: asdict(one) for name, one in self._attached.items()}, place: asdict(step)})
        for stale in ("_attached", "_committed"):
            self.__dict__.pop(stale, None)

    @cached_property
    def _attached(self) -> dict[str, StepRecord]:
        return {place: StepRecord(**step) for place, step in (self._load("attached.json") or {}).items()}

    @cached_property
    def _committed(self) -> dict[str, set[int]]:
        steps = [*(self.run.steps if self.run else []), *self._attached.values()]
        return {step.version: self.committed(step.version) for step in steps}

    def current(self, shard: int) -> dict[str, list[str]]:
        """Which steps' files hold a shard's current rows, by table."""
        held: dict[str, list[str]] = {Source.table: [LISTED], Dropped.table: [LISTED]}
        held |= {table: [LISTED] for table, shards in self._given.items() if shard in shards}
        for step in self.run.steps if self.run else []:
            if shard not in self._committed[step.version]:
                continue
            for table in step.writes:
                held[table] = [step.version] if table in step.refines else [*held.get(table, []), step.version]
            held[Dropped.table] = [*held[Dropped.table], step.version]
        for step in self._attached.values():
            read = all(set(steps) <= set(held.get(table, [])) for table, steps in step.inputs.items())
            if read and shard in self._committed[step.version]:
                for table in step.writes:
                    held[table] = [*held.get(table, []), step.version]
                held[Dropped.table] = [*held[Dropped.table], step.version]
        if shard == 0:
            held |= {table: [step] for table, step in self._whole.items()}
        return held

    def exists(self) -> bool:
        """Whether anything was ever listed here."""
        return bool(self.shards())

    # Files beside the tables: selections, releases, takedowns. Names are relative to the root.

    def load(self, name: str) -> Any:
        """What a JSON file holds; None where there is none."""
        return self._load(name)

    def save(self, name: str, value: Any) -> None:
        """Writes a JSON file, whole or not at all."""
        self._save(name, value)

    def put(self, name: str, content: bytes | pa.Buffer) -> None:
        """Writes a file, whole or not at all."""
        self._put(name, content)

    def text(self, name: str) -> str | None:
        """What a text file holds; None where there is none."""
        filesystem = self._place[0]
        if filesystem.get_file_info(self._at(name)).type != fs.FileType.File:
            return None
        with filesystem.open_input_stream(self._at(name), compression=None) as stream:
            return stream.read().decode()

    def delete(self, name: str) -> None:
        """Removes a file; says nothing where there is none."""
        self._delete(name)

    def names(self, folder: str, folders: bool = False) -> list[str]:
        """The files of a folder, or the folders in it, sorted; none where there is no such folder."""
        return sorted(self._names(folder, fs.FileType.Directory if folders else fs.FileType.File))

    def parquet(self, name: str, words: Sequence[str] = ()) -> Any:
        """A Parquet file as an Arrow dataset, which DuckDB scans without loading it whole.

        Args:
            words: columns that hold few different strings, to be read as Arrow dictionaries.
        """
        import pyarrow.dataset as dataset

        filesystem = self._place[0]
        kind = dataset.ParquetFileFormat(read_options=dataset.ParquetReadOptions(dictionary_columns=list(words)))
        return dataset.dataset(self._at(name), filesystem=filesystem, format=kind)

    # Files.

    def _at_once(self, what: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """Does something for many shards. Files are small: a remote store is mostly waited for, a disk is not."""
        with ThreadPoolExecutor(1 if self.is_local else 16) as pool:
            return list(pool.map(what, numbers))

    def _names(self, folder: str, kind: fs.FileType = fs.FileType.File) -> list[str]:
        filesystem, root = self._place
        found = filesystem.get_file_info(fs.FileSelector(self._at(folder) if folder else root, allow_not_found=True))
        return [info.base_name for info in found if info.type == kind and not info.base_name.endswith(".part")]

    def _load(self, name: str) -> Any:
        filesystem = self._place[0]
        path = self._at(name)
        if filesystem.get_file_info(path).type == fs.FileType.NotFound:
            return None
        with filesystem.open_input_stream(path) as stream:
            return json.loads(stream.read())

    def _save(self, name: str, value: Any) -> None:
        self._put(name, json.dumps(value, indent=1, sort_keys=True).encode())

    def _delete(self, name: str) -> None:
        filesystem = self._place[0]
        if filesystem.get_file_info(self._at(name)).type == fs.FileType.File:
            filesystem.delete_file(self._at(name))

    def _put(self, name: str, content: bytes | pa.Buffer) -> None:
        """A reader sees the old file or the new one, never a part of one."""
        filesystem = self._place[0]
        path = self._at(name)
        if not self.is_local:  # an object appears when its upload ends
            with filesystem.open_output_stream(path) as stream:
                stream.write(content)
            return
        filesystem.create_dir(path.rpartition("/")[0])
        with filesystem.open_output_stream(path + ".part") as stream:
            stream.write(content)
        filesystem.move(path + ".part", path)


def table_named(name: str) -> type[Row]:
    """The row type of a table.

    Raises:
        NotFound: for a name that no table has, with those there are.
    """
    if name not in (known := tables()):
        raise NotFound(f"no table {name!r}; there are {', '.join(known)}")
    return known[name]


def _parquet(table: type[Row], rows: list[Row]) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(marked(pa.Table.from_pylist([vars(row) for row in rows], schema(table))), sink, compression="zstd")
    return sink.getvalue()


@cache
def _empty(table: type[Row]) -> pa.Buffer:
    return _parquet(table, [])


def _file(table: str, step: str, shard: int) -> str:
    return f"{table}/{step}/{shard:05d}.parquet"


def _note(kind: str, step: str, shard: int) -> str:
    return f"{kind}/{step}/{shard:05d}.json"
