"""What the user typed, as rows: files, folders, lists and addresses become sources; what cannot be one is a drop with
its reason.

Ids are content or address, never names: `yt-<video id>` for YouTube in any form, `file-<sha256>` for a local file, so
that moving it changes nothing, and `web-<sha256 of the address>` else. The order of the arguments changes nothing
either.
"""

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from manifests.errors import Inconsistent
from manifests.tables import Dropped, Published, Source
from operators.sources import addresses
from pipeline.importing import WHOLE
from pipeline.listing.columns import has_scheme
from pipeline.listing.entries import Entry, Problem, Range, Tally
from pipeline.listing.folders import search, search_prefix
from pipeline.listing.hashes import Hashes
from pipeline.listing.lists import is_list, read_list
from pipeline.listing.sources import source_of

# for people
VIDEOS = "files, folders, lists (.txt .csv .tsv .json .jsonl .parquet), http(s) and s3 addresses, YouTube ids"
MOST_TOLD = 20  # refusals on a terminal
DATASET = "list"  # of the clips that a list of the user's own asks for


@dataclass(frozen=True)
class Listing:
    """Everything that was listed. Each entry is the first to name a source, adds clips to one, or is dropped."""

    sources: list[Source]  # unique, by source_id
    dropped: list[Dropped]  # by drop_id
    # by the path of a list: what it named, with its seconds where it tells; see `Manifest.add`
    lists: dict[str, dict[str, float | None]]
    published: list[Published] = field(default_factory=list)  # the clips that lists ask for, by published_id
    tallies: list[Tally] = field(default_factory=list)  # of each list and folder, by name

    def told(self) -> list[str]:
        """Lines for people.

        What was refused and why, as far as it can be read, then what became of each list and folder.
        """
        shown = [f"{drop.reason}: {drop.detail}" for drop in self.dropped[:MOST_TOLD]]
        if more := len(self.dropped) - len(shown):
            shown.append(f"... and {more:,} more refused; the table drops has each with its reason")
        return [*shown, *(tally.told() for tally in self.tallies)]


@dataclass(frozen=True)
class _Ended:
    """An entry, with the argument it came by and how it ended."""

    entry: Entry
    tally: Tally | None
    result: Source | Problem

    @property
    def order(self) -> tuple:
        """The richest entry comes first, so that a bare duplicate does not take away what a list says."""
        source = self.result
        assert isinstance(source, Source)
        name = self.tally.name if self.tally else ""
        return not source.sha256, not source.licence, source.uri, self.entry.where, source.sha256, source.licence, name


def list_sources(arguments: Iterable[str], skip: Iterable[Path] = ()) -> Listing:
    """Lists what the user typed.

    An argument is a video or audio file, a folder or `s3://bucket/prefix/` (searched through), a list (see
    `pipeline/listing/lists.py`), an `http(s)` or `s3` address, a YouTube id or `yt:<id>`. A list has one entry a line,
    or a column named like one of `columns.COLUMNS`, else the column that looks like recordings; its columns `sha256`,
    `licence` and `duration_s` are taken over, and its clip ranges become published clips. Relative paths in a list
    start at the list.

    Args:
        skip: folders not to search, such as the manifest that is being written.

    Raises:
        Inconsistent: where an entry, a line or a file ended nowhere, or twice.
    """
    skipped = [os.path.abspath(folder) for folder in skip]
    listed = [(entry, tally) for argument in arguments for entry, tally in _expanded(argument, skipped)]
    ended = _looked_up(listed)
    tallies = {id(tally): tally for _, tally in listed if tally}
    by_id = _by_id(ended)
    lists: dict[str, dict[str, float | None]] = defaultdict(dict)
    sources, published, clip_lines = [], [], 0
    problems = [("", one, one.result) for one in ended if isinstance(one.result, Problem)]
    for source_id, same in sorted(by_id.items()):
        same.sort(key=lambda one: one.order)
        first, *others = same
        assert isinstance(first.result, Source)
        sources.append(first.result)
        if first.tally:
            first.tally.sources += 1
        asked: set[str] = set()
        clips = _clips(first, source_id, asked)
        for one in others:
            if more := _clips(one, source_id, asked):
                clips += more
                clip_lines += 1
                if one.tally:
                    one.tally.clip_lines += 1
            else:
                problems.append((source_id, one, Problem("duplicate", f"the same as {first.result.uri}")))
        published += clips
        for one in same:
            _note(lists, one.entry, source_id)
    dropped = _drops(problems, lists)
    if len(sources) + clip_lines + len(dropped) != len(listed):
        raise Inconsistent(
            f"{len(listed)} entries were listed and {len(sources) + clip_lines + len(dropped)} accounted for; please"
            " report this"
        )
    for tally in tallies.values():
        tally.check()
    return Listing(
        sources,
        sorted(dropped, key=lambda drop: drop.drop_id),
        dict(lists),
        sorted(published, key=lambda clip: clip.published_id),
        sorted(tallies.values(), key=lambda tally: (tally.name, tally.total)),
    )


