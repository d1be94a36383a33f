# ruff: noqa: S608 - the queries are of this file and of the user, over tables that DuckDB cannot change
"""One wide view over the current rows: a row a clip, and all that is known of it in columns, to select by in SQL.

The view `wide` is made for a query: it joins only the tables, and pivots only the scores, whose columns the query
names. DuckDB streams the Parquet files, and puts on disk what does not fit into its memory, so a million clips take no
more than ten thousand.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Annotation, Clip, Duplicate, Published, Review, Row, Score, Split, tables
from pipeline.query.database import connect

PART_CLIPS = 50_000  # that are made wide at a time where all columns are asked for
RECORDING = "@recording"  # what the id of a clip's own render ends with
FACE_WIDTH = "face_width_px"  # of ScoreFace: the median width of the face, in pixels of the source
_SOURCE = ("uri", "channel", "language", "licence", "title", "uploaded_on")  # facts of the source that keep their name
_SOURCE_FACTS = (
    "sha256",
    "width",
    "height",
    "fps",
    "variable_fps",
    "video_codec",
    "audio_codec",
    "audio_hz",
    "audio_channels",
)
_RENDER = ("media", "frames", "fps", "width", "height", "bytes", "frames_sha256", "encoder")


@dataclass(frozen=True)
class Column:
    """A column of `wide`, and where its values come from."""

    name: str
    part: str  # the table it is joined from
    value: str  # the SQL of its value in that part
    where: str = ""  # the SQL of the rows it is made of, where the part is turned from rows to columns


def see_tables(manifest: Manifest, connection: Any, names: Iterable[str], shards: Iterable[int] | None = None) -> None:
    """Has DuckDB see the current rows of these tables by their names, without loading them: of some shards, or of
    all.
    """
    there = manifest.shards() if shards is None else list(shards)
    for name in tables().keys() & set(names):
        connection.register(name, manifest.dataset(tables()[name], there))


def columns(manifest: Manifest) -> dict[str, Column]:
    """The columns that `wide` has for a corpus, by name. What a score or an annotation is called depends on the corpus.

    A metric is a column of its own name; where it has several variants, or protocols, each is one: `lse_c_syncnet_v2`.
    What an operator measured of the clip itself keeps the metric's name when renders are scored by another variant.
    """
    found = [Column(f.name, "clips", f'clips."{f.name}"') for f in fields(Clip)]
    found.append(Column("seconds", "clips", "clips.end_s - clips.start_s"))
    found += [Column(name, "sources", f'sources."{name}"') for name in _SOURCE]
    found += [Column(f"source_{name}", "sources", f'sources."{name}"') for name in _SOURCE_FACTS]
    found.append(Column("source_seconds", "sources", "sources.end_s - sources.start_s"))
    found += [Column(name, "renders", f'renders."{name}"') for name in _RENDER]
    found.append(Column("media_sha256", "renders", "renders.sha256"))
    if manifest.whole(Split):
        found += [Column(name, "splits", f'splits."{name}"') for name in ("split", "group_id")]
    if manifest.files(Published):
        found += [Column(name, "published", f'published."{name}"') for name in ("identity", "dataset")]
        found += [Column(f"published_{name}", "published", f'published."{name}"') for name in ("name", "split")]
    if manifest.whole(Duplicate):
        found.append(Column("duplicate_of", "duplicates", "duplicates.duplicate_of"))
    if manifest.whole(Review):
        found += [Column(name, "reviews", f"reviews.{name}") for name in ("review", "review_reason")]
    known = {column.name.lower(): column for column in found}
    for column in [*_scores(manifest), *_annotations(manifest)]:
        name = column.name
        while name.lower() in known:
            name = f"{column.part.removesuffix('s')}_{name}"
        known[name.lower()] = replace(column, name=name)
    if FACE_WIDTH in known:
        known["face_px"] = replace(known[FACE_WIDTH], name="face_px")
    return {column.name: column for column in known.values()}


def _scores(manifest: Manifest) -> list[Column]:
    kinds = _distinct(manifest, Score, ("metric", "variant", "protocol"))
    found = []
    for metric, variant, protocol in kinds:
        variants = {other[1] for other in kinds if other[0] == metric}
        protocols = {other[2] for other in kinds if other[:2] == (metric, variant)}
        of_clips = [other for other in kinds if other[0] == metric and not other[2]]  # renders have a protocol
        name, test = metric, f"metric = {_text(metric)}"
        if of_clips == [(metric, variant, protocol)] and len(variants) > 1:
            test = f"{test} and variant = {_text(variant)}"
        elif len(variants) > 1:
            name, test = f"{name}_{variant}", f"{test} and variant = {_text(variant)}"
        if len(protocols) > 1:
            name, test = f"{name}_{protocol}", f"{test} and protocol = {_text(protocol)}"
        found.append(Column(_word(name), "scores", f"max(value) filter (where {test})", test))
    return found


def _distinct(manifest: Manifest, table: type[Row], names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The combinations of values in some columns, sorted; "" for a column that a file of an older schema has not."""
    found: set[tuple[str, ...]] = set()
    for rows in manifest.parquets(manifest.files(table), names):
        there = [name for name in names if name in rows.schema.names]
        kinds = (
            rows.to_table(columns=there, use_threads=False)
            .unify_dictionaries()
            .group_by(there)
            .aggregate([])
            .to_pylist()
        )
        found |= {tuple(kind.get(name, "") for name in names) for kind in kinds}
    return sorted(found)


