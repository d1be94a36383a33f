"""The story of one source or clip: what was seen in it, what was decided, and the numbers behind that."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import NotFound
from manifests.manifest import LISTED, Manifest
from manifests.tables import ActiveSpeaker, Clip, Dropped, Score, Shot, Source, Track, Turn
from pipeline.query.source_rows import SourceRows
from pipeline.views.facts import BLANK, Cell, Fact, Grid, Lane, Lanes, Line, Part, clock, late

MOST_LANES = 6  # faces, and voices, that have a lane of their own
AROUND_S = 2.0  # of a clip that are drawn before and after it


@dataclass(frozen=True)
class ClipOutcome:
    """A proposed clip, and what became of it."""

    clip_id: str
    start_s: float
    end_s: float
    speaker: str
    track_id: str
    kept: bool
    why_not: tuple[str, ...]  # reasons with their numbers; none for a clip that is kept or in work


@dataclass(frozen=True)
class GivenUp:
    """A row that was given up."""

    table: str
    subject: str
    operator: str
    reason: str
    detail: str
    failed: bool


@dataclass(frozen=True)
class Measured:
    """A score of a clip, beside the range that the recipe wants."""

    metric: str
    value: float
    variant: str
    low: float | None
    high: float | None

    @property
    def inside(self) -> bool:
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    @property
    def wanted(self) -> str:
        """`3 and up`, `up to 30`, `-35 to 35`; "" where anything will do."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return (
            f"{self.low:g} and up" if self.low is not None else f"up to {self.high:g}" if self.high is not None else ""
        )


@dataclass(frozen=True)
class ClipStory(Fact):
    """One clip: its place, its crop, its scores, and why it was not kept."""

    clip_id: str
    uri: str
    kept: bool
    clip: Clip | None  # None where it was never more than a proposal
    drops: tuple[GivenUp, ...]
    scores: tuple[Measured, ...]
    axis: Lanes

    def parts(self) -> Iterator[Part]:
        yield Line.of(
            Cell(self.clip_id, "strong"), ": ", Cell("kept", "good") if self.kept else Cell("not kept", "warn")
        )
        yield Line.of(f"of {self.uri}", indent=2)
        for drop in self.drops:
            yield Line.of(
                f"{drop.operator}: ", Cell(drop.reason, "warn"), f", {drop.detail}" if drop.detail else "", indent=2
            )
        if (clip := self.clip) is not None:
            box = (
                f"{clip.right_px - clip.left_px:.0f}x{clip.bottom_px - clip.top_px:.0f} px at"
                f" {clip.left_px:.0f},{clip.top_px:.0f}"
            )
            span = f"{clip.start_s:.2f} to {clip.end_s:.2f} s ({clip.end_s - clip.start_s:.2f} s)"
            yield Line.of(f"{span}, {clip.speaker}, face {clip.track_id}, crop {box}", indent=2)
            if clip.sound_late_s:
                yield Line.of(f"its render has the sound moved: {late(clip.sound_late_s)} in the source", indent=2)
            yield self.axis
        if self.scores:
            yield BLANK
            names = ("metric", ">value", "variant", "wanted")
            yield Grid.of(
                names,
                (
                    [one.metric, Cell(f"{one.value:.4g}", "" if one.inside else "bad"), one.variant, one.wanted]
                    for one in self.scores
                ),
            )


