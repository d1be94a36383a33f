"""What a manifest says, for people: the funnel, the plan, the status, and the story of one source or clip."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from manifests.errors import Inconsistent, NotFound
from manifests.manifest import LISTED, Manifest
from manifests.tables import Clip, Dropped, Row, Score, Shot, Source, Speaking, Track, Turn, tables
from operators.base import Frames
from pipeline.corpus_steps.common import all_rows
from pipeline.engine.costs import Rates
from pipeline.engine.progress import Progress
from pipeline.recipe import Plan

R = TypeVar("R", bound=Row)

FUNNEL = ("sources", "published", "shots", "tracks", "turns", "clips")


def progress(lines: list[Progress]) -> Table:
    """One line a stage, for the live display."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stage", "sources", "", "kept", "dropped", "failed", "per minute", "left"):
        table.add_column(name, justify="left" if name in ("stage", "") else "right")
    for line in lines:
        rate = line.sources_done / line.seconds * 60 if line.seconds and line.sources_done else 0.0
        left = "done" if line.done else clock((line.sources - line.sources_done) / rate * 60) if rate else "…"
        share = line.sources_done / line.sources if line.sources else 1.0
        bar = Text("━" * round(18 * share), style="green") + Text("━" * (18 - round(18 * share)), style="grey30")
        failed = Text(str(line.failed), style="red" if line.failed else "")
        table.add_row(
            line.stage,
            f"{line.sources_done}/{line.sources}",
            bar,
            str(line.kept),
            str(line.dropped),
            failed,
            f"{rate:.1f}" if rate else "…",
            left,
        )
    return table


@dataclass
class Line:
    """One step of the funnel: what went in, and what became of it. `read` is 0 for what the user listed."""

    step: str
    table: str
    read: int
    answered: int
    dropped: int
    failed: int
    wrote: dict[str, int]
    given_up: dict[str, int]  # rows of written tables that were proposed and dropped
    reasons: dict[str, int]
    shards: int


def funnel(manifest: Manifest) -> list[Line]:
    """Every step of the last run with its counts over all shards that are done."""
    if manifest.run is None:
        return []
    shards = manifest.shards()
    listed = [drop for shard in shards for drop in manifest.read(Dropped, [LISTED], shard)]
    given = {table.table: sum(manifest.count(table, LISTED, shard) for shard in shards) for table in [Source, *manifest.given()]}
    reasons, refused = Counter(drop.reason for drop in listed), Counter(drop.subject_table for drop in listed)
    sources, lost = given[Source.table], refused.pop(Source.table, 0)
    lines = [Line("listed", "sources", sources + lost, sources, lost, 0, given, dict(refused), dict(reasons), len(shards))]
    for step in manifest.run.steps:
        calls: Counter[str] = Counter()
        wrote: Counter[str] = Counter({table: 0 for table in step.writes})
        counted: Counter[str] = Counter()
        given_up: Counter[str] = Counter()
        receipts = manifest.receipts(step.version)
        for receipt in receipts.values():
            calls.update(receipt["calls"])
            wrote.update(receipt["rows"])
            counted.update(receipt["reasons"])
            given_up.update(receipt["given_up"])
        lines.append(
            Line(
                step.operator,
                step.reads,
                calls["read"],
                calls["answered"],
                calls["dropped"],
                calls["failed"],
                dict(wrote),
                dict(given_up),
                dict(counted),
                len(receipts),
            )
        )
    return lines


