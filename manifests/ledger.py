"""What was done to a corpus: receipts, retries, and the steps of runs.

<root>/receipts/<step>/<shard>.json       commits a step on a shard; what has one is never redone
<root>/retries/<step>/<shard>.json        the sources to do again, until they are; all others stay as they are
<root>/recipes/<name>.json                the steps of the last run, to know which rows are current
<root>/steps.json                         the steps that no recipe did, such as scoring, whose rows count as well

Receipts and tables of many shards may lie in one file together: `manifests/packs.py`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, TypeVar

from manifests import legacy
from manifests.errors import Inconsistent, UsageError, damaged
from manifests.folder import Content
from manifests.packed_storage import PackedStorage
from manifests.packs import told
from manifests.renames import old_names
from manifests.tables import Dropped

T = TypeVar("T")
DUPLICATE_KEY = "duplicate_key"  # a second row of one key is a failure beside the row that was read
CALLS = ("read", "answered", "dropped", "failed")


@dataclass(frozen=True)
class Receipt:
    """What a step made of a shard. It is written last: whoever finds it finds the files it tells of."""

    operator: str
    calls: Mapping[str, int] = field(default_factory=dict)  # of CALLS: the rows that were read, and how each ended
    rows: Mapping[str, int] = field(default_factory=dict)  # written, by table
    drops: int = 0  # rows of `drops`
    given_up: Mapping[str, int] = field(default_factory=dict)  # rows that were proposed and dropped, by table
    reasons: Mapping[str, int] = field(default_factory=dict)  # of the drops
    reads: str = ""  # the table whose rows were read; "" in receipts of before there was this field
    inputs: Mapping[str, Sequence[str]] = field(default_factory=dict)  # table to the steps whose rows were read
    files: Mapping[str, str] = field(default_factory=dict)  # table to the sha256 of its file; {} where it is not known
    seconds: float = 0.0  # from its first row to its last
    cpu_s: float = 0.0
    decode_cpu_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("calls", "rows", "given_up", "reasons", "inputs", "files"):
            object.__setattr__(self, name, dict(getattr(self, name)))  # a Counter is no JSON

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Receipt":
        """From what its file holds, of any version of headset."""
        known = {one.name for one in fields(cls)}
        return cls(**{"operator": "", **{name: value for name, value in found.items() if name in known}})

    def check(self, where: str, *, given: int | None = None, found: Mapping[str, int] | None = None) -> None:
        """Adds up, here and nowhere else: nothing may be lost between two steps.

        Args:
            where: the step and shard, for people.
            given: the rows there were to read; None where that is not known.
            found: the rows that lie in the files, by table, `drops` among them; None to go by the receipt alone.

        Raises:
            Inconsistent: naming what does not add up.
        """
        read, answered, dropped, failed = (self.calls.get(name, 0) for name in CALLS)
        if read != answered + dropped + failed or min(answered, dropped, failed) < 0:
            raise Inconsistent(
                f"{where}: read {read} rows, but {answered} + {dropped} + {failed} ended; please report this"
            )
        if given is not None and read != given:
            raise Inconsistent(f"{where}: {given} rows to read, but the receipt says {read}; please report this")
        if self.drops != sum(self.reasons.values()):
            raise Inconsistent(
                f"{where}: dropped {self.drops} rows for {sum(self.reasons.values())} reasons; please report this"
            )
        for table, number in {**self.rows, Dropped.table: self.drops}.items():
            if found is not None and found.get(table, 0) != number:
                did = "dropped" if table == Dropped.table else "wrote"
                what = "rows" if table == Dropped.table else table
                raise Inconsistent(f"{where}: {did} {number} {what}, but the file holds {found.get(table, 0)}")


def ended(drops: Iterable[Dropped], reads: str, given: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """How the rows that were read ended, as in `Receipt.calls`, and what was given up beside them, by table.

    Args:
        reads: the table of the rows that were read.
        given: their ids.
    """
    ids, ends, given_up = set(given), dict[str, str](), Counter[str]()
    for drop in drops:
        if drop.reason == DUPLICATE_KEY:
            continue
        if drop.subject_table == reads and drop.subject in ids:
            ends[drop.subject] = "failed" if drop.failed else "dropped"
        else:
            given_up[drop.subject_table] += 1
    how = Counter(ends.values())
    return (
        Counter(
            {"read": len(ids), "answered": len(ids) - len(ends), "dropped": how["dropped"], "failed": how["failed"]}
        ),
        given_up,
    )


@dataclass(frozen=True)
class StepRecord:
    """What a manifest remembers of a step of its last run."""

    operator: str
    version: str
    stage: int  # -1 for a step of no recipe
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

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "RunRecord":
        return cls(**{**found, "steps": [StepRecord(**step) for step in found["steps"]]})


@dataclass(frozen=True)
class Ledger:
    """The receipts, retries and steps of a corpus, and the small files beside its tables."""

    root: str

    @cached_property
    def storage(self) -> PackedStorage:
        return PackedStorage(self.root)

    def refresh(self) -> None:
        """Forgets what was read of the ledger, which another command may have changed."""
        for name in [name for name in self.__dict__ if name != "root"]:
            self.__dict__.pop(name)

    # Receipts commit a step on a shard.

    def receipt(self, step: str, shard: int) -> Receipt | None:
        found = self.load(note("receipts", step, shard))
        return None if found is None else Receipt.of(found)

    def receipts(self, step: str, shards: Iterable[int] | None = None) -> dict[int, Receipt]:
        """The receipts of a step by shard: of all it is done on, or of some."""
        wanted = sorted(self.committed(step) if shards is None else set(shards))
        packs = [pack for pack in self.storage.packs(step) if not set(wanted).isdisjoint(pack.shards)]
        packed = {shard: of for some in self._at_once(self.storage.receipts, packs) for shard, of in some.items()}
        loose = [shard for shard in wanted if shard not in packed]
        found = dict(zip(loose, self._at_once(lambda shard: self.receipt(step, shard), loose), strict=True))
        found |= {shard: Receipt.of(packed[shard]) for shard in wanted if shard in packed}
        return {shard: receipt for shard in wanted if (receipt := found[shard]) is not None}

    def committed(self, step: str) -> set[int]:
        """The shards a step is done on."""
        return set(_shards(self.names(f"receipts/{step}")))

    def commit(self, step: str, shard: int, receipt: Receipt) -> None:
        """Writes a receipt. `Manifest.finish` does so for whoever has rows to write."""
        self.save(note("receipts", step, shard), asdict(receipt))
        self.__dict__.pop("_committed", None)

    def done(self, step: str) -> set[int]:
        """The shards whose rows of a current step are current, as they were when that was first asked: a run that is
        at work commits more meanwhile, and rows and receipts are to tell of the same.
        """
        return self._committed[step]

    def steps_done(self) -> dict[str, Mapping[str, Sequence[str]]]:
        """Every step that any run, of any recipe, has committed somewhere, with the steps whose rows it read, by
        table.
        """
        known = {step.version: step.inputs for step in self.steps()}
        found: dict[str, Mapping[str, Sequence[str]]] = {}
        for step in {*self.names("receipts", folders=True), *self.names("retries", folders=True)}:
            if step in known:
                found[step] = known[step]
            elif (done := self.committed(step)) and (receipt := self.receipt(step, min(done))):
                found[step] = receipt.inputs
            elif (taken_back := self.retries(step)) and (before := taken_back[min(taken_back)]["receipt"]):
                found[step] = before["inputs"]
        return found

    # Retries take a receipt back, for some sources of a shard.

    def retry(self, step: str, shard: int) -> dict[str, Any] | None:
        """What is to be done again: `sources`, and the `receipt` from before; None where the shard is new or done."""
        return self.load(note("retries", step, shard))

    def retries(self, step: str) -> dict[int, dict[str, Any]]:
        """What is to be done again of a step, by shard."""
        shards = sorted(_shards(self.names(f"retries/{step}")))
        return {shard: found for shard in shards if (found := self.retry(step, shard))}

    def take_back(self, step: str, shard: int, sources: Iterable[str]) -> None:
        """Has the next run do a step again for these sources of a shard. What it made of the others stays.

        Whoever is killed here has either changed nothing yet, or left a shard that the next run brings to its end.
        """
        noted, receipt = self.retry(step, shard), self.load(note("receipts", step, shard))
        if noted is not None:
            sources, receipt = {*sources, *noted["sources"]}, receipt or noted["receipt"]
        self.save(note("retries", step, shard), {"sources": sorted(sources), "receipt": receipt})
        self.forget(step, shard)

    def forget(self, step: str, shard: int) -> None:
        """Deletes a receipt: the next run does the step on the shard as if it never had."""
        self.delete(note("receipts", step, shard))
        self.__dict__.pop("_committed", None)

    def retried(self, step: str, shard: int) -> None:
        self.delete(note("retries", step, shard))

    # Runs say which steps are current.

    def remember(self, run: RunRecord) -> None:
        self.save(f"recipes/{run.recipe}.json", asdict(run))
        self.save("recipes/last.json", {"recipe": run.recipe})
        for stale in ("run", "_committed"):
            self.__dict__.pop(stale, None)

    @cached_property
    def run(self) -> RunRecord | None:
        """The last run; None where nothing ran yet."""
        last = self.load("recipes/last.json")
        return None if last is None else self._recorded(f"recipes/{last['recipe']}.json")

    def runs(self) -> list[RunRecord]:
        """Of every recipe its last run."""
        names = [name for name in self.names("recipes") if name.endswith(".json") and name != "last.json"]
        return [run for name in names if (run := self._recorded(f"recipes/{name}"))]

    def _recorded(self, name: str) -> RunRecord | None:
        """A run, with the names of now.

        Raises:
            UsageError: for one of before the field's words: nothing of the corpus would be found by its names.
        """
        if (found := self.load(name)) is None:
            return None
        run = RunRecord.of(found)
        if old := old_names(
            [step.operator for step in run.steps], [table for step in run.steps for table in step.writes]
        ):
            raise UsageError(
                f"{self.root} was made by an earlier headset, with {', '.join(old)}; bring it to the names of now"
                f" first: headset migrate {self.root}"
            )
        return run

    def steps(self) -> list[StepRecord]:
        """The steps whose rows can be current: of the last run, and those of no recipe."""
        return [*(self.run.steps if self.run else []), *self.attached.values()]

    def attach(self, place: str, step: StepRecord) -> None:
        """Has the rows of a step that no recipe did count as current, where some of what it read is. It replaces the
        step that had its place.
        """
        self.save("steps.json", {name: asdict(one) for name, one in {**self.attached, place: step}.items()})
        for stale in ("attached", "_committed"):
            self.__dict__.pop(stale, None)

    @cached_property
    def attached(self) -> dict[str, StepRecord]:
        """The steps of no recipe, by what they make: a table of the whole corpus, or `<metric>@<maker>`."""
        found = {**(self.load(legacy.ATTACHED) or {}), **(self.load("steps.json") or {})}
        return {place: StepRecord(**step) for place, step in found.items()}

    @cached_property
    def _committed(self) -> dict[str, set[int]]:
        # The last steps first: what a run commits meanwhile is then never there without what it was made of.
        versions = [step.version for step in self.steps()][::-1]
        return dict(zip(versions, self._at_once(self.committed, versions), strict=True))

    # Small files. Names are relative to the root.

    def load(self, name: str) -> Any:
        """What a JSON file holds; None where there is none.

        Raises:
            StorageError: for a file that a power cut or a full disk left damaged, naming it.
        """
        if (content := self.storage.read(name)) is None:
            return None
        try:
            return json.loads(content)
        except ValueError:
            raise damaged(self.root, name, "it holds no JSON") from None

    def save(self, name: str, value: Any) -> None:
        """Writes a JSON file, whole or not at all."""
        self.storage.write(name, told(value))

    def put(self, name: str, content: Content) -> None:
        """Writes a file, whole or not at all."""
        self.storage.write(name, content)

    def text(self, name: str) -> str | None:
        """What a text file holds; None where there is none."""
        content = self.storage.read(name)
        return None if content is None else content.decode()

    def delete(self, name: str) -> None:
        """Removes a file; says nothing where there is none."""
        self.storage.delete(name)

    def names(self, folder: str, folders: bool = False) -> list[str]:
        """The files of a folder, or the folders in it, sorted; none where there is no such folder."""
        return self.storage.names(folder, folders=folders)

    @property
    def is_local(self) -> bool:
        return self.storage.is_local

    def _at_once(self, what: Callable[[Any], T], of: Iterable[Any]) -> list[T]:
        return list(self.storage.at_once(what, of))


def note(kind: str, step: str, shard: int) -> str:
    """Where a receipt or a retry lies."""
    return f"{kind}/{step}/{shard:05d}.json"


def _shards(names: Iterable[str]) -> list[int]:
    return [int(stem) for name in names if name.endswith(".json") and (stem := name.removesuffix(".json")).isdigit()]
