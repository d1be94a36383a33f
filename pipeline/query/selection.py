# ruff: noqa: S608 - the queries are of this file and of the user, over tables that DuckDB cannot change
"""Selections: clips chosen from a corpus by a query over `wide`, under a name, with a version of its own for each outcome.

    <root>/selections/<name>/<version>.parquet   the clips, sorted by id, with the values that they were chosen by
    <root>/selections/<name>/<version>.json      the query, and of what it was the next version
    <root>/selections/<name>/current.json        which version the name stands for

Nothing is computed or rendered again: a selection only names rows. The version is a hash of the query and the clips, so the
same query on the same corpus is the same version.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.query.clip_view import Column, opened, plainly, see_wide

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
VERSION_DIGITS = 12
STEPS = 10  # of a curve: its thresholds are the deciles of what there is
TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "="}
COMPARED = {
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
}


@dataclass(frozen=True)
class Selection:
    """What is kept of a selection beside its clips."""

    name: str
    version: str
    where: str  # as DuckDB writes it
    clips: int
    seconds: float
    parent: str  # the version that the name stood for before; "" for the first
    made_at: str  # UTC, ISO 8601
    columns: list[str]  # that the query names, kept with the clips
    taken_down: int = 0  # clips that were taken out since, by `headset takedown`

    @property
    def file(self) -> str:
        return f"selections/{self.name}/{self.version}.parquet"

    def told(self) -> str:
        gone = f", {self.taken_down} taken down since" if self.taken_down else ""
        return f"{self.name}:{self.version}  {self.clips} clips, {self.seconds / 3600:.2f} h{gone}"


@dataclass(frozen=True)
class Predicate:
    """One of the conditions that a query joins by AND."""

    text: str
    column: str = ""  # where it compares a column with a number
    sign: str = ""  # > >= < <=
    threshold: float = 0.0


@dataclass(frozen=True)
class Point:
    """How much survives a threshold: by itself, and where all other predicates hold."""

    threshold: float
    clips: int
    seconds: float
    joint_clips: int
    joint_seconds: float


@dataclass(frozen=True)
class Cut:
    """What one predicate costs."""

    predicate: str
    column: str
    sign: str
    threshold: float
    clips: int  # that survive it, alone
    seconds: float
    unknown: int  # clips for which it can be neither true nor false: they have no value
    joint_cost: int  # clips that survive all other predicates, and fall to this one
    joint_cost_seconds: float
    curve: list[Point]


@dataclass(frozen=True)
class Yield:
    """What is left of a corpus, and what each predicate costs; those that cost most come first."""

    clips: int
    seconds: float
    left_clips: int
    left_seconds: float
    cuts: list[Cut]


def predicates(where: str) -> list[Predicate]:
    """The conditions of a query, as DuckDB writes them. BETWEEN is two.

    Raises:
        UsageError: for what is no condition in SQL.
    """
    import duckdb

    connection = duckdb.connect()

    def text_of(tree: dict[str, Any]) -> str:
        parsed["statements"][0]["node"]["where_clause"] = tree
        return connection.execute("select json_deserialize_sql(?)", [json.dumps(parsed)]).fetchall()[0][0].split(" WHERE ", 1)[1]

    def conditions(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if tree["type"] == "CONJUNCTION_AND":
            for child in tree["children"]:
                yield from conditions(child)
        elif tree["type"] == "COMPARE_BETWEEN":
            for sign, side in (("COMPARE_GREATERTHANOREQUALTO", "lower"), ("COMPARE_LESSTHANOREQUALTO", "upper")):
                yield {"class": "COMPARISON", "type": sign, "alias": "", "left": tree["input"], "right": tree[side]}
        else:
            yield tree

    def number(tree: dict[str, Any]) -> float | None:
        if tree["class"] == "COLUMN_REF":
            return None
        try:
            return float(connection.execute(f"select {_unwrapped(text_of(tree))}").fetchall()[0][0])
        except (duckdb.Error, TypeError, ValueError):
            return None

    def predicate(tree: dict[str, Any]) -> Predicate:
        text = _unwrapped(text_of(tree))
        if (sign := COMPARED.get(tree["type"])) is None:
            return Predicate(text)
        left, right = tree["left"], tree["right"]
        if left["class"] != "COLUMN_REF":
            left, right, sign = right, left, TURNED[sign]
        if left["class"] != "COLUMN_REF" or (threshold := number(right)) is None:
            return Predicate(text)
        return Predicate(text, left["column_names"][-1], sign, threshold)

    parsed = json.loads(connection.execute("select json_serialize_sql(?)", [f"select 1 from wide where ({where}\n)"]).fetchall()[0][0])
    if parsed["error"] or len(parsed["statements"]) != 1 or parsed["statements"][0]["node"].get("where_clause") is None:
        said = parsed.get("error_message", "it holds more than a condition")
        raise UsageError(f'--where {where!r} is no condition in SQL: {said}; write for example "dnsmos_ovrl > 3 and seconds >= 4"')
    return [predicate(tree) for tree in conditions(parsed["statements"][0]["node"]["where_clause"])]


def _unwrapped(text: str) -> str:
    """Without the outer pair of brackets that DuckDB writes round a condition."""
    if not text.startswith("("):
        return text
    depth = 0
    quoted = False
    for place, letter in enumerate(text):
        quoted ^= letter == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and letter == ")" and not quoted:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def normal(where: str) -> str:
    """A query as DuckDB writes it: however it was spaced, it is the same."""
    return " AND ".join(f"({predicate.text})" for predicate in predicates(where))


def _asked(manifest: Manifest, query: str, *mentioned: str) -> tuple[Any, dict[str, Column]]:
    connection = opened()
    return connection, see_wide(manifest, connection, " ".join([query, *mentioned]))


def _named(known: dict[str, Column], where: str) -> list[str]:
    words = {word.lower() for word in re.findall(r"\w+", where)}
    return [name for name in known if name.lower() in words and name not in ("clip_id", "source_id", "seconds")]


def _run(what: Any, query: str, known: dict[str, Column]) -> Any:
    """
    Raises:
        UsageError: with the columns there are, and those that were perhaps meant.
    """
    import duckdb

    try:
        return what(query)
    except duckdb.Error as error:
        raise UsageError(plainly(error, known)) from None


def select(manifest: Manifest, where: str, name: str) -> tuple[Selection, bool]:
    """Chooses the clips for which a condition on the columns of `wide` is true, and keeps them under a name.

    Returns:
        The selection, and whether it is new: the same query on the same corpus is the same version, and writes nothing.

    Raises:
        UsageError: for a name or a condition that cannot be, with what can.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a selection: use letters, digits, - and _")
    text = normal(where)
    connection, known = _asked(manifest, text, "seconds")
    chosen = _named(known, text)
    shown = ", ".join(["source_id", "clip_id", "seconds", *(f'"{column}"' for column in chosen)])
    rows = _run(connection.sql, f"select {shown} from wide where {text} order by clip_id", known)
    seen, clips, seconds = hashlib.sha256(f"{text}\n".encode()), 0, 0.0
    sink = pa.BufferOutputStream()
    with (
        _run(lambda _: rows.to_arrow_reader(65536), "", known) as reader,
        pq.ParquetWriter(sink, reader.schema, compression="zstd") as writer,
    ):
        for batch in reader:
            seen.update("".join(f"{clip}\n" for clip in batch["clip_id"].to_pylist()).encode())
            clips += batch.num_rows
            seconds += sum(batch["seconds"].to_pylist())
            writer.write_batch(batch)
    version = seen.hexdigest()[:VERSION_DIGITS]
    current = manifest.load(f"selections/{name}/current.json")
    if (before := manifest.load(f"selections/{name}/{version}.json")) is not None:
        if current != {"version": version}:
            manifest.save(f"selections/{name}/current.json", {"version": version})
        return Selection(**before), False
    parent = current["version"] if current else ""
    found = Selection(name, version, text, clips, seconds, parent, datetime.now(UTC).isoformat(timespec="seconds"), chosen)
    manifest.put(found.file, sink.getvalue())
    manifest.save(f"selections/{name}/{version}.json", asdict(found))
    manifest.save(f"selections/{name}/current.json", {"version": version})
    return found, True


