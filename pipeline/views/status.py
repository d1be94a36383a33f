"""Where a corpus stands: how far each step is, the funnel, and the share that was had of each list."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from manifests.manifest import LISTED, Manifest
from manifests.tables import Clip, Dropped, Source
from pipeline.corpus_steps.common import all_rows
from pipeline.views.facts import BLANK, Cell, Fact, Line, Part, clock, late
from pipeline.views.funnel import Funnel, funnel


@dataclass(frozen=True)
class StepDone:
    """How far a step is."""

    operator: str
    done: int  # shards
    shards: int


@dataclass(frozen=True)
class Coverage:
    """What was had of a list; of everything that was listed where `name` is ""."""

    name: str
    listed: int  # videos it names, each once
    had: int
    waiting: int  # not all is done that the sources go through
    had_s: float | None  # None where the length of some is not known
    listed_s: float | None
    reasons: dict[str, int]  # of those that were not had
    subset: str  # names the exact sources that were had: their ids and content

    def told(self) -> str:
        lengths = [one for one in (self.had_s, self.listed_s) if one is not None and self.had_s is not None]
        hours = max(lengths, default=0.0) >= 3600
        known = " of ".join(f"{one / 3600:.1f} h" if hours else clock(one) for one in lengths)
        why = [f"{n} {reason}" for reason, n in sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))]
        why += [f"{self.waiting} not done yet"] if self.waiting else []
        head = (
            f"{self.name}: {self.had} of {self.listed} videos"
            if self.name
            else f"Everything listed: {self.had} of {self.listed} sources"
        )
        told = f"{head}, {known}" if known else head
        return (f"{told}; {', '.join(why)}" if why else told) + f". Subset {self.subset}."


@dataclass(frozen=True)
class Status(Fact):
    """Where a corpus stands."""

    root: str
    recipe: str  # of the last run; "" where nothing ran
    sources: int  # listed
    shards: int
    steps: tuple[StepDone, ...]
    funnel: Funnel
    clips: int  # kept
    clips_s: float
    coverage: tuple[Coverage, ...]
    # by operator of the last run, what acted in place of its model, and how to have the model
    stand_ins: dict[str, str]
    sound_moved_s: dict[str, float] = field(default_factory=dict)  # by source how late it was, where it was moved

    @property
    def unfinished(self) -> list[str]:
        """The operators that have shards left."""
        return [step.operator for step in self.steps if step.done < step.shards]

    def parts(self) -> Iterator[Part]:
        if not self.recipe:
            yield Line.of(f"{self.root}: {self.sources} sources listed, nothing run yet.")
            return
        yield Line.of(
            Cell(self.root, "strong"), f": recipe {self.recipe}, {self.sources} sources in {self.shards} shards"
        )
        wide = max(len(step.operator) for step in self.steps)
        for step in self.steps if self.unfinished else ():
            yield Line.of(
                f"{step.operator:{wide}} ", Cell(f" {step.done}/{step.shards}", share=step.done / max(1, step.shards))
            )
        yield BLANK
        yield from self.funnel.parts()
        if self.clips:
            mean_s = self.clips_s / self.clips
            yield Line.of(f"{self.clips} clips, {clock(self.clips_s)} in all, {mean_s:.1f} s on average.")
        if moved := sorted(self.sound_moved_s.values(), key=abs):
            most = f", {late(moved[0])} to {late(moved[-1])}" if len(moved) > 1 else f", {late(moved[0])}"
            yield Line.of(f"Sources whose sound was off and is moved in their clips: {len(moved)}{most}.")
        for one in self.coverage:
            yield Line.of(one.told())
        for operator, line in self.stand_ins.items():
            yield Line.of(Cell(f"{operator}: ", "warn"), line)
        if self.unfinished:
            yield Line.of(
                Cell("Not finished: ", "warn"), f"{', '.join(self.unfinished)}. Run the same command again to go on."
            )


def status(manifest: Manifest) -> Status:
    """Where a corpus stands.

    Raises:
        Inconsistent: when the sums of a table do not add up.
    """
    shards, steps = manifest.shards(), manifest.run.steps if manifest.run else []
    listed = sum(manifest.count(Source, LISTED, shard) for shard in shards)
    done = tuple(
        StepDone(step.operator, len(manifest.committed(step.version) & set(shards)), len(shards)) for step in steps
    )
    clips = list(all_rows(manifest, Clip))
    lengths = [clip.end_s - clip.start_s for clip in clips]
    recipe = manifest.run.recipe if manifest.run else ""
    stand_ins = {step.operator: step.stand_in for step in steps if step.stand_in}
    covered = tuple(coverage(manifest)) if manifest.run else ()
    return Status(
        manifest.root,
        recipe,
        listed,
        len(shards),
        done,
        funnel(manifest),
        len(lengths),
        sum(lengths),
        covered,
        stand_ins,
        {clip.source_id: clip.sound_late_s for clip in clips if clip.sound_late_s},
    )


def coverage(manifest: Manifest) -> list[Coverage]:
    """The share that was had of each list, with the reasons for the rest, and of everything that was listed.

    A source was had when it survived every step that refines sources. The subset's name is the first 12 hex digits of
    the sha256 of its sources' lines `<source_id> <sha256>\n`, sorted: two people who got the same files have the same
    name.
    """
    finishing = [step.version for step in (manifest.run.steps if manifest.run else []) if Source.table in step.refines]
    finished = [manifest.committed(version) for version in finishing]
    had: dict[str, Source] = {}
    waiting: set[str] = set()
    reasons: dict[str, str] = {}
    for shard in manifest.shards():
        held = manifest.current(shard)
        sources = {source.source_id: source for source in manifest.read(Source, held[Source.table], shard)}
        if all(shard in done for done in finished):
            had |= sources
        else:
            waiting |= sources.keys()
        drops = manifest.read(
            Dropped, [LISTED, *(version for version in finishing if version in held[Dropped.table])], shard
        )
        reasons |= {
            drop.subject: drop.reason
            for drop in drops
            if drop.subject_table == Source.table and drop.reason != "duplicate"
        }
    lists = manifest.lists()
    everything = {named: None for named in [*had, *waiting, *reasons]}
    return [
        *(_coverage(_short(path, lists), named, had, waiting, reasons) for path, named in sorted(lists.items())),
        _coverage("", everything, had, waiting, reasons),
    ]


def _coverage(
    name: str, listed: Mapping[str, float | None], had: dict[str, Source], waiting: set[str], reasons: dict[str, str]
) -> Coverage:
    ours = sorted(had.keys() & listed.keys())
    lengths = [had[one].end_s - had[one].start_s or listed[one] for one in ours]
    subset = hashlib.sha256("".join(f"{one} {had[one].sha256}\n" for one in ours).encode()).hexdigest()[:12]
    why = dict(Counter(reasons[one] for one in listed if one in reasons))
    return Coverage(
        name, len(listed), len(ours), len(waiting & listed.keys()), _sum(lengths), _sum(listed.values()), why, subset
    )


def _sum(seconds: Iterable[float | None]) -> float | None:
    known = [*seconds]
    return None if not known or None in known else sum(one for one in known if one is not None)


def _short(path: str, lists: Iterable[str]) -> str:
    """The name of a list; its path where another one has the same name."""
    return Path(path).name if sum(Path(other).name == Path(path).name for other in lists) == 1 else path
