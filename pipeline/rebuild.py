"""A corpus again, from its manifest and what is left of its sources; and what became of each clip."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from manifests.errors import Inconsistent, UsageError
from manifests.manifest import LISTED, Manifest
from manifests.tables import Annotation, Clip, Dropped, Fingerprint, Published, Render, Row, Source, Split
from operators.clips.render_clips import RenderClips
from operators.fingerprints import COEFFICIENTS
from pipeline.corpus_steps.common import all_rows
from pipeline.recipe import Recipe, recipe_named

OURS = "headset"  # the dataset of clips that come from a manifest of our own
VERDICTS = {
    "identical": "every pixel of every frame is the one it was",
    "equivalent": "the same moment, in another file or by another decoder",
    "rendered": "the list says nothing that it could be compared with",
    "changed": "a video is there, but the moment is not in it, or the clip does not fit it",
    "gone": "the video is not to be had",
    "failed": "an error of ours: headset explain tells more",
    "not done": "the run has not come to it",
}


@dataclass(frozen=True)
class Verdict:
    """What became of one published clip."""

    published_id: str
    source_id: str
    verdict: str  # a key of VERDICTS
    moved_s: float | None  # the clip begins so much later than the list says
    distance: float | None  # 0 to 2, of the looks; see `LocatePublished`
    why: str


def published_rows(manifest: Manifest) -> Iterator[tuple[list[Source], list[Row]]]:
    """By shard the sources as they were listed, and what is published of them: the clips, or the rows of an imported
    list.
    """
    splits = {row.clip_id: row.split for row in all_rows(manifest, Split)}
    for shard in manifest.shards():
        held = manifest.current(shard)
        sources = manifest.read(Source, held[Source.table], shard)
        clips = manifest.read(Clip, held.get(Clip.table, []), shard)
        notes = manifest.read(Annotation, held.get(Annotation.table, []), shard)
        if not clips:
            yield sources, [*manifest.read(Published, held.get(Published.table, []), shard), *notes]
            continue
        renders = {
            one.clip_id: one for one in manifest.read(Render, held.get(Render.table, []),
                                                      shard) if one.made_by == "recording"
        }  # fmt: skip
        looks = {one.source_id: one for one in manifest.read(Fingerprint, held.get(Fingerprint.table, []), shard)}
        said = {(note.subject, note.name): note.value for note in notes}
        said |= {(clip_id, "split"): split for clip_id, split in splits.items()}
        source_of = {source.source_id: source for source in sources}
        made = [
            _published(clip, source_of[clip.source_id], renders.get(clip.clip_id), looks.get(clip.source_id), said)
            for clip in clips
        ]
        names = {clip.clip_id: one.published_id for clip, one in zip(clips, made, strict=True)}
        moved = [_about(note, names[note.subject]) for note in notes if note.subject in names]
        yield sources, [*made, *moved]


def _published(
    clip: Clip, source: Source, render: Render | None, looks: Fingerprint | None, said: dict[tuple[str, str], str]
) -> Published:
    seen = [n for n, at in enumerate(looks.times_s) if clip.start_s <= at < clip.end_s] if looks else []
    rows = (
        np.frombuffer(looks.looks, "<i2").reshape(-1, COEFFICIENTS)[seen]
        if looks
        else np.zeros((0, COEFFICIENTS), "<i2")
    )
    return Published(
        clip.source_id, f"{OURS}/{clip.clip_id}", OURS, clip.clip_id.rpartition("/")[2], clip.start_s, clip.end_s, None,
        None, 0.0, None, clip.left_px, clip.top_px, clip.right_px, clip.bottom_px, source.width, source.height, "",
        identity=said.get((clip.clip_id, "identity"),
                          clip.speaker if clip.published_id else f"{clip.source_id}/{clip.speaker}"),
        split=said.get((clip.clip_id, "split"), ""),
        source_sha256=source.sha256,
        frames_sha256=render.frames_sha256 if render else "",
        encoder=render.encoder if render else "",
        sound_late_s=clip.sound_late_s,
        looks_s=[looks.times_s[n] for n in seen] if looks else [],
        looks=rows.tobytes(),
    )  # fmt: skip


def _about(note: Annotation, published_id: str) -> Annotation:
    return replace(note, annotation_id=note.annotation_id.replace(note.subject, published_id, 1), subject=published_id)


class _Places:
    """Where the videos of sources lie, by the names they had or as <source id>.<anything>."""

    def __init__(self, folder: Path | None):
        """
        Args:
            folder: None where none was named to look in.
        """
        self.folder = folder
        self.by_name = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file()} if folder else {}
        self.by_stem = {path.stem: path for path in self.by_name.values()}

    def source(self, source: Source) -> Path | None:
        """The file of a source; None for an address that no file stands for, and where no folder was named."""
        name = Path(source.uri).name
        if found := self.by_stem.get(source.source_id) or self.by_name.get(name):
            return found
        if "://" in source.uri or self.folder is None:
            return None
        return self.folder / (name or "unnamed")  # not there: a drop will say so


def list_again(
    manifest: Manifest,
    out: Manifest,
    *,
    clips: Collection[str] = (),
    identities: Collection[str] = (),
    splits: Collection[str] = (),
    sources: Path | None = None,
) -> int:
    """Lists what a manifest publishes, or a part of it, in another one. Returns how many clips that are.

    Args:
        clips: ids of clips or of published clips, or their names in the list; () for all.
        sources: a folder with the videos, under the names they had or as <source id>.<anything>. Sources that are files
            are looked for there alone: where a manifest says they lie is what somebody else wrote, about another
            machine perhaps.

    Raises:
        UsageError: where nothing is published that fits, where sources are files and no folder is named, or `out` lists
            some of the sources with other clips.
    """
    place_of = _Places(sources)
    listed: list[Source] = []
    given: list[Row] = []
    unsought = 0  # sources that are files, with no folder named to look in
    for found, rows in published_rows(manifest):
        chosen = [
            row
            for row in rows
            if isinstance(row, Published)
            and (not clips or {row.published_id, row.published_id.removeprefix(f"{OURS}/"), row.name} & set(clips))
            and (not identities or row.identity in identities)
            and (not splits or row.split in splits)
        ]
        wanted, ids = {row.source_id for row in chosen}, {row.published_id for row in chosen}
        given += [*chosen, *(row for row in rows if isinstance(row, Annotation) and row.subject in ids)]
        for source in found:
            if source.source_id in wanted:
                here = place_of.source(source)
                unsought += not here and "://" not in source.uri
                uri = str(here.absolute()) if here else source.uri
                listed.append(Source(source.source_id, uri, licence=source.licence))
    number = sum(isinstance(row, Published) for row in given)
    if not number:
        look = f"headset status {manifest.root}"
        raise UsageError(f"{manifest.root} publishes no clip that fits; {look} says what it holds")
    if unsought:
        raise UsageError(
            f"{unsought} of the sources of {manifest.root} are files, which are looked for under --sources alone: name"
            f" the folder where they lie, headset rebuild {manifest.root} --out {out.root} --sources DIR"
        )
    new = {source.source_id for source in out.add(listed, given=given)}
    before = {row.published_id for shard in out.shards() for row in out.read(Published, [LISTED], shard)}
    lost = [row for row in given if isinstance(row, Published) and row.source_id not in new]
    if other := sum(row.published_id not in before for row in lost):
        raise UsageError(
            f"{out.root} lists the sources of {other} of these clips already, with other clips: a shard never changes;"
            " rebuild into another folder"
        )
    return number


def rebuild_recipe(manifest: Manifest) -> Recipe:
    """The recipe `rebuild`, with the clips rendered as the manifest's were."""
    recipe = recipe_named("rebuild")
    ours = RenderClips().parameters()
    for step in manifest.run.steps if manifest.run else []:
        if step.operator == RenderClips.__name__:
            # Before there was a choice, pictures went through RGB.
            for name, value in {"pixels": "rgb", **step.parameters}.items():
                if name in ours and value != ours[name]:
                    recipe = recipe.set(f"RenderClips.{name}={json.dumps(value)}")
    return recipe


