"""Which group a filter costs most: seconds that came in, were dropped and were kept, by who and what was recorded."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Annotation, Score
from pipeline.query.fates import KEPT, Fate, Span, done_shards, spans
from pipeline.query.shares import LEAST_SOURCES, share, times

# What people are counted by where somebody said it of them: names of annotations.
ANNOTATED = ("gender", "age", "ethnicity", "race", "accent")
HEARD = "heard_language"
_HEARD_AS = "language"  # the annotation of `TranscribeSpeech`
SKIN = "skin_tone"
SKIN_METRIC = "skin_ita_deg"
SKIN_METRICS = (SKIN_METRIC, "skin_uneven_deg")  # of a clip, in no release: they are for sums over many
CHANCE = 0.05  # that a report names any group where no filter prefers one


@dataclass(frozen=True)
class Grouping:
    """One way to tell groups apart, and how far it may be wrong."""

    name: str
    made_of: str  # where the value comes from, and its error
    unknown: str = "not measured"
    bands: tuple[str, ...] = ()  # in order; () where values are words


@dataclass(frozen=True)
class _Band:
    unit: str
    edges: tuple[float, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        inner = [f"{low:g} to {high:g} {self.unit}" for low, high in zip(self.edges, self.edges[1:], strict=False)]
        return (f"under {self.edges[0]:g} {self.unit}", *inner, f"{self.edges[-1]:g} {self.unit} and more")

    def of(self, value: float) -> str:
        """The name of the band that holds a value; "" for one that is not known."""
        return "" if np.isnan(value) else self.names[int(np.searchsorted(self.edges, value, side="right"))]


_FACE = _Band("px", (64, 96, 128, 192, 256, 384))
_YAW = _Band("deg", (15, 30, 45, 60))
_LINES = _Band("lines", (360, 480, 720, 1080))
_FPS = _Band("fps", (15, 22, 27, 35, 55))
# Del Bino and Bernerd, British Journal of Dermatology, 2013: individual typology angle, degrees; the darkest first
_SKIN = (("dark", -30.0), ("brown", 10.0), ("tan", 28.0), ("intermediate", 41.0), ("light", 55.0), ("very light", 91.0))

MEASURED = (
    Grouping("language", "as the site or list states, its first part; nobody checked it", "not stated"),
    Grouping("height", "lines of the source, as decoded", bands=_LINES.names),
    Grouping("fps", "frames of the source over its duration, as decoded", bands=_FPS.names),
    Grouping("face_px", "median width of the detector's box over the track, chin to brow", bands=_FACE.names),
    Grouping(
        "yaw",
        "median of the detector's angle over the track, away from the camera; 3.4 degrees off the landmarker on"
        " average, on 513 faces up to 65 degrees (docs/measured/tracks.md)",
        bands=_YAW.names,
    ),
    Grouping(HEARD, "what TranscribeSpeech heard in the clip; its error was not measured"),
    Grouping(
        SKIN,
        "colour of the clip's face as recorded, by individual typology angle (ScoreSkinTone): light as much as skin,"
        " half a stop of exposure changes the class of 6 to 8 in 10 (docs/measured/faces.md)",
        bands=tuple(name for name, _ in _SKIN),
    ),
)


@dataclass(frozen=True)
class Group:
    """What became of one group. Seconds are of faces in view; of what shows no face, of the film."""

    name: str
    sources: int
    faces: int  # tracks
    clips: int  # kept
    seconds: float
    kept_seconds: float
    kept_share: float  # 0 to 1, of the seconds
    low: float  # of the share, Wilson's interval over sources, 95 %; NaN for one source alone
    high: float
    dropped: dict[str, float]  # seconds by `<operator>: <reason>`, most first


@dataclass(frozen=True)
class Cost:
    """What a filter takes of a group, of the seconds that reached it, beside what it takes of all other groups."""

    operator: str
    reason: str
    grouping: str
    group: str
    share: float  # that it dropped of the group
    others: float  # that it dropped of the others whose group is known
    times: float  # the one over the other; infinite where the others lose nothing
    low: float  # of `times`; chance is shared out over all comparisons
    high: float
    sources: int  # of the group

    @property
    def is_sure(self) -> bool:
        """Whether the interval excludes that the filter takes as much of the others."""
        return self.low > 1


@dataclass(frozen=True)
class Groups:
    """The groups of one grouping: bands in their order, words by their seconds, what is not known last."""

    grouping: Grouping
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Balance:
    """What came in, was dropped and was kept, by group; and what each filter costs whom."""

    shards: int
    shards_done: int  # only these are counted
    seconds: float
    kept_seconds: float
    by: tuple[Groups, ...]
    costs: tuple[Cost, ...]  # of each filter and grouping the group it costs most, those that are sure first
    comparisons: int  # that were made, each with `CHANCE / comparisons` to be sure by chance


def balance(manifest: Manifest, by: Collection[str] = ()) -> Balance:
    """
    Args:
        by: names of groupings; () for all that tell at least two groups apart. Any annotation's name is one.

    Raises:
        UsageError: where the last run proposes no clips, or no grouping has such a name.
    """
    shards = done_shards(manifest)
    found, said, tone = list[Span](), defaultdict[str, dict[str, str]](dict), dict[str, float]()
    for shard in shards:
        found += spans(manifest, shard)
        current = manifest.current(shard)
        for row in manifest.read(Annotation, current.get(Annotation.table, []), shard):
            if row.start_s is None:
                before = said[row.name].get(row.subject)
                said[row.name][row.subject] = row.value if before in (None, row.value) else f"{before}, {row.value}"
        for row in manifest.read(Score, current.get(Score.table, []), shard):
            if row.metric == SKIN_METRIC:
                tone[row.subject] = row.value
    known = {one.name: one for one in MEASURED}
    known |= {
        name: Grouping(name, "as annotated; nobody checked it", "not annotated") for name in said if name != _HEARD_AS
    }
    if unknown := [name for name in by if name not in known]:
        raise UsageError(f"no grouping {unknown[0]!r}; there are {', '.join(known)}")
    wanted = by or [name for name in known if name in ANNOTATED or name in {one.name for one in MEASURED}]
    tables = {name: [_value(name, said, tone)(span) for span in found] for name in wanted}
    return _summed(found, {known[name]: values for name, values in tables.items() if by or len({*values}) > 1},
                   len(manifest.shards()), len(shards))  # fmt: skip


def _value(name: str, said: dict[str, dict[str, str]], tone: dict[str, float]) -> Callable[[Span], str]:
    """What tells the group of a span; "" where nothing does."""
    nan = float("nan")
    of: dict[str, Callable[[Span], str]] = {
        "language": lambda span: span.source.language.split("-")[0].lower(),
        "height": lambda span: _LINES.of(span.source.height or nan),
        "fps": lambda span: _FPS.of(span.source.fps or nan),
        "face_px": lambda span: _FACE.of(span.face.face_px if span.face else nan),
        "yaw": lambda span: _YAW.of(span.face.yaw_deg if span.face else nan),
        HEARD: lambda span: said[_HEARD_AS].get(span.subject, ""),
        SKIN: lambda span: skin_class(tone.get(span.subject, nan)),
    }
    return of.get(name) or (lambda span: said[name].get(span.subject) or said[name].get(span.listed, ""))


def skin_class(ita_deg: float) -> str:
    """The class of an individual typology angle; "" for NaN."""
    return "" if np.isnan(ita_deg) else next(name for name, most in _SKIN if ita_deg <= most)


class _Columns(NamedTuple):
    """The spans as arrays, one entry a span."""

    source: NDArray[np.int64]
    millis: NDArray[np.float64]  # whole milliseconds, so that sums are exact and what is nothing is 0
    fate: NDArray[np.int64]  # numbers of `fates`
    fates: Sequence[Fate]  # in order, the kept last
    sources: int

    def by_source(self, some: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Milliseconds of some spans, (sources,)."""
        return np.bincount(self.source[some], self.millis[some], self.sources).astype(np.float64)


