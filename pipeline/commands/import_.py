"""List the clips of a published dataset, from its lists or your own copy, and download nothing.

The clips are placed on their videos, to the frame and the pixel, when they are made: headset rebuild CORPUS --out
OTHER.
"""

import argparse
import importlib
import pkgutil
from collections import Counter
from pathlib import Path

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Annotation, Dropped, Published, Source
from pipeline.importing import left_without
from pipeline.views.console import console, waiting
from pipeline.views.facts import Cell, Grid, Line, Told

EXAMPLE = "headset import hdtf lists/HDTF --out corpus/"
GROUP = "make"


def datasets() -> list[str]:
    """The importers there are: the files of `pipeline/importers`."""
    from pipeline import importers

    return sorted(module.name for module in pkgutil.iter_modules(importers.__path__))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", choices=datasets(), metavar="DATASET", help=", ".join(datasets()))
    parser.add_argument(
        "lists", type=Path, help="the folder of its published lists, or of your own copy where the data is not public"
    )
    parser.add_argument("--out", metavar="CORPUS", required=True, help="a folder, or s3://bucket/prefix")


def main(options: argparse.Namespace) -> int:
    out = console()
    importer = importlib.import_module(f"pipeline.importers.{options.dataset}")
    MediaStore(options.out).check()
    out.print(importer.TERMS)
    with waiting(out, f"reading {options.lists}") as tell:
        rows = []
        for row in importer.read(options.lists):
            rows.append(row)
            if len(rows) % 1000 == 0:
                tell(f"reading {options.lists}: {len(rows)} rows made")
    new = _add(Manifest(options.out), rows, options.out)
    out.print(_counts(rows))
    clips = sum(isinstance(row, Published) for row in rows)
    out.print(f"{len(new)} sources are new to {options.out}.")
    if clips:
        out.print(f"Make the clips: headset rebuild {options.out} --out OTHER", soft_wrap=True)
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


def _counts(rows: list) -> Told:
    """What was published, what of it is listed, why the rest is not, and what is odd about the lists."""
    clips = [row for row in rows if isinstance(row, Published)]
    drops = [row for row in rows if isinstance(row, Dropped)]
    shown: list[list[str | Cell]] = [["rows", f"{len(clips) + len(drops):,}"], ["clips", f"{len(clips):,}"]]
    shown.append(["videos", f"{len({clip.source_id for clip in clips}):,}"])
    seconds = [length for clip in clips if (length := length_s(clip)) is not None]
    if seconds:
        shown.append(["hours", f"{sum(seconds) / 3600:.2f}"])
    frames = [clip for clip in clips if length_s(clip) is None]
    if frames:
        shown.append(
            ["frames of unknown rate", f"{sum((clip.last_frame or 0) - (clip.first_frame or 0) for clip in frames):,}"]
        )
    for reason, count in Counter(drop.reason for drop in drops).most_common():
        shown.append([Cell(f"dropped {reason}", "warn"), f"{count:,}"])
    traps = Counter(row.value.split()[0] for row in rows if isinstance(row, Annotation) and row.name == "trap")
    for reason, count in traps.most_common():
        shown.append([Cell(f"noted {reason}", "quiet"), f"{count:,}"])
    grid = Grid.of(("of the lists", ">"), shown)
    more = Line.of('headset sql CORPUS "select subject, detail from drops", and annotations named trap, tell of each.')
    return Told((grid, more) if drops or traps else (grid,))


def length_s(clip: Published) -> float | None:
    """How long a published clip is; None where its list counts frames of a rate that only the video tells."""
    if clip.start_s is not None and clip.end_s is not None:
        return clip.end_s - clip.start_s
    if clip.fps and clip.first_frame is not None and clip.last_frame is not None:
        return (clip.last_frame - clip.first_frame) / clip.fps
    return None