def _annotations(manifest: Manifest) -> list[Column]:
    names = _distinct(manifest, Annotation, ("name",))
    several = "string_agg(distinct value, ', ' order by value)"
    tests = {name: f"name = {_text(name)}" for (name,) in names}
    return [
        Column(_word(name), "annotations", f"{several} filter (where {test})", test) for name, test in tests.items()
    ]


def see_wide(
    manifest: Manifest,
    connection: Any,
    query: str,
    known: dict[str, Column] | None = None,
    shards: Iterable[int] | None = None,
) -> dict[str, Column]:
    """Makes the view `wide`, with the columns that a query names; with all where it says `*`. Returns all there could
    be.

    The tables that the query names are there too.
    """
    known = known or columns(manifest)
    words = _words(query)
    everything = "*" in re.sub(r"count\s*\(\s*\*\s*\)", "", query, flags=re.IGNORECASE) or bool(words & _ALL)
    chosen = [
        column
        for name, column in known.items()
        if everything or name.lower() in words or name in ("clip_id", "source_id")
    ]
    see_tables(manifest, connection, {*words, Clip.table, *(column.part for column in chosen)}, shards)
    connection.execute(f"create or replace temp view wide as {_wide(chosen)}")
    return known


def view_sql(manifest: Manifest) -> str:
    """The SELECT of `wide` with all its columns, over the tables by their names."""
    return _wide(list(columns(manifest).values()))


_ALL = {"describe", "desc", "show", "summarize", "columns"}  # words of SQL that mean all columns, and all tables


def _words(query: str) -> set[str]:
    return {word.lower() for word in re.findall(r"\w+", query)}


def _wide(chosen: list[Column]) -> str:
    by_part: dict[str, list[Column]] = {}
    for column in chosen:
        by_part.setdefault(column.part, []).append(column)
    shown = [f'{column.value} as "{column.name}"' for column in chosen if column.part not in ("scores", "annotations")]
    joins = ""
    if "sources" in by_part:
        joins += " left join sources on sources.source_id = clips.source_id"
    if "renders" in by_part:
        joins += (
            " left join (select * from renders where made_by = 'recording') as renders on renders.clip_id ="
            " clips.clip_id"
        )
    if "reviews" in by_part:
        joins += f" left join ({_REVIEWS}) as reviews on reviews.clip_id = clips.clip_id"
    for part, on in (("splits", "clip_id"), ("duplicates", "source_id"), ("published", "published_id")):
        if part in by_part:
            joins += f" left join {part} on {part}.{on} = clips.{on}"
    for part, rows in _SUBJECTS.items():
        if wanted := by_part.get(part):
            values = ", ".join(f'{column.value} as "{column.name}"' for column in wanted)
            only = " or ".join(dict.fromkeys(column.where for column in wanted))
            joins += f" left join (select of_clip, {values} from ({rows}) where {only} group by 1) as {part}"
            joins += f" on {part}.of_clip = clips.clip_id"
            shown += [f'{part}."{column.name}"' for column in wanted]
    return f"select {', '.join(shown)} from clips{joins}"


_SUBJECTS = {
    # A clip is judged by its own scores and by those of its recording.
    "scores": (
        f"""select case when ends_with(subject, '{RECORDING}') then left(subject, -{len(RECORDING)}) else subject end as
        of_clip, metric, variant, coalesce(protocol, '') as protocol, value from scores
        """
    ),
    # What a list says of a published clip is said of the clip that was made from it; what is said of a part, of
    # neither.
    "annotations": (
        """select coalesce(made.clip_id, subject) as of_clip, name, value from annotations
        left join (select clip_id, published_id from clips where published_id != '') as made on made.published_id =
        subject where annotations.start_s is null
        """
    ),
}


