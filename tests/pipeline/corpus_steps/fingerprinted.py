"""A corpus of fingerprints, without the videos."""

from pathlib import Path

from manifests.ledger import Receipt
from manifests.manifest import LISTED, Manifest, RunRecord, StepRecord
from manifests.tables import Dropped, Fingerprint, Source


def corpus_of(root: Path, rows: list[tuple[Source, Fingerprint]]) -> Manifest:
    """A manifest that holds these sources and fingerprints, and nothing else."""
    manifest = Manifest(str(root))
    manifest.add([source for source, _ in rows])
    fingerprints = {fingerprint.source_id: fingerprint for _, fingerprint in rows}
    step = StepRecord("FingerprintSource", "FingerprintSource-made", 0, "sources", ["fingerprints"], [], {}, {}, [])
    manifest.remember(RunRecord("fingerprints", [step]))
    for shard in manifest.shards():
        listed = manifest.read(Source, [LISTED], shard)
        manifest.write(Fingerprint, step.version, shard, [fingerprints[source.source_id] for source in listed])
        manifest.write(Dropped, step.version, shard, [])
        manifest.commit(step.version, shard, Receipt("X"))
    return manifest
