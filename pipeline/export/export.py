"""An export: clips in one layout, resumable, each one written or refused, with a report."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from manifests.errors import DamagedMedia, MissingMedia, UsageError
from operators.base import Drop
from pipeline.export.clip import ExportClip
from pipeline.export.files import write_text
from pipeline.export.layout import Given, Layout, Refused, Written, layout_named
from pipeline.export.layouts import layouts

_COUNTED = (
    "caption",
    "sound",
)  # of what layouts note of a clip: who made the caption, and where its wider sound is from


def export(
    name: str, clips: Sequence[ExportClip], to: Path, given: Given | None = None, workers: int = 1
) -> Iterator[Written | Refused]:
    """Writes clips in a layout, one after the other, then its lists and `export.json`. Each clip ends as written or
    refused.

    What an earlier export of the same clips to the same folder has written is told, not written again: `export.jsonl`
    holds a line for each clip that is whole.

    Raises:
        UsageError: where the folder holds another export, or clips that are not among these.
    """
    layout, given = layout_named(name), given or Given()
    journal = _Journal(to / "export.jsonl", _settings(name, layout, given))
    done = journal.read()
    now = {clip.clip_id: clip for clip in clips}
    if stale := sorted(clip_id for clip_id, outcome in done.items() if not _holds(outcome, now.get(clip_id))):
        raise UsageError(
            f"{to} holds {len(stale)} clips that are gone or changed since, such as {stale[0]}; export to another"
            " folder, and delete this one"
        )
    to.mkdir(parents=True, exist_ok=True)
    highest = max((outcome.number for outcome in done.values()), default=0)
    todo = []
    for clip in clips:
        if (before := done.get(clip.clip_id)) is not None:
            yield before
            continue
        highest += 1
        todo.append(replace(clip, number=highest))
    for outcome in _each(name, todo, to, given, workers):
        journal.add(outcome)
        done[outcome.clip_id] = outcome
        yield outcome
    written = sorted(
        (outcome for outcome in done.values() if isinstance(outcome, Written)), key=lambda outcome: outcome.clip_id
    )
    layout.finish(written, to, given)
    write_text(
        to / "export.json", json.dumps(_report(name, layout, given, clips, done), indent=1, sort_keys=True) + "\n"
    )


def _holds(before: "Written | Refused", clip: ExportClip | None) -> bool:
    if clip is None or before.sha256 != clip.sha256:
        return False
    return isinstance(before, Refused) or (before.split, before.person) == (clip.split, clip.person)


def _each(name: str, clips: list[ExportClip], to: Path, given: Given, workers: int) -> Iterator[Written | Refused]:
    if workers == 1:
        for clip in clips:
            yield _one(name, clip, to, given)
        return
    import multiprocessing

    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_one, [name] * len(clips), clips, [to] * len(clips), [given] * len(clips))


def _one(name: str, clip: ExportClip, to: Path, given: Given) -> Written | Refused:
    clip = replace(clip)  # whatever it comes to hold goes when it is written
    try:
        note = layout_named(name).write(clip, to, given)
    except Drop as drop:
        return Refused(clip.clip_id, clip.sha256, clip.number, drop.reason, drop.detail)
    except MissingMedia as error:
        return Refused(clip.clip_id, clip.sha256, clip.number, "media_missing", str(error))
    except DamagedMedia as error:
        return Refused(clip.clip_id, clip.sha256, clip.number, "media_damaged", str(error))
    return Written(clip.clip_id, clip.sha256, clip.number, clip.person, clip.split, clip.licence, note)


def _counted(fact: str, written: Iterable[Written]) -> Counter[str]:
    return Counter(str(outcome.note[fact]) for outcome in written if fact in outcome.note)


def _settings(name: str, layout: Layout, given: Given) -> dict[str, Any]:
    return {
        "layout": name,
        "version": layout.version,
        "with": sorted(given.folders),
        "substituted": {need: layout.substitutes[need] for need in sorted(given.substitutes)},
    }


def _report(
    name: str, layout: Layout, given: Given, clips: Sequence[ExportClip], done: Mapping[str, Written | Refused]
) -> dict[str, Any]:
    written = [outcome for outcome in done.values() if isinstance(outcome, Written)]
    refused = [outcome for outcome in done.values() if isinstance(outcome, Refused)]
    assert len(written) + len(refused) == len(clips), (
        f"{len(written)} written and {len(refused)} refused of {len(clips)} clips"
    )
    content = hashlib.sha256(
        "".join(f"{clip.clip_id} {clip.sha256}\n" for clip in sorted(clips, key=lambda c: c.clip_id)).encode()
    )
    return {
        **_settings(name, layout, given),
        "reads": layouts()[name],
        "clips": len(clips),
        "clips_sha256": content.hexdigest(),
        "written": len(written),
        "refused": dict(Counter(outcome.reason for outcome in refused)),
        "people": len({outcome.person for outcome in written}),
        "splits": dict(Counter(outcome.split for outcome in written)),
        "meshed": sum(bool(clip.mesh) for clip in clips),
        "licences": dict(Counter(outcome.licence or "not stated" for outcome in written)),
        **{fact: dict(counts) for fact in _COUNTED if (counts := _counted(fact, written))},
    }


@dataclass(frozen=True)
class _Journal:
    """One line a clip, appended when the clip is whole. The first line holds the settings."""

    path: Path
    settings: dict[str, Any]

    def read(self) -> dict[str, Written | Refused]:
        if not self.path.is_file():
            return {}
        lines = self.path.read_bytes().split(b"\n")
        whole = [
            json.loads(line) for line in lines[:-1]
        ]  # behind the last line's end is nothing, or what a killed export left
        if lines[-1]:
            write_text(self.path, "".join(json.dumps(line, sort_keys=True) + "\n" for line in whole))
        if whole and whole[0] != self.settings:
            raise UsageError(
                f"{self.path.parent} holds an export with other settings, {whole[0]}; export to another folder, or"
                " delete it"
            )
        outcomes = [(Refused if "reason" in line else Written)(**line) for line in whole[1:]]
        return {outcome.clip_id: outcome for outcome in outcomes}

    def add(self, outcome: Written | Refused) -> None:
        fresh = not self.path.is_file() or not self.path.stat().st_size
        with self.path.open("a") as stream:
            if fresh:
                stream.write(json.dumps(self.settings, sort_keys=True) + "\n")
            stream.write(json.dumps(asdict(outcome), sort_keys=True) + "\n")


def check(name: str, folder: Path) -> Iterator[str]:
    """What the layout's loader would choke on, and what does not agree with `export.json`. It needs no corpus."""
    layout = layout_named(name)
    report = folder / "export.json"
    if not report.is_file():
        yield "export.json: missing, so the export did not come to its end; run it again"
        return
    told = json.loads(report.read_text())
    if told["layout"] != name:
        yield f"export.json: this is the layout {told['layout']}"
        return
    if not told["written"]:
        yield "export.json: no clip was written"
        return
    yield from layout.validate(folder)