# Where reviewers do not agree, nobody's word counts for the clip.
_REVIEWS = """select clip_id, if(count(distinct verdict) = 1, min(verdict), 'disputed') as review,
    string_agg(distinct nullif(reason, ''), '; ' order by nullif(reason, '')) as review_reason
    from reviews group by clip_id"""


def lay_down(manifest: Manifest, path: Path, query: str = "select * from wide") -> dict[str, Column]:
    """Writes what a query over `wide` gives into a Parquet file, some shards at a time, so that memory does not grow
    with the corpus.

    A shard holds its sources whole, so a clip's row depends on its own shard; the query must not compare one clip with
    another. Returns the columns that `wide` has.
    """
    import pyarrow.parquet as pq

    known, writer = columns(manifest), None
    for shards in _parts(manifest):
        connection = connect()
        see_wide(manifest, connection, query, known, shards)
        rows = connection.sql(query).to_arrow_table()
        writer = writer or pq.ParquetWriter(path, rows.schema, compression="zstd")
        writer.write_table(rows, row_group_size=PART_CLIPS)
        connection.close()
    if writer:
        writer.close()
    return known


def _parts(manifest: Manifest) -> Iterator[list[int]]:
    """The shards, in parts of about `PART_CLIPS` clips; one part at least."""
    part: list[int] = []
    clips = 0
    for shard in manifest.shards():
        clips += sum(manifest.count(Clip, step, shard) for step in manifest.current(shard).get(Clip.table, []))
        part.append(shard)
        if clips >= PART_CLIPS:
            yield part
            part, clips = [], 0
    if part:
        yield part


def plainly(error: Any, known: dict[str, Column]) -> str:
    """What DuckDB says against a query, in a line or two, with the columns that were perhaps meant."""
    text = str(error).split("\n\n")[0].splitlines()
    said = re.sub(r"^\w+( \w+)* Error: ", "", text[0])
    missing = re.search(r'[Cc]olumn "([^"]+)"', said)
    if not missing or missing[1] in known:
        return said
    near = (
        difflib.get_close_matches(missing[1], known, 3, 0.5)
        or [name for name in known if missing[1].lower() in name.lower()][:3]
    )
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"no column {missing[1]!r}{meant}\nColumns: {', '.join(known)}"


def view_for(manifest: Manifest, query: str, *mentioned: str) -> tuple[Any, dict[str, Column]]:
    """A connection that sees the view `wide` with what a query and some words name, and all columns there could be."""
    connection = connect()
    return connection, see_wide(manifest, connection, " ".join([query, *mentioned]))


def run_plainly(what: Any, query: str, known: dict[str, Column]) -> Any:
    """Runs a query of the user.

    Raises:
        UsageError: with the columns there are, and those that were perhaps meant.
    """
    import duckdb

    try:
        return what(query)
    except duckdb.Error as error:
        raise UsageError(plainly(error, known)) from None


def select_rows(manifest: Manifest, query: str, *, files: bool = False) -> Any:
    """What a query over `wide` and the tables gives, as DuckDB's relation.

    Args:
        files: whether the query may read and write files.

    Raises:
        UsageError: when the query cannot run, with the columns there are.
    """
    return relation_of(*connection_for(manifest, query, files=files), query)


def connection_for(manifest: Manifest, query: str, *, files: bool = False) -> tuple[Any, dict[str, Column]]:
    """A connection that sees what a query names, and the columns of `wide`; none where that is not named."""
    connection = connect(files=files)
    words = _words(query)
    see_tables(manifest, connection, tables() if words & _ALL else words)
    known = see_wide(manifest, connection, query if "select" in words else "*") if "wide" in words else {}
    return connection, known


def relation_of(connection: Any, known: dict[str, Column], query: str) -> Any:
    """What a query gives, as DuckDB's relation; None where it gives no rows.

    Raises:
        UsageError: when the query cannot run, with the columns there are.
    """
    import duckdb

    try:
        return connection.sql(query)
    except duckdb.PermissionException as error:
        said = str(error).splitlines()[0].removeprefix("Permission Error: ")
        raise UsageError(
            f"{said}: a query sees the tables alone; give --files to let it read and write files"
        ) from None
    except duckdb.Error as error:
        raise UsageError(plainly(error, known) if known else f"{error}\nTables: wide, {', '.join(tables())}") from None


def _word(text: str) -> str:
    """A name that needs no quotes in SQL."""
    word = re.sub(r"\W+", "_", text).strip("_")
    return f"_{word}" if word[:1].isdigit() else word


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"
