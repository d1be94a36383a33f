"""What a source costs as there are more of them: time, memory and files for lists of a local stub server's addresses.

python -m benchmarks.speed.many_sources 1000 10000
"""

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from manifests.manifest import Manifest
from manifests.tables import Dropped, Source
from operators.sources.download_video import DownloadVideo
from pipeline.engine.run import run
from pipeline.listing import list_sources
from pipeline.recipe import Recipe, Stage
from tests.made_videos import tone, write_video


def serve(video: bytes) -> ThreadingHTTPServer:
    """Every path is the same small video with a box of its own at the end, so that no two are equal."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.encode()
            body = video + (8 + len(name)).to_bytes(4, "big") + b"free" + name
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=int, nargs="+")
    counts = parser.parse_args().sources
    import ray

    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)
    recipe = Recipe("many", "only downloads", (Stage(DownloadVideo(allow_private=True, gap_s=0.0, at_once=8)),))
    print(
        "| sources | listed in s | downloaded in s | ms a source | driver's peak MB | tables, receipts, notes | media"
        " files | usable |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            video = write_video(Path(folder, "a.mp4"), [("red", 0.4)], size=(64, 64), audio=tone(0.4)).read_bytes()
            server = serve(video)
            Path(folder, "list.txt").write_text(
                "".join(f"http://127.0.0.1:{server.server_port}/{n}.mp4\n" for n in range(count))
            )
            manifest = Manifest(str(Path(folder, "corpus")))
            began = time.monotonic()
            listing = list_sources([str(Path(folder, "list.txt"))])
            manifest.add(listing.sources, listing.dropped)
            listed_s = time.monotonic() - began
            began = time.monotonic()
            run(recipe.plan(), manifest)
            run_s = time.monotonic() - began
            files = [path for path in Path(manifest.root).rglob("*") if path.is_file()]
            media = sum("media" in path.relative_to(manifest.root).parts for path in files)
            usable = Manifest(manifest.root).count_rows(Source)
            assert usable + Manifest(manifest.root).count_rows(Dropped) == count
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            row = (
                f"{listed_s:.1f} | {run_s:.0f} | {1000 * run_s / count:.0f} | {peak:.0f} | {len(files) - media} |"
                f" {media} | {usable}"
            )
            print(f"| {count} | {row} |", flush=True)
            server.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
