"""Takedowns: every row, file and shard entry of a source or a person is removed, and does not come back.

First all is found that is covered, and nothing changed: that is what `--dry-run` tells, and what is agreed to. Then the
takedown is written down, so that whatever runs next knows of it. Then it is taken out: media, tables of all runs there
ever were and not only of the last, receipts, selections, releases; and last the datasheets of what is left. What goes
wrong with one file is told at the end, and stops no other. Whoever is killed in between asks again: what is done
already is found done. Do it while no run is at work on the corpus.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from manifests import takedowns
from manifests.errors import UsageError
from manifests.manifest import LISTED, Manifest
from manifests.media import sha256_of
from manifests.tables import Annotation, Clip, Published, Source, Track, Turn
from manifests.takedowns import Region, Takedown, Takedowns
from pipeline.takedown.face_search import MIN_COSINE, FaceMatch, search_faces
from pipeline.takedown.releases import Withdrawal
from pipeline.takedown.removal import Removal
from pipeline.takedown.report import Report

Agree = Callable[[Report], bool]  # is shown what would be taken out, and says whether it is to be


def only_plan(_: Report) -> bool:
    """To see what would be taken out, and change nothing."""
    return False


def go_ahead(_: Report) -> bool:
    """To take out whatever is found."""
    return True


def takedown_source(manifest: Manifest, source_id: str, agree: Agree = go_ahead) -> Report:
    """Removes a source, with everything that was made of it.

    Raises:
        UsageError: for a source that the corpus neither has nor had.
    """
    listed = {row.source_id: row for shard in manifest.shards() for row in manifest.read(Source, [LISTED], shard)}
    known = {row["source_id"]: row for row in manifest.table(Source).to_pylist()}
    before = next((one for one in manifest.takedowns().all if source_id in one.sources), None)
    if source_id not in listed and before is None:
        near = [name for name, row in listed.items() if source_id in (row.uri, Path(row.uri).name)]
        raise UsageError(
            f"{manifest.root} has no source {source_id!r}"
            + (f"; did you mean {near[0]}?" if near else "; `headset sql` lists them: its table sources")
        )
    sha256 = known.get(source_id, {}).get("sha256", "") or (listed[source_id].sha256 if source_id in listed else "")
    return _take_down(manifest, before or Takedown(f"source:{source_id}", _now(), {source_id: sha256}, [], []), agree)


def takedown_identity(manifest: Manifest, name: str, agree: Agree = go_ahead) -> Report:
    """Removes a person, by the name that lists or annotations have for them, from every clip in which they are seen or
    heard.

    Raises:
        UsageError: for a name that nothing has, with those there are.
    """
    takedown_id = f"identity:{name}"
    clips, names = _clips_of(manifest, name)
    if not clips and not any(one.takedown_id == takedown_id for one in manifest.takedowns().all):
        known = ", ".join(sorted(names)[:20]) or "none: no list and no annotation `identity` names anybody"
        raise UsageError(f"{manifest.root} knows no identity {name!r}; it knows {known}")
    return _take_down(manifest, _of_rows(manifest, takedown_id, clips), agree, names=(name,))


def takedown_like(manifest: Manifest, picture: Path, min_cosine: float = MIN_COSINE, agree: Agree = go_ahead) -> Report:
    """Removes a person, by a picture of their face, from every clip in which they are seen or heard.

    What is written down is where they were found, and not what they look like: ask again when sources were added.

    Raises:
        UsageError: for a picture without a face, and where nobody looks like it.
    """
    takedown_id = f"like:{sha256_of(picture)[:12]}"
    found, unseen = search_faces(manifest, picture)
    alike = [one for one in found if one.cosine >= min_cosine]
    if not alike and not any(one.takedown_id == takedown_id for one in manifest.takedowns().all):
        best = f"; the most alike is {found[0].row_id}, with a cosine of {found[0].cosine:.2f}" if found else ""
        raise UsageError(f"nobody in {manifest.root} looks like {picture} at --min-cosine {min_cosine}{best}")
    demand = _of_rows(manifest, takedown_id, {one.row_id for one in alike})
    return _take_down(manifest, demand, agree, matches=found, unseen=unseen)


def _of_rows(manifest: Manifest, takedown_id: str, rows: set[str]) -> Takedown:
    """The demand of a person whom some clips or tracks show: where they are seen and heard, beside what was known
    already.
    """
    before = next((one for one in manifest.takedowns().all if one.takedown_id == takedown_id), None)
    regions = [*(before.regions if before else []), *_regions(manifest, rows)]
    unique = list({json.dumps(asdict(region), sort_keys=True): region for region in regions}.values())
    return Takedown(takedown_id, before.at if before else _now(), {}, unique, before.clips if before else [])


def _clips_of(manifest: Manifest, name: str) -> tuple[set[str], set[str]]:
    """The clips of an identity, and all names there are."""
    found, names = set(), set()
    made: dict[str, list[str]] = {}
    for row in manifest.table(Clip).to_pylist():
        made.setdefault(row.get("published_id") or "", []).append(row["clip_id"])
    for row in manifest.table(Published).to_pylist():
        names |= {row["identity"]} - {""}
        if row["identity"] == name:
            found |= set(made.get(row["published_id"], []))
    for row in manifest.table(Annotation).to_pylist():
        if row["name"] == "identity":
            names.add(row["value"])
            if row["value"] == name:
                found |= set(made.get(row["subject"], [row["subject"]]))
    return found, names


def _regions(manifest: Manifest, rows: set[str]) -> list[Region]:
    """Where those are seen and heard whom some clips and tracks are about."""
    found = []
    for shard in manifest.shards():
        held = manifest.current(shard)
        tracks = {track.track_id: track for track in manifest.read(Track, held.get(Track.table, []), shard)}
        clips = [
            clip
            for clip in manifest.read(Clip, held.get(Clip.table, []), shard)
            if rows & {clip.clip_id, clip.track_id}
        ]
        turns = manifest.read(Turn, held.get(Turn.table, []), shard) if clips else []
        about = {(clip.source_id, clip.track_id) for clip in clips} | {
            (tracks[row].source_id, row) for row in rows & tracks.keys()
        }
        for source_id, track_id in sorted(about):
            mine = [clip for clip in clips if (clip.source_id, clip.track_id) == (source_id, track_id)]
            voices = {clip.speaker for clip in mine} - {""}
            heard = [
                [turn.start_s, turn.end_s] for turn in turns if turn.source_id == source_id and turn.speaker in voices
            ]
            if track := tracks.get(track_id):
                boxes = track.times_s, track.left_px, track.top_px, track.right_px, track.bottom_px
                found.append(Region(track.source_id, track.start_s, track.end_s, *boxes, heard_s=heard))
            else:  # a clip of a list has no track of ours: its whole span and crop is the person's
                found += [_whole(clip, heard) for clip in mine]
    return found


def _whole(clip: Clip, heard: list[list[float]]) -> Region:
    sides = (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px)
    if any(side is None for side in sides):
        return Region(clip.source_id, clip.start_s, clip.end_s, heard_s=heard)
    return Region(
        clip.source_id,
        clip.start_s,
        clip.end_s,
        [clip.start_s, clip.end_s],
        *([side, side] for side in sides),
        heard_s=heard,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _take_down(
    manifest: Manifest,
    demand: Takedown,
    agree: Agree,
    *,
    names: Sequence[str] = (),
    matches: Sequence[FaceMatch] = (),
    unseen: Sequence[str] = (),
) -> Report:
    """Finds all that a demand covers, has that agreed to, writes the demand down, and takes it out.

    Args:
        names: what conditions may name the person by.
    """
    copies = _copies(manifest, set(demand.sources)) if demand.sources else []

    def report(planned: bool) -> Report:
        sources, regions = sorted(demand.sources), len(demand.regions)
        return Report(
            demand.takedown_id, sources, regions, copies=copies, matches=[*matches], unseen=[*unseen], planned=planned
        )

    plan = Removal(manifest, Takedowns((demand,)), report(planned=True), names)
    plan.tables()
    plan.delete_media()
    plan.from_selections()
    plan.notes_of_generation()
    Withdrawal(manifest, plan.sources, plan.clips, plan.report).remove()
    plan.report.clips = sorted(plan.clips)
    if not agree(plan.report):
        return plan.report
    others = [asdict(one) for one in manifest.takedowns().all if one.takedown_id != demand.takedown_id]
    if demand.regions:  # the clips first: when their rows are gone, selections and releases still hold them
        demand = replace(demand, clips=sorted({*demand.clips, *plan.clips}))
    manifest.save(takedowns.FILE, [*others, asdict(demand)])
    manifest.forget_sources(demand.sources)
    removal = Removal(manifest, Takedowns((demand,)), report(planned=False), plan=plan)
    removal.delete_media()
    removal.tables()
    removal.from_selections()
    removal.notes_of_generation()
    manifest.storage.clear(
        "catalog/iceberg"
    )  # it tells sizes of files that are others now; `headset catalog` makes it anew
    withdrawal = Withdrawal(manifest, removal.sources, removal.clips, removal.report)
    withdrawal.remove()
    withdrawal.describe()
    removal.report.clips = sorted(removal.clips)
    return removal.report


def _copies(manifest: Manifest, sources: set[str]) -> list[str]:
    from manifests.tables import Duplicate

    rows = manifest.table(Duplicate).to_pylist()
    shown = {row["duplicate_of"] for row in rows if row["source_id"] in sources} | sources
    return sorted(
        {name for row in rows if row["duplicate_of"] in shown for name in (row["source_id"], row["duplicate_of"])}
        - sources
    )