def print_funnel(manifest: Manifest, console: Console) -> None:
    """What each step made of what it read, the sums by table, and the chain from sources to kept clips.

    Raises:
        Inconsistent: when the sums of a table do not add up.
    """
    lines = funnel(manifest)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("step", "read", "ok", "dropped", "failed", "wrote", "why not"):
        table.add_column(name, justify="right" if name in ("read", "ok", "dropped", "failed") else "left", overflow="fold")
    for line in lines:
        wrote = ", ".join(
            f"{n} {name}" + (f" of {n + line.given_up[name]}" if line.given_up.get(name) else "") for name, n in line.wrote.items()
        )
        why = ", ".join(f"{reason} {n}" for reason, n in sorted(line.reasons.items(), key=lambda item: (-item[1], item[0])))
        table.add_row(line.step, f"{line.read} {line.table}", str(line.answered), str(line.dropped), _failures(line.failed), wrote, why)
    console.print(table)
    sums = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("table", "proposed", "kept", "dropped", "failed"):
        sums.add_column(name, justify="left" if name == "table" else "right")
    for name, (proposed, kept, dropped, failed) in balance(manifest, lines).items():
        sums.add_row(name, str(proposed), str(kept), str(dropped), _failures(failed))
    console.print()
    console.print(sums)
    console.print()
    console.print(chain(lines), style="bold", highlight=False)


def _failures(number: int) -> Text:
    return Text(str(number), style="red" if number else "")


def balance(manifest: Manifest, lines: list[Line]) -> dict[str, tuple[int, int, int, int]]:
    """By table: rows proposed, kept, dropped and failed. Kept is counted in the files that hold the current rows.

    Raises:
        Inconsistent: when what was proposed is not what was kept, dropped and failed, once every step is done.
    """
    refined_by = {(step.operator, table) for step in (manifest.run.steps if manifest.run else []) for table in step.refines}
    sums: dict[str, tuple[int, int, int, int]] = {}
    for name, table in tables().items():
        writers = [line for line in lines if name in line.wrote]
        if not writers or name == Dropped.table:
            continue
        first = [line for line in writers if (line.step, name) not in refined_by]
        refiners = [line for line in writers if (line.step, name) in refined_by]
        lost = [line.dropped if (line.step, name) == ("listed", Source.table) else line.given_up.get(name, 0) for line in first]
        proposed = sum(line.wrote[name] for line in first) + sum(lost) + sum(_divided(line, name) for line in refiners)
        kept = manifest.rows(table)
        dropped = sum(lost) + sum(line.dropped for line in refiners) + sum(line.given_up.get(name, 0) for line in refiners)
        failed = sum(line.failed for line in refiners)
        sums[name] = proposed, kept, dropped, failed
        if proposed != kept + dropped + failed:
            raise Inconsistent(
                f"{name}: {proposed} proposed, but {kept} kept + {dropped} dropped + {failed} failed = {kept + dropped + failed}; please report this"
            )
    return sums


def _divided(line: Line, name: str) -> int:
    """How many rows a step that refines its table proposed beyond those it was given: each may be divided, none is left out."""
    return max(line.wrote[name] + line.given_up.get(name, 0) - line.answered, 0) if line.table == name else 0


def chain(lines: list[Line]) -> str:
    """`12 sources -> 40 shots -> ... -> 14 clips proposed -> 9 clips kept`."""
    parts = []
    for table in FUNNEL:
        writers = [line for line in lines if table in line.wrote]
        if not writers:
            continue
        first, last = writers[0], writers[-1]
        if table == "clips":
            proposed = first.wrote[table] + first.given_up.get(table, 0) + sum(_divided(line, table) for line in writers[1:])
            parts += [f"{proposed} clips proposed", f"{last.wrote[table]} clips kept"]
        elif table == "sources":
            parts.append(f"{first.read} sources" + (f" ({last.wrote[table]} usable)" if last.wrote[table] != first.read else ""))
        else:
            parts.append(f"{last.wrote[table]} {table}")
    return " -> ".join(parts)


