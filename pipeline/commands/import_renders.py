"""Take videos that a generation system made elsewhere as renders of pairs: the only way to have a closed system.

Each line of the list is JSON with `pair_id`, and `file`, a name in the folder; where a line has no `file`, it is the
pair's id with every / written as __, and .mp4. `headset release` writes such a list of its pairs, for those who make
the videos. A video may have any frame rate and size; its sound is replaced by the driving one.
"""

import argparse
import json
import re
from pathlib import Path

from manifests.errors import UsageError
from pipeline.session import driving, existing, may_wait
from pipeline.views.console import console

EXAMPLE = "headset import-renders corpus/ --system veo --pairs pairs.jsonl made_by_veo/"
GROUP = "judge"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("folder", metavar="DIR", help="where the videos lie")
    parser.add_argument(
        "--system", required=True, help="what they are called in comparisons: letters, digits, -, _ and ."
    )
    parser.add_argument("--pairs", required=True, metavar="FILE", help="JSON lines: which file is which pair's")
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.generation import import_renders

    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", options.system) or options.system == "recording":
        raise UsageError(f"{options.system!r} cannot be the name of a system; use letters, digits, -, _ and .")
    out, manifest, files = console(), existing(options.corpus), files_of(Path(options.pairs), Path(options.folder))
    with driving(manifest, "headset import-renders", options.wait, out):
        tally = import_renders(manifest, options.system, files)
    out.print(f"{tally.made} renders of {options.system}.")
    for reason, number in sorted(tally.reasons.items()):
        out.print(f"  {reason}: {number}")
    return 0


def files_of(lines: Path, folder: Path) -> dict[str, Path]:
    """By pair the file.

    Raises:
        UsageError: for a line that is none, or that names a file outside the folder.
    """
    if not lines.is_file():
        raise UsageError(f"there is no file {lines}")
    found = {}
    for number, line in enumerate(lines.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            pair_id = said["pair_id"]
            name = said.get("file") or pair_id.replace("/", "__") + ".mp4"
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(
                f'{lines}:{number} is no line of pairs; write {{"pair_id": "...", "file": "name.mp4"}}'
            ) from None
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{lines}:{number}: {name!r} lies outside {folder}")
        found[pair_id] = path
    if not found:
        raise UsageError(f"{lines} names no pairs")
    return found