def _summed(found: Sequence[Span], by: dict[Grouping, list[str]], shards: int, done: int) -> Balance:
    first: dict[tuple[str, str], Fate] = {}  # a reason may be given of a shot, and of what was proposed in it
    for fate in sorted({*(span.fate for span in found), KEPT}):
        first.setdefault((fate.operator, fate.reason), fate)
    fates = [*first.values()]
    number = {(fate.operator, fate.reason): at for at, fate in enumerate(fates)}
    names, source = np.unique([span.source.source_id for span in found], return_inverse=True)
    columns = _Columns(
        source.astype(np.int64),
        np.round(np.array([span.seconds for span in found], np.float64) * 1000),
        np.array([number[span.fate.operator, span.fate.reason] for span in found], np.int64),
        fates,
        len(names),
    )
    tables = tuple(Groups(one, tuple(_groups(found, columns, one, values))) for one, values in by.items())
    costs, comparisons = _costs(columns, by)
    came_in, kept = columns.millis.sum(), columns.millis[columns.fate == len(fates) - 1].sum()
    return Balance(shards, done, float(came_in) / 1000, float(kept) / 1000, tables, tuple(costs), comparisons)


def _order(grouping: Grouping, values: Iterable[str], seconds: dict[str, float]) -> list[str]:
    there = {*values} - {""}
    named = [band for band in grouping.bands if band in there] or sorted(there, key=lambda one: (-seconds[one], one))
    return [*named, *([""] if "" in {*values} else [])]


