"""What was given up, by reason, with examples to look at; and the funnel above it."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute

from manifests.manifest import Manifest
from manifests.tables import Dropped
from operators.reasons import reason
from pipeline.views.explorer.details import Details
from pipeline.views.explorer.posters import Picture, picture_at
from pipeline.views.funnel import funnel

pc: Any = pyarrow.compute  # its functions are made when it is imported, where no type checker sees them

EXAMPLES = 8  # of a reason
MOST_REASONS = 40  # the most frequent of them
TALL = 90  # pixels of an example's picture
WIDE = 160
_SPAN = re.compile(r"/(-?\d+)-(-?\d+)(?=[/@#]|$)")


@dataclass(frozen=True)
class Example:
    """A row that was given up, and where in its source it lies."""

    subject: str
    source_id: str
    detail: str
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True)
class Loss:
    """The rows of a table that one step gave up for one reason."""

    table: str
    operator: str
    reason: str
    failed: bool
    count: int
    examples: tuple[Example, ...]


def losses(manifest: Manifest) -> list[Loss]:
    """By table, step and reason what was given up, the most frequent first; examples are spread evenly."""
    rows = manifest.table(Dropped)
    counted = Counter(
        zip(*(rows[name].to_pylist() for name in ("subject_table", "operator", "reason", "failed")), strict=True)
    )
    found = []
    for (table, operator, word, failed), count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[
        :MOST_REASONS
    ]:
        mine = (pc.field("subject_table") == table) & (pc.field("operator") == operator) & (pc.field("reason") == word)
        some = rows.filter(mine & (pc.field("failed") == failed)).sort_by("drop_id")
        picks = some.take(np.linspace(0, len(some) - 1, min(EXAMPLES, len(some))).astype(int)).to_pylist()
        examples = tuple(
            Example(one["subject"], one["source_id"], one["detail"], *_span(one["subject"])) for one in picks
        )
        found.append(Loss(table, operator, word, failed, count, examples))
    return found


def _span(subject: str) -> tuple[float | None, float | None]:
    """The seconds that an id is the address of; the innermost where several spans are in it."""
    spans = _SPAN.findall(subject)
    return (int(spans[-1][0]) / 1000, int(spans[-1][1]) / 1000) if spans else (None, None)


def told(found: list[Loss], manifest: Manifest, details: Details) -> dict[str, Any]:
    """The losses and the funnel as the page reads them. Pictures of examples are in the order of the examples."""
    number, reasons = 0, []
    for loss in found:
        known = reason(loss.reason)
        examples = []
        for one in loss.examples:
            source = details.source(one.source_id)
            named = source or details.listed(one.source_id)
            where = {
                "uri": named.uri if named else "",
                "title": named.title if named else "",
                "file": details.places.source(source) if source else "",
            }
            examples.append(
                {
                    "subject": one.subject,
                    "detail": one.detail[:600],
                    "start": one.start_s,
                    "end": one.end_s,
                    "picture": number,
                    **where,
                }
            )
            number += 1
        meaning = {"meaning": known.meaning if known else "", "change": known.change if known else ""}
        counted = {"table": loss.table, "operator": loss.operator, "reason": loss.reason}
        reasons.append({**counted, "failed": loss.failed, "count": loss.count, **meaning, "examples": examples})
    return {"reasons": reasons, "funnel": funnel(manifest).to_json()}


def pictures(found: list[Loss], details: Details) -> list[Picture | None]:
    """A frame from the middle of each example, where its source is at hand."""
    made = []
    for one in (example for loss in found for example in loss.examples):
        source = details.source(one.source_id)
        path = details.path_of(source) if source else None
        middle = (
            (one.start_s + one.end_s) / 2
            if one.start_s is not None and one.end_s is not None
            else (source.start_s + source.end_s) / 2
            if source
            else 0.0
        )
        made.append(picture_at(path, middle, height=TALL))
    return made
