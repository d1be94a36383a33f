"""Make the clips of a manifest, or of an imported list, again, and say what became of each.

Each clip ends as identical (every frame has the hash it had), equivalent (the same moment was found in another file),
changed, or gone. Run it again to go on after a stop.
"""

import argparse
from pathlib import Path

from manifests.manifest import Manifest
from manifests.media import MediaStore
from pipeline.session import as_json, done, driving, existing, go_on, may_wait, positive, watching
from pipeline.views.console import answer, console

EXAMPLE = "headset rebuild published/ --out corpus/ --split test --json > drift.json"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("manifest", help="a corpus, with its media or without them, or an imported list")
    parser.add_argument("--out", metavar="CORPUS", required=True, help="a folder, or s3://bucket/prefix")
    parser.add_argument(
        "--sources",
        metavar="DIR",
        type=Path,
        help="where the sources that are files lie, under the names they had or their source ids",
    )
    parser.add_argument("--clip", action="append", default=[], help="only this one; may be given again")
    parser.add_argument(
        "--identity", action="append", default=[], help="only the clips of this person; may be given again"
    )
    parser.add_argument("--split", action="append", default=[], help="only this split; may be given again")
    parser.add_argument("--workers", type=positive, help="units of work at a time (default: one a core)")
    parser.add_argument("--cpus", type=positive, help="cores to use on this machine (default: all)")
    watching(parser)
    as_json(parser)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.rebuild import list_again, rebuild_recipe
    from pipeline.views.drift import drift_of

    talk = console(stderr=options.json, quiet=options.quiet)
    manifest = existing(options.manifest)
    MediaStore(options.out).check()
    out = Manifest(options.out)
    plan = rebuild_recipe(manifest).plan()
    with driving(out, "headset rebuild", options.wait, talk):
        clips = list_again(
            manifest, out, clips=options.clip, identities=options.identity, splits=options.split,
            sources=options.sources
        )  # fmt: skip
        talk.print(f"{clips} clips to rebuild.")
        go_on(plan, out, talk, done(plan, out), workers=options.workers, cpus=options.cpus, log=options.log)
    talk.print()
    answer(drift_of(Manifest(options.out)), options.json, talk)
    return 0
