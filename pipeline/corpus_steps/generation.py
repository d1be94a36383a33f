"""Renders by generation systems: one a pair, each with a note of its own that outlives a killed run, committed by shard
like any step.

    <root>/generation/<operator and hash>/<hash of the pair and its recordings>.json

A note holds what the operator made of one pair: a row, or a drop. It is named by all that the answer depends on, so a
pair that has one is not done again, whoever was killed, and however the pairs are chosen anew. Notes of a shard become
rows of `renders` and `drops`, with a receipt.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from manifests.errors import UsageError
from manifests.ledger import Receipt, StepRecord
from manifests.manifest import LISTED, Manifest
from manifests.media import MediaStore
from manifests.tables import Annotation, Clip, Dropped, Pair, Published, Render, Source
from operators.base import RenderMedia
from operators.generate.generate_video import RECORDING, GenerateVideo
from operators.generate.take_video import take_video
from pipeline.corpus_steps.common import all_rows, digest
from pipeline.engine.outcome import call_operator
from pipeline.engine.row_media import RowMedia

NOTES, IMPORT = "generation", "ImportRenders"


@dataclass
class GenerationTally:
    """What became of the pairs of a run."""

    made: int = 0
    before: int = 0  # of an earlier run
    reasons: Counter[str] = field(default_factory=Counter)  # of those given up


@dataclass
class PairWorker:
    """Makes renders of pairs, one after the other, each noted before the next is begun. Its child process stays."""

    root: str
    operator: GenerateVideo

    @cached_property
    def corpus(self) -> "PairLookup":
        return PairLookup(Manifest(self.root))

    def make(self, pair: Pair) -> bool:
        """Whether it was not done before."""
        name = self.corpus.note(self.operator, pair)
        if answered(self.corpus.manifest, name):
            return False
        media = RowMedia(pair, None, MediaStore(self.root))
        made = self.operator(
            pair,
            self.corpus.renders(pair),
            self.corpus.annotations.get(pair.driving_clip_id, []),
            cast(RenderMedia, media),
        )
        answer = call_operator(self.operator.name, pair, made)
        rows, drops = [asdict(row) for row in answer.rows], [asdict(drop) for drop in answer.drops]
        self.corpus.manifest.save(name, {"pair_id": pair.pair_id, "renders": rows, "drops": drops})
        return True

    def end(self) -> None:
        self.operator.end()


@dataclass
class PairLookup:
    """What a pair names, found across shards."""

    manifest: Manifest

    @cached_property
    def recordings(self) -> dict[str, Render]:
        return {row.clip_id: row for row in all_rows(self.manifest, Render) if row.made_by == RECORDING}

    @cached_property
    def annotations(self) -> dict[str, list[Annotation]]:
        found: dict[str, list[Annotation]] = defaultdict(list)
        for row in all_rows(self.manifest, Annotation):
            found[row.subject].append(row)
        return found

    @cached_property
    def identities(self) -> dict[str, str]:
        """Who is seen in each clip."""
        return identities(self.manifest)

    @cached_property
    def _of_person(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for clip_id, person in sorted(self.identities.items()):
            found[person].append(clip_id)
        return found

    def renders(self, pair: Pair) -> list[Render]:
        """The recordings of both clips, and others of the source's person."""
        person = self.identities.get(pair.source_clip_id, "")
        wanted = dict.fromkeys([pair.source_clip_id, pair.driving_clip_id, *self._of_person.get(person, [])])
        return [self.recordings[clip_id] for clip_id in wanted if clip_id in self.recordings]

    def note(self, operator: GenerateVideo, pair: Pair) -> str:
        """The name of the note of a pair."""
        what = [pair.pair_id, *(f"{row.clip_id} {row.sha256}" for row in self.renders(pair))]
        return f"{NOTES}/{operator.name}-{operator.fingerprint()}/{digest(what)[:32]}.json"


def identities(manifest: Manifest) -> dict[str, str]:
    """Who is seen in each clip: as its published list says, else the speaker of the source."""
    published = {row.published_id: row.identity for row in all_rows(manifest, Published)}
    return {
        clip.clip_id: published.get(clip.published_id or "") or f"{clip.source_id}/{clip.speaker}"
        for clip in all_rows(manifest, Clip)
    }


def answered(manifest: Manifest, note: str) -> dict[str, Any] | None:
    """What was made of a pair; None where nothing was, or its file is gone."""
    said = manifest.load(note)
    if said and all(MediaStore(manifest.root).has(row["media"]) for row in said["renders"]):
        return said
    return None


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


