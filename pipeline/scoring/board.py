"""The board of a protocol: a system a row, a metric a column, where a row that lacks pairs stands apart and the
recordings and the floors always stand beside.

A value is the mean over pairs. Its interval is by bootstrap over persons, not pairs: ten clips of one person are no ten
witnesses. Values of a metric that differ in protocol or model are not set beside each other: the column says so.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import RECORDING, TEXT_DRIVEN, Clip, FaceLandmarks, Pair, Render, Score, Source
from operators.generate.cards import FOLDER, cards
from operators.generate.generate_video import RANDOM
from operators.metrics.base import NOTHING, Metric
from operators.protocol import Protocol
from pipeline.corpus_steps.common import all_rows
from pipeline.corpus_steps.generation import identities, pairs_of
from pipeline.scoring.score import metrics_there

RESAMPLES = 1000
FRONTAL_DEG, TURNED_DEG = 15.0, 40.0
SMALL_FACE_PX, LARGE_FACE_PX = 100.0, 250.0


@dataclass(frozen=True)
class BoardCell:
    """One metric of one system."""

    value: float  # NaN where there is none
    low: float  # 95 % interval; NaN for fewer than two persons
    high: float
    pairs: int  # with a value


@dataclass(frozen=True)
class BoardRow:
    """One system, or the recordings."""

    maker: str
    kind: str  # recording, floor, system
    renders: int  # of the pairs of the protocol
    cells: Mapping[str, BoardCell]  # by variant


@dataclass(frozen=True)
class BoardGroup:
    """The means of some pairs alone: those whose driving clip is alike in one respect."""

    name: str
    pairs: int
    cells: Mapping[tuple[str, str], float]  # by maker and variant


@dataclass(frozen=True)
class Board:
    """What people are shown."""

    corpus: str
    protocol: str
    pairs: tuple[Pair, ...]  # those on which systems differ most come first
    persons: int
    metrics: tuple[Metric, ...]
    complete: tuple[BoardRow, ...]  # with a render of every pair
    partial: tuple[BoardRow, ...]
    groups: tuple[BoardGroup, ...]
    withheld: Mapping[str, str]  # by variant, why it has no column
    notes: tuple[str, ...]
    renders: Mapping[tuple[str, str], Render] = field(repr=False)  # by pair and maker
    recordings: Mapping[str, Render] = field(repr=False)  # by clip

    @property
    def rows(self) -> tuple[BoardRow, ...]:
        return self.complete + self.partial


def board(
    manifest: Manifest, protocol: str, *, random: bool = False, resamples: int = RESAMPLES, seed: int = 0
) -> Board:
    """Puts the scores of a protocol together.

    Args:
        random: show systems with random weights too.

    Raises:
        UsageError: where the corpus has no pairs of the protocol, no renders of them, or no scores.
    """
    pairs = {pair.pair_id: pair for pair in pairs_of(manifest, protocol)}
    renders, recordings = _renders(manifest, pairs, random)
    if not renders:
        raise UsageError(
            f"{manifest.root} holds no renders of {protocol}; `headset generate {manifest.root} --system copy"
            f" --protocol {protocol}` makes a floor's"
        )
    values, withheld = _values(manifest, pairs, renders, recordings)
    if not values:
        raise UsageError(f"{manifest.root}: no render of {protocol} is scored; `headset score {manifest.root}` does it")
    there = metrics_there()
    metrics = tuple(metric for variant, metric in there.items() if any(variant in of for of in values.values()))
    persons = _persons(manifest, pairs.values())
    floors = {card.name for card in cards() if card.floor and (card.driven_by != "text" or protocol == TEXT_DRIVEN)}
    counts = {maker: sum(key[1] == maker for key in renders) for maker in {key[1] for key in renders}}
    rows = []
    for maker in sorted({RECORDING, *counts, *floors & values.keys()}):
        kind = maker if maker == RECORDING else "floor" if maker in floors else "system"
        number = (
            sum(pair.driving_clip_id in recordings for pair in pairs.values()) if maker == RECORDING else counts[maker]
        )
        cells = {variant: _cell(of, persons, resamples, seed) for variant, of in values.get(maker, {}).items()}
        rows.append(BoardRow(maker, kind, number, cells))
    rows.sort(key=lambda row: (("recording", "system", "floor").index(row.kind), row.maker))
    ordered = sorted(pairs, key=lambda name: (-_difference(name, values), name))
    return Board(
        manifest.root, protocol, tuple(pairs[name] for name in ordered), len(set(persons.values())), metrics,
        tuple(row for row in rows if row.renders == len(pairs)), tuple(row for row in rows if row.renders < len(pairs)),
        tuple(_groups(manifest, pairs, values)), withheld, tuple(_notes(renders, recordings, floors, counts)), renders,
        recordings,
    )  # fmt: skip


def _renders(
    manifest: Manifest, pairs: Mapping[str, Pair], random: bool
) -> tuple[dict[tuple[str, str], Render], dict[str, Render]]:
    renders, recordings = {}, {}
    for row in all_rows(manifest, Render):
        if row.made_by == RECORDING:
            recordings[row.clip_id] = row
        elif row.pair_id in pairs and (random or not row.made_by.endswith(RANDOM)):
            renders[row.pair_id, row.made_by] = row
    return renders, recordings


def _values(
    manifest: Manifest,
    pairs: Mapping[str, Pair],
    renders: Mapping[tuple[str, str], Render],
    recordings: Mapping[str, Render],
) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, str]]:
    """By maker, variant and pair the value; and why a variant is withheld."""
    there = metrics_there()
    of_render = {render.render_id: key for key, render in renders.items()}
    driven: dict[str, list[str]] = defaultdict(list)  # by recording the pairs it drives
    for pair in pairs.values():
        if pair.driving_clip_id in recordings:
            driven[recordings[pair.driving_clip_id].render_id].append(pair.pair_id)
    values: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    kinds: dict[str, set[tuple[Protocol, str]]] = defaultdict(set)
    for row in all_rows(manifest, Score):
        if row.variant not in there or isnan(row.value):
            continue
        if row.subject in of_render:
            name, maker = of_render[row.subject]
            values[maker][row.variant][name] = row.value
        elif row.subject in driven and there[row.variant].compares == NOTHING:
            for name in driven[row.subject]:
                values[RECORDING][row.variant][name] = row.value
        else:
            continue
        kinds[row.variant].add((Protocol.read(row.protocol), row.model_sha256))
    withheld = {
        variant: (
            f"its values are of {len(found)} kinds, which must not be compared:"
            f" {'; '.join(sorted({protocol.label for protocol, _ in found}))}"
        )
        for variant, found in kinds.items()
        if len(found) > 1
    }
    kept = {
        maker: {variant: of for variant, of in some.items() if variant not in withheld}
        for maker, some in values.items()
    }
    return {maker: some for maker, some in kept.items() if some}, withheld


def _persons(manifest: Manifest, pairs: Iterable[Pair]) -> dict[str, str]:
    """By pair, whose picture it moves."""
    of_clip = identities(manifest)
    return {pair.pair_id: of_clip.get(pair.source_clip_id, pair.source_clip_id) for pair in pairs}


def _cell(of: Mapping[str, float], persons: Mapping[str, str], resamples: int, seed: int) -> BoardCell:
    names = sorted(of)
    low, high = by_person(np.array([of[name] for name in names]), [persons[name] for name in names], resamples, seed)
    return BoardCell(float(np.mean([of[name] for name in names])), low, high, len(names))


def by_person(values: NDArray[np.float64], persons: list[str], resamples: int, seed: int) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the mean, with persons drawn with replacement, each with all its values; NaN
    for fewer than two persons.

    Args:
        values: (n,).
        persons: whose each value is.
    """
    found, number = np.unique(persons, return_inverse=True)
    if len(found) < 2 or not resamples:
        return nan, nan
    sums, counts = np.bincount(number, values), np.bincount(number)
    drawn = np.random.default_rng(seed).multinomial(len(found), np.full(len(found), 1 / len(found)), size=resamples)
    low, high = np.percentile(drawn @ sums / (drawn @ counts), (2.5, 97.5))
    return float(low), float(high)


