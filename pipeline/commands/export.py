"""Write the clips in the layout that a trainer's loader reads, and check them by its rules."""

import argparse
from collections import Counter
from pathlib import Path

from rich.console import Console

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.export.layouts import layouts
from pipeline.session import existing, positive

EXAMPLE = "headset export corpus/ --layout wav2lip --to wav2lip/"
_MOST_TOLD = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    told = "\n".join(f"  {name:<16}{line}" for name, line in layouts().items())
    parser.epilog = f"layouts:\n{told}\n\n{parser.epilog or ''}"
    parser.add_argument("corpus", help="unused, and may be left out, with --validate-only", nargs="?")
    parser.add_argument("--layout", required=True, metavar="NAME", help="one of those below")
    parser.add_argument("--to", required=True, metavar="DIR", help="a folder of its own for each layout and selection; run again to go on")
    parser.add_argument(
        "--selection", metavar="NAME", default="", help="NAME or NAME:VERSION of `headset select` (default: all rendered clips)"
    )
    parser.add_argument("--with", dest="given", metavar="NEED=DIR", action="append", default=[], help="files that headset cannot compute")
    parser.add_argument("--substitute", metavar="NEED", action="append", default=[], help="what headset writes in place of such files")
    parser.add_argument("--workers", type=positive, default=1, help="processes, each with a clip in work (default: 1)")
    parser.add_argument("--validate-only", action="store_true", help="check what lies in --to, write nothing")


def main(options: argparse.Namespace) -> int:
    from pipeline.export.export import check, clips_of, export, layout_named, settled

    console, to = Console(), Path(options.to)
    layout_named(options.layout)
    if not options.validate_only:
        if options.corpus is None:
            raise UsageError("name the corpus to export")
        given = settled(options.layout, _folders(options.given), options.substitute)
        manifest = existing(options.corpus)
        clips = clips_of(manifest, _selected(manifest, options.selection))
        _watched(export(options.layout, clips, to, given, options.workers), len(clips), console)
        console.print(f"{to}: the report is export.json, each clip's line is in export.jsonl", highlight=False)
    problems = list(check(options.layout, to))
    for problem in problems[:_MOST_TOLD]:
        console.print(f"  {problem}", highlight=False, markup=False, soft_wrap=True)
    if len(problems) > _MOST_TOLD:
        console.print(f"  and {len(problems) - _MOST_TOLD} more")
    verdict = f"{len(problems)} problems" if problems else "the loader's rules hold"
    console.print(f"checked: {verdict}", highlight=False)
    return 1 if problems else 0


def _watched(outcomes, total: int, console: Console) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from pipeline.export.export import Written

    written, frames, refused = 0, 0, Counter()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("clips", total=total)
        for outcome in outcomes:
            progress.advance(task)
            if isinstance(outcome, Written):
                written += 1
                frames += outcome.note.get("frames", 0)
            else:
                refused[outcome.reason] += 1
    console.print(f"{total} clips: {written} written ({frames} frames), {refused.total()} refused", highlight=False)
    for reason, count in refused.most_common():
        console.print(f"  {count} {reason}", highlight=False)


def _folders(given: list[str]) -> dict[str, Path]:
    folders = {}
    for text in given:
        need, equals, folder = text.partition("=")
        if not equals or not folder:
            raise UsageError(f"--with {text}: write NEED=DIR")
        folders[need] = Path(folder)
    return folders


def _selected(manifest: Manifest, name: str) -> list[str] | None:
    if not name:
        return None
    from pipeline.query.selection import selection

    return manifest.parquet(selection(manifest, name).file).to_table(columns=["clip_id"])["clip_id"].to_pylist()