def generate(
    manifest: Manifest,
    operator: GenerateVideo,
    *,
    protocol: str = "",
    workers: int = 1,
    retry: bool = False,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> GenerationTally:
    """Makes what is not made yet, and commits it.

    Args:
        workers: processes, by Ray where more than one, which must be initialised then; each has a child of its own.
        retry: another try for pairs whose drop may end otherwise.
        tell: of pairs done.

    Raises:
        UsageError: where the system cannot run here, or there is nothing to make.
    """
    operator.home.check(operator.random)
    pairs, lookup = pairs_of(manifest, protocol), PairLookup(manifest)
    notes = {pair.pair_id: lookup.note(operator, pair) for pair in pairs}
    if retry:
        for name in notes.values():
            if (said := manifest.load(name)) and any(drop["retryable"] for drop in said["drops"]):
                manifest.delete(name)
    left = [pair for pair in pairs if not answered(manifest, notes[pair.pair_id])]
    tally = GenerationTally(before=len(pairs) - len(left))
    for number, _ in enumerate(_at_work(manifest.root, operator, left, workers), 1):
        tell(number, len(left))
    for name in sorted({pair.protocol for pair in pairs}):
        _commit(manifest, operator, [pair for pair in pairs if pair.protocol == name], notes, name)
    told = [manifest.load(notes[pair.pair_id]) for pair in left]
    tally.made = sum(bool(said["renders"]) for said in told)
    tally.reasons.update(drop["reason"] for said in told for drop in said["drops"])
    return tally


def _at_work(root: str, operator: GenerateVideo, pairs: Sequence[Pair], workers: int) -> Iterator[bool]:
    """Each pair done, as it is."""
    if workers > 1 and len(pairs) > 1:
        import ray
        from ray.util import ActorPool

        gpus = operator.resources.gpus if operator.device != "cpu" else 0
        made: Any = ray.remote(num_cpus=1, num_gpus=gpus)(PairWorker)
        actors = [made.remote(root, operator) for _ in range(min(workers, len(pairs)))]
        try:
            pool: Any = ActorPool(actors)
            yield from pool.map_unordered(lambda actor, pair: actor.make.remote(pair), pairs)
        finally:
            ray.get([actor.end.remote() for actor in actors])
        return
    worker = PairWorker(root, operator)
    try:
        yield from map(worker.make, pairs)
    finally:
        if pairs:
            worker.end()


def _commit(
    manifest: Manifest, operator: GenerateVideo, pairs: Sequence[Pair], notes: dict[str, str], protocol: str
) -> None:
    """The notes of a protocol as rows."""
    step = f"{operator.name}-{digest([operator.fingerprint(), *sorted(notes[pair.pair_id] for pair in pairs)])[:12]}"
    said = {pair.pair_id: manifest.load(notes[pair.pair_id]) for pair in pairs}
    rows = {name: [Render(**row) for row in one["renders"]] for name, one in said.items()}
    drops = {name: [Dropped(**row) for row in one["drops"]] for name, one in said.items()}
    commit_renders(
        manifest,
        _record(operator.name, step, operator.parameters()),
        f"{operator.made_by}@{protocol}",
        pairs,
        rows,
        drops,
    )


def _record(operator: str, step: str, parameters: dict[str, Any]) -> StepRecord:
    weights = [{"file": name, "sha256": sha256} for name, sha256 in parameters.get("weights", {}).items()]
    return StepRecord(operator, step, -1, Pair.table, [Render.table], [], {}, parameters, weights)


def commit_renders(
    manifest: Manifest,
    record: StepRecord,
    place: str,
    pairs: Sequence[Pair],
    renders: Mapping[str, Sequence[Render]],
    drops: Mapping[str, Sequence[Dropped]],
) -> None:
    """Writes what became of pairs, by shard of their source, and has it count as current. It replaces what had the
    place.

    Args:
        renders, drops: by pair.
    """
    shard_of = {row.source_id: shard for shard in manifest.shards() for row in manifest.read(Source, [LISTED], shard)}
    by_shard: dict[int, list[str]] = defaultdict(list)
    for pair in pairs:
        by_shard[shard_of[pair.source_id]].append(pair.pair_id)
    for shard in manifest.shards():
        made = [row for name in by_shard[shard] for row in renders[name]]
        lost = [row for name in by_shard[shard] for row in drops[name]]
        manifest.finish(
            record.version, shard, {Render: made}, lost, _receipt(record, len(by_shard[shard]), len(made), lost)
        )
    manifest.attach(f"{record.operator}@{place}", record)


def import_renders(manifest: Manifest, system: str, files: Mapping[str, Path]) -> GenerationTally:
    """Videos made elsewhere, as renders of pairs: judged and encoded as those that headset had made. It replaces what
    was imported of the system.

    Args:
        files: by pair. A file that is not there makes its pair a drop, `missing_render`.

    Raises:
        UsageError: for a pair that the corpus has not.
    """
    pairs, lookup = {pair.pair_id: pair for pair in pairs_of(manifest)}, PairLookup(manifest)
    if unknown := sorted(set(files) - set(pairs)):
        raise UsageError(
            f"{len(unknown)} of {len(files)} pairs are not among those of {manifest.root}, such as {unknown[0]}"
        )
    store, tally = MediaStore(manifest.root), GenerationTally()
    answers = {}
    for name in sorted(files):
        media = cast(RenderMedia, RowMedia(pairs[name], None, store))
        answers[name] = call_operator(
            IMPORT, pairs[name], take_video(pairs[name], system, files[name], lookup.renders(pairs[name]), media)
        )
    for protocol in sorted({pairs[name].protocol for name in files}):
        some = [pairs[name] for name in sorted(files) if pairs[name].protocol == protocol]
        renders = {pair.pair_id: cast(list[Render], answers[pair.pair_id].rows) for pair in some}
        drops = {pair.pair_id: answers[pair.pair_id].drops for pair in some}
        made_of = [row.sha256 for rows in renders.values() for row in rows] + [pair.pair_id for pair in some]
        step = f"{IMPORT}-{digest([system, *made_of])[:12]}"
        commit_renders(
            manifest, _record(IMPORT, step, {"system": system}), f"{system}@{protocol}", some, renders, drops
        )
        tally.made += sum(map(len, renders.values()))
        tally.reasons.update(drop.reason for some_drops in drops.values() for drop in some_drops)
    return tally


def _receipt(record: StepRecord, read: int, answered: int, drops: Sequence[Dropped]) -> Receipt:
    failed = sum(drop.failed for drop in drops)
    return Receipt(
        record.operator,
        calls={"read": read, "answered": answered, "dropped": len(drops) - failed, "failed": failed},
        rows={Render.table: answered},
        drops=len(drops),
        reasons=dict(sorted(Counter(drop.reason for drop in drops).items())),
        reads=record.reads,
    )