def print_plan(
    plan: Plan,
    manifest: Manifest | None,
    media_s: float | None,
    unknown: int,
    rates: Rates,
    cores: float,
    console: Console,
) -> None:
    """The stages with their parameters, the models, what is done, and how long the rest will take."""
    console.print(f"[bold]{plan.recipe}[/]: {plan.what}")
    shards = manifest.shards() if manifest else []
    total, guessed = 0.0, False
    for number, stage in enumerate(plan.stages):
        here = plan.of_stage(number)
        together = (
            f", {len(here)} operators over one decode" if sum(Frames in step.operator.signature.asks.values() for step in here) > 1 else ""
        )
        console.print(f"\n[bold]{number + 1}[/] {stage.reads.table}{together}", highlight=False)
        for step in here:
            signature, operator = step.operator.signature, step.operator
            done = len(manifest.committed(step.version) & set(shards)) if manifest else 0
            rate = rates.of(operator.name)
            seconds = rate * media_s * (1 - done / len(shards) if shards else 1.0) if rate is not None and media_s is not None else None
            guessed |= rate is None
            total += seconds or 0.0
            joined = "".join(f" + {table.table}" for table in signature.joins.values())
            written = ", ".join(table.table for table in signature.writes)
            state = f", {done} of {len(shards)} shards done" if shards else ""
            cost = clock(seconds) if seconds is not None else "not measured yet" if rate is None else "?"
            console.print(f"  [cyan]{operator.name}[/]  {signature.reads.table}{joined} -> {written}   {cost}{state}", highlight=False)
            if parameters := operator.parameters():
                text = ", ".join(f"{name}={json.dumps(value)}" for name, value in parameters.items())
                console.print(Padding(Text(text, style="dim"), (0, 0, 0, 6)))
    console.print()
    models = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("model", "what", "size", "licence", "where"):
        models.add_column(name, overflow="fold")
    for weight in plan.weights:
        found = weight.found()
        licence = weight.licence + ("" if weight.commercial else " (no commercial use)")
        where = str(found) if found else f"not here yet; comes from {weight.inside.split(':')[1] if weight.inside else weight.url}"
        models.add_row(weight.file, weight.what, f"{weight.bytes / 1e6:.1f} MB", licence, where)
    console.print(models)
    if media_s is not None:
        more = f", and {unknown} sources of unknown length" if unknown else ""
        console.print(
            f"{clock(media_s)} of video{more}. About {clock(total / cores)} on {cores:g} cores ({rates.origin}){'; some steps are not measured yet' if guessed else ''}."
        )


def print_status(manifest: Manifest, console: Console) -> None:
    """Where a corpus stands."""
    if manifest.run is None:
        console.print(f"{manifest.root}: {len(manifest.shards())} shards listed, nothing run yet.")
        return
    shards = manifest.shards()
    done = {step.version: len(manifest.committed(step.version)) for step in manifest.run.steps}
    console.print(f"[bold]{manifest.root}[/]: recipe {manifest.run.recipe}, {len(shards)} shards")
    for step in manifest.run.steps:
        share = done[step.version] / len(shards) if shards else 1.0
        bar = Text("━" * round(24 * share), style="green") + Text("━" * (24 - round(24 * share)), style="grey30")
        console.print(Text(f"{step.operator:18} ") + bar + Text(f" {done[step.version]}/{len(shards)}"))
    console.print()
    print_funnel(manifest, console)
    clips = list(all_rows(manifest, Clip))
    seconds = sum(clip.end_s - clip.start_s for clip in clips)
    if clips:
        console.print(f"{len(clips)} clips, {clock(seconds)} in all, {seconds / len(clips):.1f} s on average.")
    for line in coverage(manifest):
        console.print(line.told(), highlight=False, soft_wrap=True)
    if unfinished := [step.operator for step in manifest.run.steps if done[step.version] < len(shards)]:
        console.print(f"Not finished: {', '.join(unfinished)}. Run the same command again to go on.")


@dataclass
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
        what = (
            f"{self.name}: {self.had} of {self.listed} videos" if self.name else f"Everything listed: {self.had} of {self.listed} sources"
        )
        told = f"{what}, {known}" if known else what
        return (f"{told}; {', '.join(why)}" if why else told) + f". Subset {self.subset}."


