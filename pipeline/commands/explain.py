"""Tell the story of one source or clip, with the numbers."""

import argparse
from pathlib import Path

from pipeline.session import as_json, existing
from pipeline.views.console import answer, console
from pipeline.views.story import ClipStory, story

EXAMPLE = "headset explain corpus/ interview.mp4"
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("id", help="a source id, a clip id, a file name or an address")
    form = parser.add_mutually_exclusive_group()
    as_json(form)
    form.add_argument(
        "--rrd", type=Path, metavar="FILE", help="write the source for the Rerun viewer, where rerun-sdk is installed"
    )


def main(options: argparse.Namespace) -> int:
    manifest = existing(options.corpus)
    found = story(manifest, options.id)
    if options.rrd is None:
        answer(found, options.json)
        return 0
    from pipeline.views.rerun_file import write_rerun

    source_id = found.clip_id.partition("/")[0] if isinstance(found, ClipStory) else found.source_id
    with_video = write_rerun(manifest, source_id, options.rrd)
    without = "" if with_video else ", without its video, which is no MP4 within reach"
    console().print(f"{source_id} in {options.rrd}{without}; look at it by: rerun {options.rrd}", soft_wrap=True)
    return 0