def drift(manifest: Manifest) -> list[Verdict]:
    """What became of every published clip, in the order of their ids.

    Raises:
        Inconsistent: where some clip ended in no way at all.
    """
    found = [verdict for shard in manifest.shards() for verdict in _drift_of(manifest, shard)]
    return sorted(found, key=lambda verdict: verdict.published_id)


def _drift_of(manifest: Manifest, shard: int) -> Iterator[Verdict]:
    held = manifest.current(shard)
    now = {one.published_id: one for one in manifest.read(Published, held.get(Published.table, []), shard)}
    clips = {one.published_id: one for one in manifest.read(Clip, held.get(Clip.table, []), shard)}
    renders = {one.clip_id: one for one in manifest.read(Render, held.get(Render.table, []), shard)}
    drops: dict[str, list[Dropped]] = defaultdict(list)
    for drop in manifest.read(Dropped, held[Dropped.table], shard):
        drops[drop.subject].append(drop)
    steps = manifest.run.steps if manifest.run else []
    over = all(shard in manifest.committed(step.version) for step in steps)
    for listed in manifest.read(Published, [LISTED], shard):
        clip = clips.get(listed.published_id)
        render = renders.get(clip.clip_id) if clip else None
        at = now.get(listed.published_id, listed)
        if render is not None:
            verdict, why = compared(listed, at, render)
        else:
            subjects = [listed.source_id, listed.published_id, *([clip.clip_id] if clip else [])]
            ends = [drop for subject in subjects for drop in drops[subject] if drop.reason != "source_gone"]
            why = "; ".join(": ".join(filter(None, [drop.reason, drop.detail.partition("\n")[0]])) for drop in ends)
            if not ends and over:
                raise Inconsistent(f"{listed.published_id} was neither rendered nor given up; please report this")
            if any(drop.failed for drop in ends):
                verdict = "failed"
            elif any(drop.subject == listed.source_id for drop in ends):
                verdict = "gone"
            else:
                verdict = "changed" if ends else "not done"
        yield Verdict(listed.published_id, listed.source_id, verdict, at.moved_s, at.distance, why)


def compared(listed: Published, at: Published, render: Render) -> tuple[str, str]:
    """The verdict on a clip that was rendered, and why.

    Args:
        listed: the clip as it was published.
        at: the same, where it was found.
    """
    if not listed.frames_sha256:
        return "rendered", ""
    if listed.frames_sha256 == render.frames_sha256:
        other = listed.encoder != render.encoder
        return "identical", f"the file was encoded by {listed.encoder}, now by {render.encoder}" if other else ""
    if at.distance == 0.0 and at.moved_s == 0.0:
        return "equivalent", f"the same file, other pixels: made by {listed.encoder}, now by {render.encoder}"
    return "equivalent", "" if at.moved_s is not None else "the list carries no looks: not compared"


def exact_subset_sha256(manifest: Manifest, verdicts: Iterable[Verdict]) -> str:
    """Names the clips that are the same to the pixel: of their ids and the hashes of their frames, sorted."""
    exact = {verdict.published_id for verdict in verdicts if verdict.verdict == "identical"}
    lines = sorted(
        f"{row.published_id} {row.frames_sha256}"
        for shard in manifest.shards()
        for row in manifest.read(Published, [LISTED], shard)
        if row.published_id in exact
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