def _groups(found: Sequence[Span], columns: _Columns, grouping: Grouping, values: list[str]) -> Iterable[Group]:
    of, kept = np.array(values), len(columns.fates) - 1
    seconds = {name: float(columns.millis[of == name].sum()) / 1000 for name in {*values}}
    for name in _order(grouping, values, seconds):
        mine = of == name
        left = mine & (columns.fate == kept)
        told = share(columns.by_source(left), columns.by_source(mine))
        lost = np.bincount(columns.fate[mine], columns.millis[mine], len(columns.fates))[:-1]
        dropped = {
            f"{fate.operator}: {fate.reason}": float(gone) / 1000
            for fate, gone in zip(columns.fates, lost, strict=False)
            if gone > 0
        }
        spans_of = [span for span, is_mine in zip(found, mine, strict=True) if is_mine]
        yield Group(
            name or grouping.unknown,
            len({*columns.source[mine]}),
            len({span.face.track_id for span in spans_of if span.face}),
            int(left.sum()),
            seconds[name],
            float(columns.millis[left].sum()) / 1000,
            told.share,
            told.low,
            told.high,
            dict(sorted(dropped.items(), key=lambda one: (-one[1], one[0]))),
        )


class _Compared(NamedTuple):
    """One group and all others whose group is known, before one filter: (sources,) milliseconds each."""

    filter: Fate
    grouping: str
    group: str
    lost: NDArray[np.float64]
    reached: NDArray[np.float64]
    others_lost: NDArray[np.float64]
    others_reached: NDArray[np.float64]


def _compared(columns: _Columns, by: dict[Grouping, list[str]]) -> Iterator[_Compared]:
    """Every comparison that can be made: where a group or its others have fewer than `LEAST_SOURCES` sources before a
    filter, chance explains anything.
    """
    for grouping, values in by.items():
        names, code = np.unique(values, return_inverse=True)
        cell = code * columns.sources + columns.source
        for number, fate in enumerate(columns.fates[:-1]):
            mine = columns.fate == number
            if not columns.millis[mine].sum():
                continue
            reached, lost = (
                np.bincount(cell[some], columns.millis[some], len(names) * columns.sources)
                .astype(np.float64)
                .reshape(len(names), -1)
                for some in (columns.fate >= number, mine)
            )
            known = names != ""
            all_reached, all_lost = reached[known].sum(axis=0), lost[known].sum(axis=0)
            for row in np.flatnonzero(known):
                others = all_reached - reached[row]
                if min((reached[row] > 0).sum(), (others > 0).sum()) >= LEAST_SOURCES:
                    name, gone = str(names[row]), all_lost - lost[row]
                    yield _Compared(fate, grouping.name, name, lost[row], reached[row], gone, others)


def _costs(columns: _Columns, by: dict[Grouping, list[str]]) -> tuple[list[Cost], int]:
    """Of each filter and grouping the group that it costs most, and how many comparisons that took."""
    comparisons = sum(1 for _ in _compared(columns, by))
    best: dict[tuple[Fate, str], Cost] = {}
    for one in _compared(columns, by):
        mine = share(one.lost, one.reached, CHANCE / comparisons)
        others = share(one.others_lost, one.others_reached, CHANCE / comparisons)
        ratio, low, high = times(mine, others)
        cost = Cost(one.filter.operator, one.filter.reason, one.grouping, one.group, mine.share, others.share, ratio,
                    low, high, mine.sources)  # fmt: skip
        key = one.filter, one.grouping
        if ratio > 0 and (key not in best or _rank(cost) > _rank(best[key])):
            best[key] = cost
    ordered = sorted(best.values(), key=lambda one: (not one.is_sure, -one.low, one.operator, one.reason, one.grouping))
    return ordered, comparisons


def _rank(cost: Cost) -> tuple[bool, float, float]:
    return cost.is_sure, cost.times, cost.low