def coverage(manifest: Manifest) -> list[Coverage]:
    """The share that was had of each list, with the reasons for the rest, and of everything that was listed.

    A source was had when it survived every step that refines sources. The subset's name is the first 12 hex digits of the
    sha256 of its sources' lines `<source_id> <sha256>\n`, sorted: two people who got the same files have the same name.
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
        drops = manifest.read(Dropped, [LISTED, *(version for version in finishing if version in held[Dropped.table])], shard)
        reasons |= {drop.subject: drop.reason for drop in drops if drop.subject_table == Source.table and drop.reason != "duplicate"}
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
    return Coverage(
        name,
        len(listed),
        len(ours),
        len(waiting & listed.keys()),
        _sum(lengths),
        _sum(listed.values()),
        dict(Counter(reasons[one] for one in listed if one in reasons)),
        subset,
    )


def _sum(seconds: Iterable[float | None]) -> float | None:
    known = [*seconds]
    return None if not known or None in known else sum(one for one in known if one is not None)


def _short(path: str, lists: Iterable[str]) -> str:
    """The name of a list; its path where another one has the same name."""
    return Path(path).name if sum(Path(other).name == Path(path).name for other in lists) == 1 else path


class Story:
    """All that a manifest holds of one source, current or not."""

    def __init__(self, manifest: Manifest, wanted: str):
        """
        Raises:
            NotFound: when no source, clip or file of that name is there.
        """
        self.manifest, self.wanted = manifest, wanted
        found = [(shard, source) for shard in manifest.shards() for source in manifest.read(Source, [LISTED], shard)]
        listed = [drop for shard in manifest.shards() for drop in manifest.read(Dropped, [LISTED], shard)]
        told = {drop.drop_id: drop.detail.split("; ")[0] for drop in listed}  # what the user typed comes first
        self.listed = next((drop for drop in listed if wanted in (drop.subject, told[drop.drop_id], Path(told[drop.drop_id]).name)), None)
        exact = [(shard, source) for shard, source in found if source.source_id == wanted.split("/")[0]]
        named = exact or [(shard, source) for shard, source in found if wanted in (source.uri, Path(source.uri).name)]
        named = named or [(shard, source) for shard, source in found if wanted and wanted in source.uri]
        if not named and not self.listed:
            raise NotFound(
                f"{manifest.root} knows no source, clip or file {wanted!r}; "  # noqa: S608 - a query for people to type
                f"headset sql {manifest.root} 'select source_id, uri from sources' lists them"
            )
        if len(named) > 1:
            raise NotFound(f"{wanted!r} fits {len(named)} sources: " + ", ".join(source.source_id for _, source in named[:8]))
        if not named:
            return
        self.shard, self.source = named[0]
        self.subject = wanted if exact else self.source.source_id
        for source in self.rows(Source):
            self.source = source

    def rows(self, table: type[R]) -> list[R]:
        """The rows of the source that any step of the last run wrote; the last step's where several wrote the same."""
        steps = self.manifest.run.steps if self.manifest.run else []
        found: dict[str, R] = {}
        for step in steps:
            if table.table in [*step.writes, Dropped.table] and self.shard in self.manifest.committed(step.version):
                for row in self.manifest.read(table, [step.version], self.shard):
                    if row.source_id == self.source.source_id:
                        found[row.row_id] = row
        return sorted(found.values(), key=lambda row: row.row_id)

    def current(self, table: type[R]) -> list[R]:
        held = self.manifest.current(self.shard).get(table.table, [])
        return [row for row in self.manifest.read(table, held, self.shard) if row.source_id == self.source.source_id]


