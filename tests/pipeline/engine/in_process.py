"""A plan done in this process, as workers do it, without Ray."""

from manifests.manifest import Manifest
from pipeline.engine.alone import work
from pipeline.recipe import Plan


def do(plan: Plan, manifest: Manifest) -> Manifest:
    """Does what is not done, and returns the manifest as it is then."""
    manifest.remember(plan.record())
    work(plan, manifest)
    return Manifest(manifest.root)
