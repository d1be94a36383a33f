"""How long each operator takes for a second of media, as measured: what `headset plan` estimates with."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.cache import cache_folder
from manifests.manifest import Manifest
from manifests.table_files import file_of
from manifests.tables import Render, Source, tables

# Seconds of one core for a second of 720p video that is all talking head, until this machine has its own:
# docs/measured/speed.md.
SHIPPED: dict[str, float] = {
    "DownloadVideo": 0.006,
    "ProbeSource": 0.004,
    "DetectShots": 0.10,
    "DetectFaces": 0.09,
    "EmbedFaces": 0.02,
    "MeasureFaces": 0.015,
    "TrackFaces": 0.02,
    "DiarizeSpeakers": 0.29,
    "DetectActiveSpeaker": 0.35,
    "RefineTurns": 0.04,
    "PlanClips": 0.004,
    "LandmarkFaces": 0.32,
    "ScorePicture": 0.03,
    "ScoreSharpness": 0.004,
    "ScoreFace": 0.001,
    "ScoreSpeech": 0.10,
    "ScoreSync": 0.01,
    "KeepClips": 0.004,
    "RenderClips": 0.38,
}


@dataclass(frozen=True)
class Rates:
    """Seconds of work for a second of source media, by operator."""

    seconds: dict[str, float]
    origin: str  # where the figures come from, for people
    error: float | None = None  # of what these foretold of the last run: took / foretold - 1; None before any
    bytes: float | None = None  # of a corpus, for a second of source media, as the last run on a local disk left it

    def of(self, operator: str) -> float | None:
        return self.seconds.get(operator)


def rates() -> Rates:
    """This machine's own rates where it has run before, those shipped with headset for the rest."""
    known = _load()
    own = {name: told["seconds"] / told["media_s"] for name, told in known["operators"].items() if told["media_s"] > 0}
    origin = "rates measured by earlier runs here" if own else "rates measured on another machine"
    return Rates({**SHIPPED, **own}, origin, known["last"].get("error"), known["last"].get("bytes"))


def learn(manifest: Manifest, since: dict[str, set[int]]) -> None:
    """Adds what a run measured to this machine's rates, and how far they were off.

    Args:
        since: the shards each step had committed before the run.
    """
    if manifest.run is None:
        return
    before, known = rates(), _load()
    foretold = took = 0.0
    shards: dict[str, set[int]] = {}
    for step in manifest.run.steps:
        shards[step.version] = manifest.committed(step.version) - since.get(step.version, set())
        for shard, receipt in manifest.receipts(step.version, shards[step.version]).items():
            media_s, work_s = _media_s(manifest, shard), receipt.cpu_s + receipt.decode_cpu_s
            told = known["operators"].setdefault(step.operator, {"seconds": 0.0, "media_s": 0.0})
            told["seconds"] += work_s
            told["media_s"] += media_s
            if (rate := before.of(step.operator)) is not None:
                foretold, took = foretold + rate * media_s, took + work_s
    if foretold > 0:
        known["last"]["error"] = took / foretold - 1
    whole = set[int].intersection(*shards.values()) if shards else set()  # were made from end to end
    if whole and "://" not in manifest.root and (media_s := sum(_media_s(manifest, shard) for shard in whole)) > 0:
        known["last"]["bytes"] = sum(_bytes(manifest, list(shards), shard) for shard in whole) / media_s
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(known, indent=1, sort_keys=True))
    os.replace(part, path)


def _media_s(manifest: Manifest, shard: int) -> float:
    held = manifest.current(shard).get(Source.table, [])
    return sum(source.end_s - source.start_s for source in manifest.read(Source, held, shard))


def _bytes(manifest: Manifest, steps: Iterable[str], shard: int) -> int:
    """Of a shard's tables and renders, on this disk."""
    files = (Path(manifest.root, file_of(table, step, shard)) for step in steps for table in tables())
    renders = manifest.read(Render, manifest.current(shard).get(Render.table, []), shard)
    media = (Path(manifest.root, render.media) for render in renders)
    return sum(path.stat().st_size for path in (*files, *media) if path.is_file())


def _load() -> dict[str, Any]:
    path = _path()
    return json.loads(path.read_text()) if path.is_file() else {"operators": {}, "last": {}}


def _path() -> Path:
    return cache_folder() / "costs.json"
