"""List the clips of a published dataset, from its lists or your own copy, and download nothing.

The clips are placed on their videos, to the frame and the pixel, when they are made: headset rebuild CORPUS --out OTHER.
"""

import argparse
import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Annotation, Dropped, Published, Source
from pipeline.importing import left_without

EXAMPLE = "headset import hdtf lists/HDTF --out corpus/"


def datasets() -> list[str]:
    """The importers there are: the files of `pipeline/importers`."""
    from pipeline import importers

    return sorted(module.name for module in pkgutil.iter_modules(importers.__path__))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", choices=datasets(), metavar="DATASET", help=", ".join(datasets()))
    parser.add_argument("lists", type=Path, help="the folder of its published lists, or of your own copy where the data is not public")
    parser.add_argument("--out", metavar="CORPUS", required=True, help="a folder, or s3://bucket/prefix")


def main(options: argparse.Namespace) -> int:
    console = Console()
    importer = importlib.import_module(f"pipeline.importers.{options.dataset}")
    MediaStore(options.out).check()
    console.print(importer.TERMS, highlight=False)
    with console.status(f"reading {options.lists}") as status:
        rows = []
        for row in importer.read(options.lists):
            rows.append(row)
            if len(rows) % 1000 == 0:
                status.update(f"reading {options.lists}: {len(rows)} rows made")
    new = _add(Manifest(options.out), rows, options.out)
    _print(rows, console)
    clips = sum(isinstance(row, Published) for row in rows)
    console.print(f"{len(new)} sources are new to {options.out}.", highlight=False)
    if clips:
        console.print(f"Make the clips: headset rebuild {options.out} --out OTHER", highlight=False, soft_wrap=True)
    return 0


def _add(manifest: Manifest, rows: list, out: str) -> list[Source]:
    """
    Raises:
        UsageError: where a source of the list is in the corpus already without its clips, before anything is added.
    """
    sources = [row for row in rows if isinstance(row, Source)]
    if left := left_without(manifest, rows):
        raise UsageError(
            f"{out} lists the sources of {len(left)} of these clips already, without them, and a shard never changes: "
            "import into another folder"
        )
    given = [row for row in rows if isinstance(row, Published | Annotation)]
    return manifest.add(sources, [row for row in rows if isinstance(row, Dropped)], given=given)


def _print(rows: Iterable, console: Console) -> None:
    """The counts: what was published, what of it is listed, why the rest is not, and what is odd about the lists."""
    rows = list(rows)
    clips = [row for row in rows if isinstance(row, Published)]
    drops = [row for row in rows if isinstance(row, Dropped)]
    shown = Table(box=None, pad_edge=False, show_header=False)
    shown.add_column()
    shown.add_column(justify="right")
    shown.add_row("rows", f"{len(clips) + len(drops):,}")
    shown.add_row("clips", f"{len(clips):,}")
    shown.add_row("videos", f"{len({clip.source_id for clip in clips}):,}")
    seconds = [length for clip in clips if (length := length_s(clip)) is not None]
    if seconds:
        shown.add_row("hours", f"{sum(seconds) / 3600:.2f}")
    frames = [clip for clip in clips if length_s(clip) is None]
    if frames:
        shown.add_row("frames of unknown rate", f"{sum((clip.last_frame or 0) - (clip.first_frame or 0) for clip in frames):,}")
    for reason, count in Counter(drop.reason for drop in drops).most_common():
        shown.add_row(f"[yellow]dropped[/] {reason}", f"{count:,}")
    traps = Counter(row.value.split()[0] for row in rows if isinstance(row, Annotation) and row.name == "trap")
    for reason, count in traps.most_common():
        shown.add_row(f"[dim]noted[/] {reason}", f"{count:,}")
    console.print(shown, highlight=False)
    if drops or traps:
        console.print('headset sql CORPUS "select subject, detail from drops", and annotations named trap, tell of each.', highlight=False)


def length_s(clip: Published) -> float | None:
    """How long a published clip is; None where its list counts frames of a rate that only the video tells."""
    if clip.start_s is not None and clip.end_s is not None:
        return clip.end_s - clip.start_s
    if clip.fps and clip.first_frame is not None and clip.last_frame is not None:
        return (clip.last_frame - clip.first_frame) / clip.fps
    return None