def selections(manifest: Manifest) -> list[Selection]:
    """All versions of all selections of a corpus, by name and time."""
    found = [
        Selection(**manifest.load(f"selections/{name}/{file}"))
        for name in manifest.names("selections", folders=True)
        for file in manifest.names(f"selections/{name}")
        if file.endswith(".json") and file != "current.json"
    ]
    return sorted(found, key=lambda one: (one.name, one.made_at, one.version))


def selection(manifest: Manifest, reference: str) -> Selection:
    """A selection by `name`, or by `name:version`, of which some first digits will do.

    Raises:
        UsageError: for one that is not there, with those that are.
    """
    name, _, version = reference.removeprefix("@").partition(":")
    if NAME.fullmatch(name) and not version and (current := manifest.load(f"selections/{name}/current.json")):
        version = current["version"]
    there = selections(manifest)
    found = [one for one in there if one.name == name and version and one.version.startswith(version)]
    if len(found) != 1:
        known = ", ".join(f"{one.name}:{one.version}" for one in there) or "none yet; `headset select` makes one"
        raise UsageError(f"{manifest.root} has {'no' if not found else 'more than one'} selection {reference!r}; it has {known}")
    return found[0]


def yields(manifest: Manifest, where: str, metric: str = "") -> Yield:
    """What each predicate of a condition costs, alone and jointly, and how that changes with its threshold.

    Args:
        metric: a column to draw the curve of besides, as if the condition held `metric >=` its least value too.

    Raises:
        UsageError: for a condition that cannot be, with the columns there are.
    """
    parts = predicates(where) if where else []
    if metric:
        parts.append(Predicate("", metric, ">=", float("-inf")))
    tests = [f"({part.text})" if part.threshold != float("-inf") else "true" for part in parts]
    swept = [number for number, part in enumerate(parts) if part.column]
    connection, known = _asked(manifest, " ".join(tests), "seconds", metric)
    shown = ["seconds"]
    shown += [f"{test} as p{number}" for number, test in enumerate(tests)]
    shown += [f'cast("{parts[number].column}" as double) as v{number}' for number in swept]
    _run(connection.execute, f"create temp table rows as select {', '.join(shown)} from wide", known)
    true = [f"coalesce(p{number}, false)" for number in range(len(parts))]
    others = [" and ".join([test for other, test in enumerate(true) if other != number] or ["true"]) for number in range(len(parts))]
    every = " and ".join(true or ["true"])
    points: dict[int, list[float]] = {}
    shares = ", ".join(str(step / STEPS) for step in range(STEPS + 1))
    for number in swept:
        found = connection.execute(f"select quantile_disc(v{number}, [{shares}]) from rows").fetchall()[0][0] or []
        own = [] if parts[number].threshold == float("-inf") else [parts[number].threshold]
        points[number] = sorted({float(value) for value in found} | set(own))

    def count(condition: str) -> list[str]:
        return [f"count(*) filter (where {condition})", f"coalesce(sum(seconds) filter (where {condition}), 0)"]

    asked = count("true") + count(every)
    for number, (test, other) in enumerate(zip(true, others, strict=True)):
        asked += [*count(test), f"count(*) filter (where p{number} is null)", *count(f"{other} and not {test}")]
    answers = iter(connection.execute(f"select {', '.join(asked)} from rows").fetchall()[0])
    clips, seconds, left_clips, left_seconds = (next(answers) for _ in range(4))
    cuts = []
    for number, part in enumerate(parts):
        alone, alone_s, unknown, cost, cost_s = (next(answers) for _ in range(5))
        curve: list[Point] = []
        if at := points.get(number, []):
            # Each clip falls between two thresholds; what survives one is the sum of what lies on its right side.
            passed = " + ".join(f"(v{number} {part.sign} {threshold!r})::int" for threshold in at)
            query = f"select {passed} as passed, {', '.join(count('true') + count(others[number]))} from rows where v{number} is not null group by 1"
            bins = connection.execute(query).fetchall()
            for rank, threshold in enumerate(at, 1):
                needed = rank if part.sign.startswith(">") else len(at) - rank + 1  # thresholds that a clip passes if it passes this one
                curve.append(Point(threshold, *(sum(found[column] for found in bins if found[0] >= needed) for column in range(1, 5))))
        cuts.append(Cut(part.text, part.column, part.sign, part.threshold, alone, alone_s, unknown, cost, cost_s, curve))
    cuts.sort(key=lambda cut: (-cut.joint_cost, cut.clips, cut.predicate))
    return Yield(clips, seconds, left_clips, left_seconds, cuts)


def draw_yield(found: Yield, out: Any) -> None:
    """Draws a panel a curve: hours that survive each threshold, alone and where all other predicates hold.

    Raises:
        UsageError: where no predicate compares a column with a number.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    curves = [cut for cut in found.cuts if cut.curve]
    if not curves:
        raise UsageError("nothing to draw: no predicate compares a column that has values with a number")
    figure, axes = plt.subplots(1, len(curves), figsize=(4.2 * len(curves), 3.4), dpi=110, squeeze=False)
    for panel, cut in zip(axes[0], curves, strict=True):
        at = [point.threshold for point in cut.curve]
        panel.plot(at, [point.seconds / 3600 for point in cut.curve], color="#9a9a9a", marker=".", label="this cut alone")
        panel.plot(at, [point.joint_seconds / 3600 for point in cut.curve], color="#3a9d5d", marker=".", label="with all others")
        if cut.threshold != float("-inf"):
            panel.axvline(cut.threshold, color="#c0392b", linewidth=1)
        panel.set_xlabel(f"{cut.column} {cut.sign}")
        panel.set_ylim(bottom=0)
    axes[0][0].set_ylabel("hours left")
    axes[0][0].legend(fontsize=8, frameon=False)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)
    plt.close(figure)
