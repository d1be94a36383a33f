"""Look at a corpus in a browser: brush its clips by every score, play them, see what was given up, review by key.

Without --html the page is served to this machine alone, at an address that ends in a secret, and takes questions in
SQL. With --html it is written into a folder that opens by double click, without a server and without a network.
"""

import argparse
import tempfile
from contextlib import suppress
from pathlib import Path

from manifests.errors import UsageError
from pipeline.session import existing
from pipeline.views.console import console, counting, waiting

EXAMPLE = "headset explore corpus/ --html page/"
GROUP = "look"
MEDIA = ("renders", "all", "linked")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--html", metavar="DIR", type=Path, help="write the page into a folder")
    parser.add_argument(
        "--media",
        choices=MEDIA,
        help="of a written page: copy the clips' videos (default), their sources too, or link to all where they lie",
    )
    parser.add_argument(
        "--where",
        default="",
        help="only the clips for which a condition in SQL holds, on the columns that `headset columns CORPUS` lists",
    )
    parser.add_argument("--port", type=int, default=0, help="to serve at (default: a free one)")


def main(options: argparse.Namespace) -> int:
    out, manifest = console(), existing(options.corpus)
    if options.html:
        from pipeline.views.explorer.written import write_page

        with counting("files written", out) as tell:
            clips = write_page(manifest, options.html, where=options.where, media=options.media or MEDIA[0], tell=tell)
        out.print(f"{clips} clips in {options.html / 'index.html'}: open it by double click", soft_wrap=True)
        return 0
    if options.media:
        raise UsageError("--media is for a page that is written: name its folder by --html")
    from pipeline.views.explorer.server import PageServer

    with tempfile.TemporaryDirectory() as folder:
        with waiting(out, f"reading {options.corpus}"):
            server = PageServer(manifest, Path(folder), options.where, options.port)
        with server:
            out.print(f"{server.address}  Ctrl-C ends it", soft_wrap=True)
            with suppress(KeyboardInterrupt):
                server.serve_forever()
    return 0