@dataclass(frozen=True)
class Story(Fact):
    """One source: what it is, what was seen and heard in it, and what became of every clip that was proposed."""

    source_id: str  # "" for an input that was not taken up
    uri: str
    seconds: float
    video: str  # "" where nothing is known yet
    audio: str
    shots: int
    tracks: int
    speakers: int
    turns: int
    clips: tuple[ClipOutcome, ...]
    drops: tuple[GivenUp, ...]  # of all but clips
    axis: Lanes
    sound_late_s: float = 0.0  # by which the sound of its clips was moved

    def parts(self) -> Iterator[Part]:
        if not self.source_id:
            (drop,) = self.drops
            yield Line.of(f"{drop.detail}: not taken up, ", Cell(drop.reason, "warn"))
            return
        yield Line.of(Cell(self.source_id, "strong"), f"  {self.uri}")
        if self.video:
            yield Line.of(f"{clock(self.seconds)}, {self.video}, {self.audio}", indent=2)
        kept = sum(clip.kept for clip in self.clips)
        seen = f"{self.shots} shots, {self.tracks} face tracks, {self.speakers} speakers in {self.turns} turns"
        yield Line.of(f"{seen}, {kept} of {len(self.clips)} clips kept", indent=2)
        if self.sound_late_s:
            yield Line.of(f"its clips have the sound moved: {late(self.sound_late_s)} in the source", indent=2)
        yield self.axis
        if self.clips:
            yield BLANK
            yield Grid.of(("clip", ">from", ">to", "speaker", "face", "outcome"), map(_clip_row, self.clips), "clips")
        if self.drops:
            yield BLANK
            rows = ([f"{one.table} {one.subject.partition('/')[2]}".strip(), one.operator,
                     Cell(one.reason, "bad" if one.failed else "warn"), one.detail]
                    for one in self.drops)  # fmt: skip
            yield Grid.of(("what", "by", "reason", "detail"), rows, "given up")


def _clip_row(one: ClipOutcome) -> list[str | Cell]:
    outcome = Cell("kept", "good") if one.kept else Cell("; ".join(one.why_not) or "in work", "warn")
    short = one.clip_id.partition("/")[2]
    return [short, f"{one.start_s:.2f}", f"{one.end_s:.2f}", one.speaker, one.track_id.rsplit("/", 1)[-1], outcome]


def story(manifest: Manifest, wanted: str) -> Story | ClipStory:
    """What a manifest holds of one source, or of one clip where `wanted` names one.

    Args:
        wanted: a source id, a clip id, a file name, an address, or a part of one that fits no other.

    Raises:
        NotFound: when no source, clip or file of that name is there, or several are.
    """
    found = [(shard, source) for shard in manifest.shards() for source in manifest.read(Source, [LISTED], shard)]
    exact = [(shard, source) for shard, source in found if source.source_id == wanted.split("/")[0]]
    named = exact or [(shard, source) for shard, source in found if wanted in (source.uri, Path(source.uri).name)]
    named = named or [(shard, source) for shard, source in found if wanted and wanted in source.uri]
    if len(named) > 1:
        raise NotFound(
            f"{wanted!r} fits {len(named)} sources: " + ", ".join(source.source_id for _, source in named[:8])
        )
    if named:
        rows = SourceRows(manifest, *named[0])
        if exact and wanted.count("/") >= 2 and (clip := _clip_story(rows, wanted)):
            return clip
        return _source_story(rows)
    for shard in manifest.shards():
        for drop in manifest.read(Dropped, [LISTED], shard):
            typed = drop.detail.split("; ")[0]  # what the user typed comes first
            if wanted in (drop.subject, typed, Path(typed).name):
                return Story("", typed, 0.0, "", "", 0, 0, 0, 0, (), (_given_up(drop),), Lanes(0.0, 0.0, ()))
    raise NotFound(
        f"{manifest.root} knows no source, clip or file {wanted!r}; "  # noqa: S608 - a query for people to type
        f'headset sql {manifest.root} "select source_id, uri from sources" lists them'
    )


def _source_story(rows: SourceRows) -> Story:
    source = next(iter(rows.ever(Source)), rows.source)
    clips, kept, drops = rows.ever(Clip), {clip.clip_id for clip in rows.current(Clip)}, rows.ever(Dropped)
    why: dict[str, list[str]] = defaultdict(list)
    for drop in drops:
        why[drop.subject].append(f"{drop.reason} ({drop.detail})" if drop.detail else drop.reason)
    proposed = {clip.clip_id for clip in clips}
    outcomes = [
        ClipOutcome(
            one.clip_id, one.start_s, one.end_s, one.speaker, one.track_id, one.clip_id in kept, tuple(why[one.clip_id])
        )
        for one in clips
    ]
    turns = rows.current(Turn)
    known = source.end_s > source.start_s
    rate = f"{source.fps:.3f} fps{' (variable)' if source.variable_fps else ''}"
    video = f"{source.width}x{source.height} {source.video_codec} {rate}" if source.video_codec else "no video"
    audio = (
        f"{source.audio_codec} {source.audio_hz} Hz, {source.audio_channels} ch" if source.audio_codec else "no audio"
    )
    return Story(
        source_id=source.source_id,
        uri=source.uri,
        seconds=source.end_s - source.start_s,
        video=video if known else "",
        audio=audio if known else "",
        shots=len(rows.current(Shot)),
        tracks=len(rows.current(Track)),
        speakers=len({turn.speaker for turn in turns}),
        turns=len(turns),
        clips=tuple(outcomes),
        drops=tuple(_given_up(drop) for drop in drops if drop.subject not in proposed),
        axis=_axis(rows, source, kept),
        sound_late_s=next((clip.sound_late_s for clip in rows.current(Clip) if clip.sound_late_s), 0.0),
    )


