"""Write the clips in the layout that a trainer's loader reads, and check them by its rules."""

import argparse
from collections import Counter
from pathlib import Path

from rich.console import Console

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.export.layouts import layouts
from pipeline.session import existing, positive
from pipeline.views.console import console, counting

EXAMPLE = "headset export corpus/ --layout wav2lip --out wav2lip/"
GROUP = "choose"
_MOST_TOLD = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    told = "\n".join(f"  {name:<16}{line}" for name, line in layouts().items())
    parser.epilog = f"layouts:\n{told}\n\n{parser.epilog or ''}"
    parser.add_argument("corpus", help="unused, and may be left out, with --validate-only", nargs="?")
    parser.add_argument("--layout", required=True, metavar="NAME", help="one of those below")
    parser.add_argument(
        "--out",
        required=True,
        metavar="DIR",
        help="a folder of its own for each layout and selection; run again to go on",
    )
    parser.add_argument(
        "--selection",
        metavar="NAME",
        default="",
        help="NAME or NAME:VERSION of `headset select` (default: all rendered clips)",
    )
    parser.add_argument(
        "--with",
        dest="given",
        metavar="NEED=PATH",
        action="append",
        default=[],
        help="files that headset cannot compute",
    )
    parser.add_argument(
        "--substitute", metavar="NEED", action="append", default=[], help="what headset writes in place of such files"
    )
    parser.add_argument("--workers", type=positive, default=1, help="processes, each with a clip in work (default: 1)")
    parser.add_argument("--validate-only", action="store_true", help="check what lies in --out, write nothing")


def main(options: argparse.Namespace) -> int:
    from pipeline.export.corpus_clips import clips_of
    from pipeline.export.export import check, export
    from pipeline.export.layout import layout_named, resolved

    out, to = console(), Path(options.out)
    layout_named(options.layout)
    if not options.validate_only:
        if options.corpus is None:
            raise UsageError("name the corpus to export")
        given = resolved(options.layout, _folders(options.given), options.substitute)
        manifest = existing(options.corpus)
        clips = clips_of(manifest, _selected(manifest, options.selection))
        _watched(export(options.layout, clips, to, given, options.workers), len(clips), out)
        out.print(f"{to}: the report is export.json, each clip's line is in export.jsonl", soft_wrap=True)
    problems = list(check(options.layout, to))
    for problem in problems[:_MOST_TOLD]:
        out.print(f"  {problem}", soft_wrap=True)
    if len(problems) > _MOST_TOLD:
        out.print(f"  and {len(problems) - _MOST_TOLD} more")
    verdict = f"{len(problems)} problems" if problems else "the loader's rules hold"
    out.print(f"checked: {verdict}")
    return 1 if problems else 0


def _watched(outcomes, total: int, out: Console) -> None:
    from pipeline.export.layout import Written

    written, frames, refused = 0, 0, Counter()
    with counting("clips", out) as tell:
        for done, outcome in enumerate(outcomes, 1):
            tell(done, total)
            if isinstance(outcome, Written):
                written += 1
                frames += outcome.note.get("frames", 0)
            else:
                refused[outcome.reason] += 1
    out.print(f"{total} clips: {written} written ({frames} frames), {refused.total()} refused")
    for reason, count in refused.most_common():
        out.print(f"  {count} {reason}")


def _folders(given: list[str]) -> dict[str, Path]:
    folders = {}
    for text in given:
        need, equals, folder = text.partition("=")
        if not equals or not folder:
            raise UsageError(f"--with {text}: write NEED=PATH")
        folders[need] = Path(folder)
    return folders


def _selected(manifest: Manifest, name: str) -> list[str] | None:
    if not name:
        return None
    from pipeline.query.selection import selection

    return manifest.parquet(selection(manifest, name).file).to_table(columns=["clip_id"])["clip_id"].to_pylist()
