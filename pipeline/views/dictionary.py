"""What every column holds: the tables, and the columns of the clip view, from the code that defines them.

A column's meaning is the comment behind its field in `manifests/tables.py`, else what a column of that name always
holds; a score's is the `Measure` of its operator.
"""

import ast
import importlib
import inspect
import io
import pkgutil
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import manifests.tables
import operators
from manifests.manifest import Manifest
from manifests.tables import Row, Score, schema, tables
from operators.base import Measure, Operator
from operators.reasons import REASONS
from pipeline.views.facts import BLANK, Cell, Fact, Grid, Line, Part

UNITS = {
    "s": "s",
    "ms": "ms",
    "px": "px",
    "hz": "Hz",
    "deg": "deg",
    "fps": "1/s",
    "bytes": "bytes",
    "seconds": "s",
    "share": "",
    "cosine": "",
}
ALIASES = {"review": "verdict"}  # columns of the clip view that are called otherwise in their table
VIEW = "wide"  # the clip view's name in SQL
NONE = "no such corpus"  # a corpus without rows: its clip view has the columns that each one has
USUAL = {  # what a column of this name holds in every table that has no other word for it
    "source_id": "the source that the row comes from",
    "shot_id": "the shot that it lies in",
    "track_id": "the face that it is about",
    "turn_id": "the turn that it is a part of",
    "clip_id": "the clip that it is about",
    "speaker": "the voice: speaker0, speaker1 ... in the order of first speech, within the source",
    "start_s": "where the span begins",
    "end_s": "where the span ends; what is there is not in it",
    "pts_s": "presentation time of the frame",
    "times_s": "presentation times of the frames looked at",
    "left_px": "left edge of the box, in pixels of the displayed source frame",
    "top_px": "its upper edge",
    "right_px": "its right edge",
    "bottom_px": "its lower edge",
    "confidence": "how sure the model is, 0 to 1",
    "fps": "frames a second",
    "width": "displayed pixels, after rotation",
    "height": "the same, upwards",
    "frames": "how many there are",
    "duration_s": "its length",
    "bytes": "size of the file",
    "sha256": "of the file",
    "model": "that says so",
    "metric": "what was measured: `headset columns --of wide` describes each",
    "variant": "which of its definitions",
    "value": "the number, or the word",
    "name": "what it is called",
    "seconds": "its length",
    "split": "train, validation or test",
    "operator": "the step that says so",
    "reason": "a word to count by: `headset reasons`",
    "detail": "the numbers behind the reason; of a failure its error",
    "failed": "an error, and no answer",
    "retryable": "whether another try may end otherwise",
    "subject": "the id of the row that it is about",
    "subject_table": "the table of that row",
    "text": "the words",
    "kind": "what kind it is",
    "uri": "as listed: a path, or an address",
    "face_px": "face_width_px: median width of the face, in the source",
    "source_seconds": "length of the source",
    "media_sha256": "of the render's file",
    "container": "of the file, as FFmpeg names it",
    "video_codec": "as FFmpeg names it; empty where there is no picture",
    "audio_codec": "as FFmpeg names it; empty where there is no sound",
    "pixel_format": "as FFmpeg names it",
    "audio_hz": "samples a second",
    "audio_channels": "how many there are",
    "audio_start_s": "of the first sample",
    "audio_end_s": "behind the last sample",
    "licence": "as the list or the site states it",
    "channel": "who uploaded it, as the site says",
    "language": "as the site codes it",
    "description": "as the site has it",
    "title": "as the site has it",
    "step_s": "from one value to the next",
    "seen": "whether the face was found in this look",
    "side_px": "its width and height",
    "gaze_pitch_deg": "where the eyes look, up and down; positive is up",
    "dataset": "the published dataset",
    "left": "left edge of the box, in the list's own frame",
    "top": "its upper edge",
    "right": "its right edge",
    "bottom": "its lower edge",
    "review": "keep, reject or flag, as its reviewers say; disputed where they do not agree",
    "review_reason": "the reviewers' reasons, in their words",
    "rows": "of the matrix in `values`",
    "columns": "of the matrix in `values`",
    "model_sha256": "of the weights that gave it",
}


