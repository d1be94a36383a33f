"""What people said of clips, from the file that the page of `headset explore` hands over, as the table `reviews`."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip, Review
from pipeline.corpus_steps.common import column_rows, digest, step_named

FORMAT = "headset reviews 1"
VERDICTS = ("keep", "reject", "flag")
MOST_REASON = 500  # letters of a reason
MOST_NAME = 64  # letters of a reviewer's name
VERSION = 1
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


@dataclass(frozen=True)
class Said:
    """A reviewer's word on a clip."""

    clip_id: str
    verdict: str  # of `VERDICTS`; "" takes back what was said before
    reason: str
    at: str  # UTC, ISO 8601


@dataclass(frozen=True)
class Outcome:
    """What came of an import."""

    verdicts: dict[str, int]  # that are new or other than before, by verdict
    taken_back: int
    as_before: int  # said before, or said otherwise since
    unknown: int  # of clips that the corpus does not hold
    table: dict[str, int]  # the verdicts of the whole table


def read_reviews(path: Path) -> tuple[str, list[Said]]:
    """The reviewer's name, "" where none is given, and what they said.

    Raises:
        UsageError: for a file that is none of reviews, naming what is wrong.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise UsageError(
            f"{path} is no JSON; it should be the file that the page of `headset explore` hands over"
        ) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("reviews"), list):
        raise UsageError(f'{path} holds no reviews: its "format" should be "{FORMAT}"')
    reviewer = _text(found, "reviewer", MOST_NAME, str(path))
    said = [_said(one, f"{path}: review {number}") for number, one in enumerate(found["reviews"], 1)]
    if twice := [clip for clip, times in Counter(one.clip_id for one in said).items() if times > 1]:
        raise UsageError(f"{path} says two things of {twice[0]!r}")
    return reviewer, said


def reviews_file(corpus: str, reviewer: str, said: Mapping[str, Any]) -> str:
    """The text of a file that `read_reviews` reads.

    Args:
        corpus: what tells it from others, see `fingerprint` of `pipeline/views/explorer/explorer.py`.
        said: by clip its verdict, reason and `at`.

    Raises:
        UsageError: for what is no review.
    """
    made = [vars(_said({**one, "clip_id": clip}, f"the review of {clip}")) for clip, one in sorted(said.items())]
    told = {"format": FORMAT, "corpus": corpus, "reviewer": reviewer, "reviews": made}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _said(one: Any, where: str) -> Said:
    if not isinstance(one, dict):
        raise UsageError(f"{where} is no object")
    told = {"clip_id": 4096, "verdict": 16, "reason": MOST_REASON, "at": 32}
    said = Said(**{name: _text(one, name, most, where) for name, most in told.items()})
    if said.verdict not in (*VERDICTS, ""):
        raise UsageError(f"{where}: the verdict {said.verdict!r} is none of {', '.join(VERDICTS)}")
    if not _MOMENT.fullmatch(said.at):
        raise UsageError(f"{where}: {said.at!r} is no time such as 2026-11-27T12:00:00Z")
    return said


def _text(of: dict[str, Any], name: str, most: int, where: str) -> str:
    value = of.get(name, "")
    if not isinstance(value, str) or len(value) > most or (name == "clip_id" and not value):
        raise UsageError(f"{where}: its {name} is no text of up to {most} letters")
    return value


def import_reviews(manifest: Manifest, said: list[Said], reviewer: str) -> Outcome:
    """Adds what a reviewer said to the table. Of two words of theirs on a clip the later one counts, however they come.

    Words on clips that the corpus does not hold are left out; reviews of clips that it holds no longer stay.
    """
    source_of = {
        row["clip_id"]: row["source_id"] for row in column_rows(manifest.dataset(Clip), ["clip_id", "source_id"])
    }
    rows = {row.review_id: row for row in _there(manifest)}
    verdicts, taken_back, as_before, unknown = Counter[str](), 0, 0, 0
    for one in said:
        review_id = f"{one.clip_id}@{reviewer}"
        before = rows.get(review_id)
        if one.clip_id not in source_of:
            unknown += 1
        elif before and (before.reviewed_at > one.at or (before.verdict, before.reason) == (one.verdict, one.reason)):
            as_before += 1
        elif one.verdict:
            rows[review_id] = Review(
                source_of[one.clip_id], review_id, one.clip_id, reviewer, one.verdict, one.reason, one.at
            )
            verdicts[one.verdict] += 1
        else:
            taken_back += rows.pop(review_id, None) is not None
    if verdicts or taken_back:
        made = sorted(rows.values(), key=lambda row: row.review_id)
        lines = digest(json.dumps([row.review_id, row.verdict, row.reason, row.reviewed_at]) for row in made)
        manifest.write_whole(Review, step_named("ImportReviews", VERSION, lines), made)
    return Outcome(dict(verdicts), taken_back, as_before, unknown, dict(Counter(row.verdict for row in rows.values())))


def _there(manifest: Manifest) -> list[Review]:
    step = manifest.whole(Review)
    return manifest.read_whole(Review, step) if step else []
