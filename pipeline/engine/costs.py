"""How long each operator takes for a second of media, as measured: what `headset plan` estimates with."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.cache import cache_folder
from manifests.manifest import Manifest
from manifests.tables import Source

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
    "PlanClips": 0.004,
    "LandmarkFaces": 0.18,
    "ScorePicture": 0.03,
    "ScoreSharpness": 0.004,
    "ScoreFace": 0.001,
    "ScoreSpeech": 0.10,
    "ScoreSync": 0.30,
    "KeepClips": 0.004,
    "RenderClips": 0.38,
}


@dataclass(frozen=True)
class Rates:
    """Seconds of work for a second of source media, by operator."""

    seconds: dict[str, float]
    origin: str  # where the figures come from, for people

    def of(self, operator: str) -> float | None:
        return self.seconds.get(operator)


def rates() -> Rates:
    """This machine's own rates where it has run before, those shipped with headset for the rest."""
    own = {name: told["seconds"] / told["media_s"] for name, told in _load().items() if told["media_s"] > 0}
    return Rates(
        {**SHIPPED, **own}, "rates measured by earlier runs here" if own else "rates measured on another machine"
    )


def learn(manifest: Manifest, since: dict[str, set[int]]) -> None:
    """Adds what a run measured to this machine's rates.

    Args:
        since: the shards each step had committed before the run.
    """
    if manifest.run is None:
        return
    known = _load()
    for step in manifest.run.steps:
        for shard, receipt in manifest.receipts(
            step.version, manifest.committed(step.version) - since.get(step.version, set())
        ).items():
            held = manifest.current(shard).get(Source.table, [])
            media_s = sum(source.end_s - source.start_s for source in manifest.read(Source, held, shard))
            told = known.setdefault(step.operator, {"seconds": 0.0, "media_s": 0.0})
            told["seconds"] += receipt.cpu_s + receipt.decode_cpu_s
            told["media_s"] += media_s
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(known, indent=1, sort_keys=True))
    os.replace(part, path)


def _load() -> dict[str, Any]:
    path = _path()
    return json.loads(path.read_text()) if path.is_file() else {}


def _path() -> Path:
    return cache_folder() / "rates.json"