def print_story(manifest: Manifest, wanted: str, console: Console) -> None:
    """What was seen in a source, what was decided, and the numbers behind it; of one clip when `wanted` names one."""
    story = Story(manifest, wanted)
    if not hasattr(story, "source"):
        assert story.listed
        console.print(f"{story.listed.detail}: not taken up, [bold]{story.listed.reason}[/]")
        return
    source = story.source
    console.print(f"[bold]{source.source_id}[/]  {source.uri}")
    drops = story.rows(Dropped)
    if source.end_s > source.start_s:
        video = (
            f"{source.width}x{source.height} {source.video_codec} {source.fps:.3f} fps{' (variable)' if source.variable_fps else ''}"
            if source.video_codec
            else "no video"
        )
        audio = f"{source.audio_codec} {source.audio_hz} Hz, {source.audio_channels} ch" if source.audio_codec else "no audio"
        console.print(f"  {clock(source.end_s - source.start_s)}, {video}, {audio}")
    if story.subject.count("/") >= 2 and _print_clip(story, drops, console):
        return
    shots, tracks, turns = story.current(Shot), story.current(Track), story.current(Turn)
    speakers = sorted({turn.speaker for turn in turns})
    kept = {clip.clip_id for clip in story.current(Clip)}
    console.print(
        f"  {len(shots)} shots, {len(tracks)} face tracks, {len(speakers)} speakers in {len(turns)} turns, {len(kept)} clips kept"
    )
    console.print(_timeline(story, shots, tracks, turns, kept, console.width - 20))
    clips = {clip.clip_id: clip for clip in story.rows(Clip)}
    if clips:
        table = Table(box=None, pad_edge=False, header_style="dim", title="clips", title_justify="left")
        for name in ("clip", "from", "to", "speaker", "face", "outcome"):
            table.add_column(name, overflow="fold")
        why = defaultdict(list)
        for drop in drops:
            why[drop.subject].append(f"{drop.reason} ({drop.detail})" if drop.detail else drop.reason)
        for clip in clips.values():
            outcome = (
                Text("kept", style="green") if clip.clip_id in kept else Text("; ".join(why[clip.clip_id]) or "in work", style="yellow")
            )
            table.add_row(
                clip.clip_id.partition("/")[2],
                f"{clip.start_s:.2f}",
                f"{clip.end_s:.2f}",
                clip.speaker,
                clip.track_id.rsplit("/", 1)[-1],
                outcome,
            )
        console.print(table)
    others = [drop for drop in drops if drop.subject not in clips]
    if others:
        table = Table(box=None, pad_edge=False, header_style="dim", title="given up", title_justify="left")
        for name in ("what", "by", "reason", "detail"):
            table.add_column(name, overflow="fold")
        for drop in others:
            table.add_row(
                f"{drop.subject_table} {drop.subject.partition('/')[2]}",
                drop.operator,
                Text(drop.reason, style="red" if drop.failed else "yellow"),
                drop.detail,
            )
        console.print(table)


def _print_clip(story: Story, drops: list[Dropped], console: Console) -> bool:
    clip = next((clip for clip in story.rows(Clip) if clip.clip_id == story.subject), None)
    about = [drop for drop in drops if drop.subject == story.subject]
    if clip is None and not about:
        return False
    kept = any(one.clip_id == story.subject for one in story.current(Clip))
    console.print(f"[bold]{story.subject}[/]: " + ("[green]kept[/]" if kept else "[yellow]not kept[/]"))
    for drop in about:
        console.print(f"  {drop.operator}: [yellow]{drop.reason}[/]" + (f", {drop.detail}" if drop.detail else ""))
    if clip is not None:
        box = f"{clip.right_px - clip.left_px:.0f}x{clip.bottom_px - clip.top_px:.0f} px at {clip.left_px:.0f},{clip.top_px:.0f}"
        console.print(
            f"  {clip.start_s:.2f} to {clip.end_s:.2f} s ({clip.end_s - clip.start_s:.2f} s), {clip.speaker}, face {clip.track_id}, crop {box}"
        )
        kept_here = {clip.clip_id} if kept else set()
        around = clip.start_s - 2, clip.end_s + 2
        console.print(
            _timeline(story, story.current(Shot), story.current(Track), story.current(Turn), kept_here, console.width - 20, around)
        )
    scores = [score for score in story.rows(Score) if score.subject == story.subject]
    if scores:
        limits = next(
            (
                step.parameters.get("ranges", {})
                for step in (story.manifest.run.steps if story.manifest.run else [])
                if "ranges" in step.parameters
            ),
            {},
        )
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("metric", "value", "variant", "wanted"):
            table.add_column(name)
        for score in scores:
            low, high = limits.get(score.metric, (None, None))
            inside = (low is None or score.value >= low) and (high is None or score.value <= high)
            wanted = "" if score.metric not in limits else f"{'' if low is None else low} to {'' if high is None else high}"
            table.add_row(score.metric, Text(f"{score.value:.3f}", style="" if inside else "red"), score.variant, wanted)
        console.print(table)
    return True


