"""A plan done in this process, stage by stage, as workers do it, without Ray."""

from manifests.manifest import Manifest
from pipeline.engine.worker import ShardWorker
from pipeline.recipe import Plan


def do(plan: Plan, manifest: Manifest) -> Manifest:
    """Does what is not done, and returns the manifest as it is then."""
    manifest.remember(plan.record())
    for stage in range(len(plan.stages)):
        worker = ShardWorker(manifest, plan, stage)
        for shard in manifest.shards():
            worker({"shard": shard})
    return Manifest(manifest.root)