def _clip_story(rows: SourceRows, clip_id: str) -> ClipStory | None:
    """None for a source, a shot, or a clip that was never proposed."""
    clip = next((one for one in rows.ever(Clip) if one.clip_id == clip_id), None)
    drops = [drop for drop in rows.ever(Dropped) if drop.subject == clip_id]
    if clip is None and not drops:
        return None
    kept = any(one.clip_id == clip_id for one in rows.current(Clip))
    steps = rows.manifest.run.steps if rows.manifest.run else []
    ranges = next((step.parameters["ranges"] for step in steps if "ranges" in step.parameters), {})
    scores = tuple(
        Measured(score.metric, score.value, score.variant, *ranges.get(score.metric, (None, None)))
        for score in rows.ever(Score)
        if score.subject == clip_id
    )
    around = (clip.start_s - AROUND_S, clip.end_s + AROUND_S) if clip else (0.0, 0.0)
    axis = _axis(rows, rows.source, {clip_id} if kept else set(), around)
    return ClipStory(clip_id, rows.source.uri, kept, clip, tuple(map(_given_up, drops)), scores, axis)


def _given_up(drop: Dropped) -> GivenUp:
    return GivenUp(drop.subject_table, drop.subject, drop.operator, drop.reason, drop.detail, drop.failed)


def _axis(rows: SourceRows, source: Source, kept: set[str], span: tuple[float, float] | None = None) -> Lanes:
    """Cuts, faces, who speaks, voices and clips, each a lane."""
    shots, tracks, turns = rows.current(Shot), rows.current(Track), rows.current(Turn)
    start_s = span[0] if span else min([source.start_s, *(shot.start_s for shot in shots)])
    end_s = span[1] if span else max([source.end_s, *(row.end_s for found in (shots, tracks, turns) for row in found)])
    lanes = [Lane("cuts", tuple((shot.start_s, shot.start_s) for shot in shots[1:]), "", "|")]
    speaking = {row.track_id: row for row in rows.current(ActiveSpeaker)}
    faces: dict[str, list[Track]] = defaultdict(list)
    for track in tracks:
        faces[track.track_id.rsplit("/", 1)[-1]].append(track)
    for name, members in list(faces.items())[:MOST_LANES]:
        lanes.append(Lane(f"face {name}", tuple((track.start_s, track.end_s) for track in members), "face"))
        if talks := tuple(span for track in members if (row := speaking.get(track.track_id)) for span in _talks(row)):
            lanes.append(Lane("speaks", talks, "name"))
    voices = sorted({turn.speaker for turn in turns})[:MOST_LANES]
    lanes += [
        Lane(one, tuple((turn.start_s, turn.end_s) for turn in turns if turn.speaker == one), "voice") for one in voices
    ]
    clips = rows.ever(Clip)
    if lost := tuple((one.start_s, one.end_s) for one in clips if one.clip_id not in kept):
        lanes.append(Lane("clips not kept", lost, "warn"))
    lanes.append(Lane("clips kept", tuple((one.start_s, one.end_s) for one in clips if one.clip_id in kept), "good"))
    return Lanes(start_s, end_s, tuple(lanes))


def _talks(row: ActiveSpeaker) -> Iterator[tuple[float, float]]:
    """The spans in which a face speaks: looks that follow each other are one."""
    began = None
    for number, value in enumerate([*row.score, 0.0]):
        if value > 0 and began is None:
            began = number
        elif value <= 0 and began is not None:
            yield row.start_s + began * row.step_s, row.start_s + number * row.step_s
            began = None