def _timeline(
    story: Story,
    shots: list[Shot],
    tracks: list[Track],
    turns: list[Turn],
    kept: set[str],
    width: int,
    span: tuple[float, float] | None = None,
) -> RenderableType:
    """Shots, faces, who speaks, turns and clips on one line each, above one another."""
    ends = [row.end_s for rows in (shots, tracks, turns) for row in rows]
    start_s = span[0] if span else min([story.source.start_s, *(shot.start_s for shot in shots)])
    end_s = span[1] if span else max([story.source.end_s, *ends], default=0.0)
    if end_s <= start_s:
        return Text("")

    def line(name: str, spans: Iterable[tuple[float, float]], style: str, mark: str = "█") -> Text:
        cells = [" "] * width
        for first_s, last_s in spans:
            first = int((max(first_s, start_s) - start_s) / (end_s - start_s) * width)
            last = max(first + 1, round((min(last_s, end_s) - start_s) / (end_s - start_s) * width))
            if last_s > start_s and first_s < end_s:
                cells[first:last] = [mark] * (min(last, width) - first)
        return Text(f"  {name:>16} ") + Text("".join(cells), style=style)

    ruler = (f"{start_s:.1f}".ljust(width // 2) + f"{(start_s + end_s) / 2:.1f}").ljust(width - 7) + f"{end_s:7.1f}"
    shown = [Text(f"  {'seconds':>16} ") + Text(ruler, style="dim")]
    cuts = [(shot.start_s, shot.start_s) for shot in shots[1:]]
    shown.append(line("cuts", cuts, "white", "|"))
    speaking = {row.track_id: row for row in story.current(Speaking)}
    lanes: dict[str, list[Track]] = defaultdict(list)
    for track in tracks:
        lanes[track.track_id.rsplit("/", 1)[-1]].append(track)
    for name, members in list(lanes.items())[:6]:
        shown.append(line(f"face {name}", ((track.start_s, track.end_s) for track in members), "blue"))
        talks = [
            (row.start_s + i * row.step_s, row.start_s + (i + 1) * row.step_s)
            for track in members
            if (row := speaking.get(track.track_id))
            for i, value in enumerate(row.score)
            if value > 0
        ]
        if talks:
            shown.append(line("speaks", talks, "cyan"))
    shown += [
        line(speaker, ((turn.start_s, turn.end_s) for turn in turns if turn.speaker == speaker), "magenta")
        for speaker in sorted({turn.speaker for turn in turns})[:6]
    ]
    clips = story.rows(Clip)
    shown.append(line("clips proposed", ((clip.start_s, clip.end_s) for clip in clips if clip.clip_id not in kept), "yellow"))
    shown.append(line("clips kept", ((clip.start_s, clip.end_s) for clip in clips if clip.clip_id in kept), "green"))
    return Group(*shown)


def clock(seconds: float) -> str:
    """`2 h 05 min`, `3 min 20 s`, `12.5 s`."""
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{seconds:.1f} s"


def rows_of(manifest: Manifest, query: str, *, files: bool = False) -> Any:
    """What a DuckDB query over the current rows gives. Each table goes by its design name, and `wide` is all of them, a row a clip.

    Raises:
        UsageError: with DuckDB's own words when the query cannot run.
    """
    from pipeline.query.clip_view import select_rows

    return select_rows(manifest, query, files=files)
