"""Renders of pairs, by generation systems or from files made elsewhere: steps beside the recipe's, one a protocol, so
that systems can be had of some protocols alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import RECORDING, TEXT_DRIVEN, Clip, Dropped, Pair, Published, Render
from operators.generate.generate_video import GenerateVideo
from operators.generate.take_video import ImportRenders
from pipeline.corpus_steps.common import all_rows
from pipeline.engine.beside import Held, run_beside, step_beside
from pipeline.engine.notes import Notes
from pipeline.recipe import Step


@dataclass
class GenerationTally:
    """What became of the pairs of a run."""

    made: int = 0
    before: int = 0  # of an earlier run
    reasons: Counter[str] = field(default_factory=Counter)  # of those given up


def identities(manifest: Manifest) -> dict[str, str]:
    """Who is seen in each clip: as its published list says, else the speaker of the source."""
    published = {row.published_id: row.identity for row in all_rows(manifest, Published)}
    return {
        clip.clip_id: published.get(clip.published_id or "") or f"{clip.source_id}/{clip.speaker}"
        for clip in all_rows(manifest, Clip)
    }


def pairs_of(manifest: Manifest, protocol: str = "") -> list[Pair]:
    """The pairs of a protocol, of all where it is "".

    Raises:
        UsageError: where there are none.
    """
    pairs = [pair for pair in all_rows(manifest, Pair) if protocol in ("", pair.protocol)]
    if not pairs:
        what = f"no pairs of {protocol}" if protocol else "no pairs"
        raise UsageError(
            f"{manifest.root} holds {what}; `headset pairs {manifest.root}"
            + (f" --protocol {protocol}" if protocol else "")
            + "` makes them"
        )
    return pairs


def recordings_of(manifest: Manifest) -> tuple[str, ...]:
    """The steps that rendered what was recorded."""
    return makers_of(manifest).get(RECORDING, ())


def makers_of(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """By who made renders the steps that hold current ones of theirs, sorted."""
    found: dict[str, set[str]] = {}
    for shard in manifest.shards():
        for step in manifest.current(shard).get(Render.table, []):
            for render in manifest.read(Render, [step], shard):
                found.setdefault(render.made_by, set()).add(step)
    return {maker: tuple(sorted(steps)) for maker, steps in found.items()}


def generate(
    manifest: Manifest,
    operator: GenerateVideo,
    *,
    protocol: str = "",
    workers: int = 1,
    retry: bool = False,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> GenerationTally:
    """Makes what is not made yet.

    Args:
        workers: processes, by Ray where more than one, which must be initialised then; each has a child of its own.
        retry: another try for pairs whose drop may end otherwise.
        tell: of pairs done.

    Raises:
        UsageError: where the system cannot run here, or there is nothing to make.
    """
    operator.home.check(operator.random)
    pairs = pairs_of(manifest, _protocol(operator, protocol))
    steps, notes = _steps(manifest, operator, pairs), Notes(manifest)
    if retry:
        notes.forget_retryable(list(steps.values()))
    left = {one.row.row_id for one in notes.rows(list(steps.values())) if notes.answer(one.note) is None}
    # those of a shard that have a note are soon through
    run_beside(manifest, steps, workers=workers, tell=lambda done: tell(min(done, len(left)), len(left)))
    return _tally(manifest, steps.values(), left, len(pairs) - len(left))


def import_renders(manifest: Manifest, system: str, files: Mapping[str, Path]) -> GenerationTally:
    """Videos made elsewhere, as renders of pairs: judged and encoded as those that headset had made. It replaces what
    was imported of the system.

    Args:
        files: by pair. A file that is not there makes its pair a drop, `missing_render`.

    Raises:
        UsageError: for a pair that the corpus has not.
    """
    pairs = [pair for pair in pairs_of(manifest) if pair.pair_id in files]
    if unknown := sorted(set(files) - {pair.pair_id for pair in pairs}):
        raise UsageError(
            f"{len(unknown)} of {len(files)} pairs are not among those of {manifest.root}, such as {unknown[0]}"
        )
    steps = _steps(manifest, ImportRenders(system, files), pairs)
    run_beside(manifest, steps)
    return _tally(manifest, steps.values(), set(files), 0)


def _protocol(operator: GenerateVideo, asked: str) -> str:
    """The one whose pairs a system is given; "" for all.

    Nothing says when a system that is driven by text is to say which word, so that its renders equal no recording frame
    by frame, as those of the other protocols are asked to.

    Raises:
        UsageError: for another one than `text_driven`, of a system that is driven by text.
    """
    if operator.card.driven_by != "text":
        return asked
    if asked not in ("", TEXT_DRIVEN):
        raise UsageError(
            f"{operator.system} is driven by text: it is given pairs of {TEXT_DRIVEN} alone, and none of {asked}"
        )
    return TEXT_DRIVEN


def _steps(manifest: Manifest, operator: GenerateVideo | ImportRenders, pairs: list[Pair]) -> dict[str, Step]:
    """By place, one for each protocol of the pairs."""
    places = {f"{operator.name}@{operator.made_by}@{name}": name for name in sorted({pair.protocol for pair in pairs})}
    looks_up: Held = {Render: recordings_of(manifest)}
    return {
        place: step_beside(manifest, operator, place, looks_up=looks_up, where={"protocol": name})
        for place, name in places.items()
    }


def _tally(manifest: Manifest, steps: Iterable[Step], pairs: set[str], before: int) -> GenerationTally:
    """What the steps say of these pairs."""
    tally = GenerationTally(before=before)
    for step in steps:
        for shard in sorted(manifest.committed(step.version)):
            tally.made += sum(row.pair_id in pairs for row in manifest.read(Render, [step.version], shard))
            drops = manifest.read(Dropped, [step.version], shard)
            tally.reasons.update(drop.reason for drop in drops if drop.subject in pairs)
    return tally
