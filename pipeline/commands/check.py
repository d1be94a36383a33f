"""Hold a corpus against its receipts: say what is missing or damaged, and have it made again.

Tables are read whole and held against the sha256 in their receipts, media and releases by their size.
"""

import argparse
from collections.abc import Iterable

from manifests.checking import Fault, faults, repair
from manifests.errors import StorageError
from manifests.ledger import StepRecord
from manifests.manifest import Manifest
from manifests.tables import Render
from pipeline.session import as_json, driving, existing, may_wait
from pipeline.views.console import console, print_json

EXAMPLE = "headset check corpus/ --repair"
GROUP = "look"
_MOST_TOLD = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--all",
        action="store_true",
        help="also the content of media and of releases, and steps whose rows are not current",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="take back the receipts of what is damaged, so that the next run makes it again",
    )
    may_wait(parser)
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    out = console(stderr=options.json)
    manifest = existing(options.corpus, check=False)
    found = [*faults(manifest, deep=options.all), *_releases(manifest, options.all)]
    if options.json:
        print_json(found)
    for fault in found[:_MOST_TOLD]:
        out.print(f"  {fault.told()}", soft_wrap=True)
    if len(found) > _MOST_TOLD:
        out.print(f"  and {len(found) - _MOST_TOLD} more")
    if not found:
        out.print("Everything is as its receipt says." + ("" if options.all else " Content of media: --all."))
        return 0
    if not options.repair:
        out.print(f"{len(found)} faults. Have them made again: headset check {options.corpus} --repair")
        return 1
    with driving(manifest, "headset check", options.wait, out):
        left = repair(manifest, found)
    if mended := len(found) - len(left):
        out.print(f"{mended} taken back. Make them again, and nothing else:")
        for command in _commands(Manifest(manifest.root), found):
            out.print(f"  {command}", soft_wrap=True)
    for fault in left:
        out.print(f"  NOT REPAIRED: {fault.told()}", soft_wrap=True)
    return 1 if left else 0


def _releases(manifest: Manifest, deep: bool) -> list[Fault]:
    """The shards of releases that are not where, or not what, their index says."""
    from pipeline.release.place import Place
    from pipeline.release.release import release_named, releases

    found: list[Fault] = []
    for name in releases(manifest):
        note = f"releases/{name}.json"
        try:
            made = release_named(manifest, name)
            place = Place(made.to)
            if not place.files.load("release.json"):
                found.append(Fault(note, f"{made.to} holds no release", instead="make it again, or tell where it is"))
                continue
            for shard in place.shards():
                if not (place.holds(shard) if deep else place.has(shard)):
                    again = f"headset release {manifest.root} --out {made.to} --format {made.format} makes it again"
                    found.append(Fault(f"{made.to}/{shard.name}", "missing, or not what its index says", instead=again))
        except StorageError as error:
            found.append(Fault(note, str(error), instead="delete the note, and make the release again under its name"))
    return found


def _commands(manifest: Manifest, found: Iterable[Fault]) -> list[str]:
    """What makes the steps again that were taken back."""
    taken = {fault.step for fault in found if fault.step}
    commands = []
    if (run := manifest.run) is None or taken & {step.version for step in run.steps}:
        changes = "".join(f" --set {change}" for change in run.changes) if run else ""
        commands.append(f"headset run {(run.origin if run else '') or 'RECIPE'}{changes} --out {manifest.root}")
    for place, step in manifest.attached.items():
        if step.version in taken:
            commands.append(f"headset {_made_by(place, step, manifest.root)}")
    return list(dict.fromkeys(commands))


def _made_by(place: str, step: StepRecord, root: str) -> str:
    """The command that makes the rows of no recipe which have this place."""
    if Render.table in step.writes:
        system, plus, random = step.parameters["system"].partition("+")
        if step.operator == "ImportRenders":
            return f"import-renders {root} --system {system} --pairs pairs.jsonl DIR"
        return f"generate {root} --system {system}" + f" --{random}" * bool(plus)
    if "@" in place:
        return f"score {root} --metrics {step.parameters.get('variant', '')}"
    if place == "reviews":
        return f"import-reviews {root} reviews.json"
    return f"{'split' if place == 'splits' else place} {root}"