@dataclass(frozen=True)
class ColumnTold:
    """One column."""

    table: str
    name: str
    type: str  # as Arrow names it
    unit: str  # "" for words, shares, ratios and numbers of something
    range: str  # "" where nothing bounds it
    better: str  # of a score: higher, lower, or "" where neither is
    meaning: str


@dataclass(frozen=True)
class Dictionary(Fact):
    """All columns, table by table."""

    tables: dict[str, str]  # by name what a row is
    columns: tuple[ColumnTold, ...]

    def parts(self) -> Iterator[Part]:
        for table, what in self.tables.items():
            rows = [one for one in self.columns if one.table == table]
            yield Line.of(Cell(table, "strong"), f"  {what}")
            names = ("  column", "type", "unit", "range", "better", "meaning")
            yield Grid.of(
                names,
                (
                    [f"  {one.name}", Cell(one.type, "quiet"), one.unit, one.range, one.better, one.meaning]
                    for one in rows
                ),
            )
            yield BLANK

    def markdown(self) -> str:
        """The page of the docs."""
        lines = [
            "# Every column",
            "",
            (
                "Made from the code by `headset columns --out FILE`. Times are seconds on the source's own clock, spans"
                " are half-open."
            ),
            "",
        ]
        for table, what in self.tables.items():
            lines += [
                f"## {table}",
                "",
                what,
                "",
                "| column | type | unit | range | better | meaning |",
                "|---|---|---|---|---|---|",
            ]
            for one in self.columns:
                if one.table == table:
                    cells = f"`{one.name}`", one.type, one.unit, one.range, one.better, one.meaning
                    lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
            lines.append("")
        return "\n".join(lines).rstrip() + "\n"


def dictionary(manifest: Manifest | None = None, wanted: str = "") -> Dictionary:
    """The columns of all tables and of the clip view.

    Args:
        manifest: a corpus, whose clip view has the scores that were made in it; None for all scores that there are.
        wanted: only the table of this name, or the columns whose name holds this text.
    """
    told = {table.table: _first_line(table) for table in tables().values()}
    told[VIEW] = "A row a clip, with all that is known of it: the view that select, yield and sql choose by."
    found = [column for table in tables().values() for column in _columns(table)] + _clip_view(manifest)
    kept = [one for one in found if not wanted or one.table == wanted] or [one for one in found if wanted in one.name]
    return Dictionary(
        {name: what for name, what in told.items() if any(one.table == name for one in kept)}, tuple(kept)
    )


def _columns(table: type[Row]) -> Iterator[ColumnTold]:
    comments = _comments()
    for field in schema(table):
        meaning = comments.get((table.__name__, field.name)) or USUAL.get(field.name, "")
        kind = f"list of {field.type.value_type}" if hasattr(field.type, "value_type") else str(field.type)
        yield ColumnTold(
            table.table,
            field.name,
            kind + (" or null" if field.nullable else ""),
            _unit(field.name),
            _range(field.name, meaning),
            "",
            meaning,
        )


def _unit(name: str) -> str:
    return UNITS.get(name.rsplit("_", 1)[-1], "")


def _range(name: str, meaning: str) -> str:
    """As the comment says it: `0 to 1`, `-1 to 1`, `0 to 255`."""
    found = re.search(r"(?<![\w.])(-?\d+(?:\.\d+)?) to (-?\d+(?:\.\d+)?)(?![\w.]*\d)", meaning)
    return found[0] if found else "0 to 1" if name.endswith("_share") else ""


def _first_line(table: type[Row]) -> str:
    return " ".join((inspect.getdoc(table) or "").partition("\n\n")[0].split())