def _looked_up(listed: list[tuple[Entry, Tally | None]]) -> list[_Ended]:
    """How each entry ended: as a source, or as a problem."""
    hashes = Hashes()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:  # hashing files lets go of the interpreter
        found = pool.map(partial(source_of, hashes=hashes), [entry for entry, _ in listed])
        ended = [_Ended(entry, tally, result) for (entry, tally), result in zip(listed, found, strict=True)]
    hashes.save()
    return ended


def _by_id(ended: list[_Ended]) -> dict[str, list[_Ended]]:
    by_id: dict[str, list[_Ended]] = defaultdict(list)
    for one in ended:
        if isinstance(one.result, Source):
            by_id[one.result.source_id].append(one)
    return by_id


def _expanded(argument: str, skipped: list[str]) -> Iterable[tuple[Entry, Tally | None]]:
    """The entries of one argument, with the count they belong to: those of a list or a folder, else itself."""
    tally: Tally | None = None
    if re.fullmatch(r"(?i)s3://[^/]+/(.*/)?", argument):
        tally = Tally(addresses.scrubbed(argument), "objects")
        entries = search_prefix(argument, tally)
    elif has_scheme(argument) or not argument.strip():
        entries = [Entry(argument)]
    elif os.path.isdir(argument):
        tally = Tally(addresses.scrubbed(argument), "files")
        entries = search(os.path.abspath(argument), skipped, tally)
    elif os.path.isfile(argument) and is_list(Path(argument)):
        tally = Tally(addresses.scrubbed(argument), "lines")
        entries = read_list(Path(argument), tally)
    else:
        entries = [Entry(argument)]
    for entry in entries:
        yield entry, tally


def _clips(one: _Ended, source_id: str, asked: set[str]) -> list[Published]:
    """The clips that an entry asks for and none before it did."""
    made = []
    for start_s, end_s in one.entry.ranges:
        name = _name(source_id, (start_s, end_s))
        if name not in asked:
            asked.add(name)
            made.append(
                Published(
                    source_id,
                    f"{DATASET}/{name}",
                    DATASET,
                    name,
                    start_s,
                    end_s,
                    None,
                    None,
                    0.0,
                    None,
                    *WHOLE,
                    1.0,
                    1.0,
                    "",
                    identity="",
                    split="",
                )
            )
    if one.tally:
        one.tally.clips += len(made)
    return made


def _name(source_id: str, span: Range) -> str:
    return f"{source_id}/{round(span[0] * 1000):06d}-{round(span[1] * 1000):06d}"


def _drops(problems: list[tuple[str, _Ended, Problem]], lists: dict[str, dict[str, float | None]]) -> list[Dropped]:
    """A row for each entry that gives nothing, each with an id of its own."""
    dropped: list[Dropped] = []
    times: Counter[str] = Counter()
    by = list_sources.__name__

    def order(problem: tuple[str, _Ended, Problem]) -> tuple[str, ...]:
        _, one, what = problem
        return _text(one), one.entry.where, what.reason, what.detail

    for source_id, one, problem in sorted(problems, key=order):
        text = _text(one)
        subject = f"listed-{hashlib.sha256(text.encode(errors='backslashreplace')).hexdigest()[:12]}"
        times[subject] += 1
        if times[subject] > 1:
            subject = f"{subject}-{times[subject]}"
        _note(lists, one.entry, source_id or subject)
        if one.tally:
            one.tally.refused[problem.reason] += 1
        where = f"in {one.entry.where}" if one.entry.where else ""
        text = addresses.told(text) if not source_id and has_scheme(text) else text
        detail = addresses.scrubbed("; ".join(part for part in (text, where, problem.detail) if part))
        dropped.append(
            Dropped(
                source_id or subject, f"{subject}@{by}", subject, "sources", by, problem.reason, detail, False, False
            )
        )
    return dropped


def _text(one: _Ended) -> str:
    return one.result.uri if isinstance(one.result, Source) else one.entry.text


def _note(lists: dict[str, dict[str, float | None]], entry: Entry, named: str) -> None:
    if entry.list_path:
        known = lists[entry.list_path].get(named)
        lists[entry.list_path][named] = entry.seconds if known is None else known