def _difference(name: str, values: Mapping[str, Mapping[str, Mapping[str, float]]]) -> float:
    """How far systems differ on a pair: the mean over metrics of the spread of their values, in units of the metric's
    spread over all.
    """
    spreads = []
    for variant in {variant for some in values.values() for variant in some}:
        every = [
            value for maker, some in values.items() if maker != RECORDING for value in some.get(variant, {}).values()
        ]
        here = [
            some[variant][name]
            for maker, some in values.items()
            if maker != RECORDING and name in some.get(variant, {})
        ]
        if len(here) > 1 and np.std(every) > 0:
            spreads.append(float(np.std(here) / np.std(every)))
    return float(np.mean(spreads)) if spreads else 0.0


def _groups(
    manifest: Manifest, pairs: Mapping[str, Pair], values: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> Iterable[BoardGroup]:
    """Means of pairs whose driving clips are alike in head turn, in the size of the face, or in language."""
    yaw, face = {}, {}
    for mesh in all_rows(manifest, FaceLandmarks):
        seen = np.array(mesh.seen, bool)
        if seen.any():
            yaw[mesh.clip_id] = float(np.median(np.abs(np.array(mesh.yaw_deg)[seen])))
            # the square looked at is twice the face's box
            face[mesh.clip_id] = float(np.median(np.array(mesh.side_px)[seen])) / 2
    spoken = {source.source_id: source.language for source in all_rows(manifest, Source)}
    language = {clip.clip_id: spoken.get(clip.source_id, "") for clip in all_rows(manifest, Clip)}
    told: list[tuple[str, Callable[[str], bool]]] = [
        (f"head turned less than {FRONTAL_DEG:.0f}°", lambda clip: yaw.get(clip, nan) < FRONTAL_DEG),
        (f"{FRONTAL_DEG:.0f}° to {TURNED_DEG:.0f}°", lambda clip: FRONTAL_DEG <= yaw.get(clip, nan) < TURNED_DEG),
        (f"{TURNED_DEG:.0f}° and more", lambda clip: yaw.get(clip, nan) >= TURNED_DEG),
        (f"face under {SMALL_FACE_PX:.0f} px", lambda clip: face.get(clip, nan) < SMALL_FACE_PX),
        (
            f"face of {SMALL_FACE_PX:.0f} to {LARGE_FACE_PX:.0f} px",
            lambda clip: SMALL_FACE_PX <= face.get(clip, nan) < LARGE_FACE_PX,
        ),
        (f"face of {LARGE_FACE_PX:.0f} px and more", lambda clip: face.get(clip, nan) >= LARGE_FACE_PX),
    ]
    languages = sorted(set(language.values()) - {""})
    told += [(f"language {name}", lambda clip, name=name: language.get(clip) == name) for name in languages]
    for name, holds in told:
        inside = {pair_id for pair_id, pair in pairs.items() if holds(pair.driving_clip_id)}
        cells = {
            (maker, variant): float(np.mean([value for one, value in of.items() if one in inside]))
            for maker, some in values.items()
            for variant, of in some.items()
            if inside & of.keys()
        }
        if inside:
            yield BoardGroup(name, len(inside), cells)


def _notes(
    renders: Mapping[tuple[str, str], Render],
    recordings: Mapping[str, Render],
    floors: set[str],
    counts: Mapping[str, int],
) -> Iterable[str]:
    encoders = {row.encoder for row in [*renders.values(), *recordings.values()]}
    if len(encoders) > 1:
        yield (
            f"Renders and recordings were encoded in {len(encoders)} ways; a change of codec alone moves measures of"
            f" lip sync: {'; '.join(sorted(encoders))}."
        )
    else:
        speak = sorted(card.name for card in cards() if card.driven_by == "text" and card.name in counts)
        own = f"; those of {', '.join(speak)} have the sound that it speaks" if speak else ""
        yield f"Renders and recordings went through one transcode, with the driving sound in them{own}."
    if missing := sorted(name for name in floors if name not in counts and (FOLDER / f"{name}.py").is_file()):
        yield (
            f"Not made, of the floors: {', '.join(missing)}. `headset generate CORPUS --system {missing[0]}` makes one."
        )
    if random := sorted(name for name in counts if name.endswith(RANDOM)):
        yield f"Random weights, which say nothing of a system: {', '.join(random)}."