@cache
def _comments() -> dict[tuple[str, str], str]:
    """By class and field of `manifests/tables.py` the comment behind the field, or the lines of comment above it."""
    text = inspect.getsource(manifests.tables)
    found = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT]
    alone = {token.start[0] for token in found if token.line.lstrip().startswith("#")}
    told = {token.start[0]: token.string.lstrip("# ") for token in found}

    def of(field: ast.AnnAssign) -> str:
        if behind := [told[line] for line in range(field.lineno, (field.end_lineno or 0) + 1) if line in told]:
            return " ".join(behind)
        first = field.lineno
        while first - 1 in alone:
            first -= 1
        return " ".join(told[line] for line in range(first, field.lineno))

    return {
        (node.name, field.target.id): of(field)
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


@cache
def measures() -> dict[str, Measure]:
    """Every score of a clip that some operator gives, by metric."""
    found: dict[str, Measure] = {}
    for module in pkgutil.walk_packages(operators.__path__, "operators."):
        if not module.ispkg and not module.name.startswith(("operators.models.", "operators.media.")):
            for made in vars(importlib.import_module(module.name)).values():
                if isinstance(made, type) and issubclass(made, Operator):
                    found |= made.measures
    return found


def _clip_view(manifest: Manifest | None) -> list[ColumnTold]:
    from pipeline.query.clip_view import columns

    scores, found = measures(), []
    for name, column in columns(manifest or Manifest(NONE)).items():
        if column.part == Score.table and name != "face_px":
            metric = next(
                (one for one in sorted(scores, key=len, reverse=True) if name == one or name.startswith(f"{one}_")), ""
            )
            found.append(
                _score(name, scores.get(metric) or Measure("a score that no operator of this headset describes"))
            )
            continue
        own = {one.name: one for one in _columns(tables()[column.part])} if column.part in tables() else {}
        told = own.get(name) or own.get(name.partition("_")[2]) or own.get(ALIASES.get(name, ""))
        meaning = USUAL.get(name) or (told.meaning if told else f"of {column.part}")
        whose = "of the source: " if name.startswith("source_") and name not in USUAL else ""
        kind = told.type if told else "double"
        found.append(
            ColumnTold(VIEW, name, kind, told.unit if told else _unit(name), _range(name, meaning), "", whose + meaning)
        )
    there = {one.name for one in found}
    return found + [
        _score(name, measure) for name, measure in sorted(scores.items()) if manifest is None and name not in there
    ]


def _score(name: str, measure: Measure) -> ColumnTold:
    ends = ["" if end is None else f"{end:.3g}" for end in (measure.low, measure.high)]
    span = f"{ends[0]} to {ends[1]}" if all(ends) else f"{ends[0]} and up" if ends[0] else ""
    return ColumnTold(VIEW, name, "double", measure.unit, span, measure.better, measure.what)


@dataclass(frozen=True)
class ReasonTold:
    """One reason of `operators/reasons.py`."""

    word: str
    meaning: str
    change: str
    again: bool


@dataclass(frozen=True)
class Reasons(Fact):
    """Why rows are given up."""

    reasons: tuple[ReasonTold, ...]

    def parts(self) -> Iterator[Part]:
        names = ("reason", "meaning", "what to set or do", "another try")
        yield Grid.of(
            names,
            (
                [Cell(one.word, "warn"), one.meaning, one.change, "may end otherwise" if one.again else ""]
                for one in self.reasons
            ),
        )

    def markdown(self) -> str:
        """The page of the docs."""
        lines = ["# Every reason why a row is given up", "",
                 "Made from `operators/reasons.py` by `headset reasons --out FILE`. Counted by `headset status`;"
                 " the numbers behind",
                 "each drop are in its detail: `headset explain`. A reason that is the name of an error is a failure,"
                 " which may always be tried again.", "",
                 "| reason | meaning | what to set or do | another try |", "|---|---|---|---|"]  # fmt: skip
        for one in self.reasons:
            cells = f"`{one.word}`", one.meaning, one.change, "may end otherwise" if one.again else ""
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


def reasons(wanted: str = "") -> Reasons:
    """All reasons, or that of one word."""
    from operators.reasons import reason

    found = [known] if wanted and (known := reason(wanted)) else [one for one in REASONS.values() if wanted in one.word]
    return Reasons(tuple(ReasonTold(one.word, one.meaning, one.change, one.again) for one in found))
