"""Spellings of secrets in addresses, through the command line: how many are found again in what a run leaves behind.

    python -m benchmarks.reliability.secret_spellings

Every spelling of `tests/operators/sources/test_secrecy.py` is listed twice, in a text and in a table; a site leads to
it by a redirect, and repeats it in the words of its 404. Then every Parquet and JSON file of the corpus is searched for
the secrets, and what the run wrote to the terminal, decoded as often as an address may be escaped. Addresses that only
name a video must stay sources.
"""

import json
import os
import subprocess
import sys
import tempfile
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote_plus

import pyarrow.parquet as pq

from tests.operators.sources.test_secrecy import HARMLESS, SPELLINGS, everything_in, secret_of

RECIPE = """
from operators.sources.download_video import DownloadVideo
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "spellings",
    "sources, at hand",
    (Stage(DownloadVideo(tries=1, gap_s=0, at_once=8, allow_private=True)),),
)
"""


def marked(number: int, spelling: str) -> tuple[str, str]:
    """The spelling with a secret of its own, and that secret."""
    secret = secret_of(spelling)
    own = secret[:-3] + f"{number:03d}"
    return spelling.replace(secret, own), own


class Site(BaseHTTPRequestHandler):
    """/leads/<n> redirects to the n-th spelling; all else is a 404 whose title repeats the whole address."""

    def do_GET(self) -> None:
        site = f"http://{self.headers['Host']}"
        if self.path.startswith("/leads/"):
            number = int(self.path.rpartition("/")[2])
            where, body = f"{site}/led/{number}{marked(number, SPELLINGS[number])[0]}", b""
            self.send_response(302)
            self.send_header("Location", where)
        else:
            body = f"<html><title>no {escape(site + self.path)} here</title></html>".encode()
            self.send_response(404)
            self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    with tempfile.TemporaryDirectory() as folder:
        here, corpus = Path(folder), Path(folder, "corpus")
        direct = [f"{address}/listed/{number}{marked(number, one)[0]}" for number, one in enumerate(SPELLINGS)]
        led = [f"{address}/leads/{number}" for number in range(len(SPELLINGS))]
        (here / "list.txt").write_text(
            "\n".join([*direct, *led, *(f"{address}/harmless/{n}{query}" for n, query in enumerate(HARMLESS))])
        )
        (here / "table.jsonl").write_text("\n".join(json.dumps({"url": one, "licence": "CC-BY"}) for one in direct))
        (here / "recipe.py").write_text(RECIPE)
        command = [
            sys.executable,
            "-m",
            "pipeline",
            "run",
            str(here / "recipe.py"),
            str(here / "list.txt"),
            str(here / "table.jsonl"),
        ]
        done = subprocess.run(
            [*command, "--out", str(corpus)],
            capture_output=True,
            text=True,
            env={**os.environ, "HEADSET_CACHE": str(here / "cache")},
        )
        status = subprocess.run(
            [sys.executable, "-m", "pipeline", "status", str(corpus)], capture_output=True, text=True
        )
        print(f"run: exit {done.returncode}; status: exit {status.returncode}")
        places = {
            "the corpus": everything_in(corpus),
            "the terminal": done.stdout + done.stderr + status.stdout + status.stderr,
        }
        for place, text in places.items():
            text += unquote_plus(text) + unquote_plus(unquote_plus(text))
            found = [marked(number, one)[0] for number, one in enumerate(SPELLINGS) if marked(number, one)[1] in text]
            print(f"{place}: {len(found)} of {len(SPELLINGS)} secrets found again", *found, sep="\n    ")
        uris = [row["uri"] for path in corpus.glob("sources/**/*.parquet") for row in pq.read_table(path).to_pylist()]
        kept = {uri.split("/harmless/")[1].partition("?")[0].partition("#")[0] for uri in uris if "/harmless/" in uri}
        print(f"{len(kept)} of {len(HARMLESS)} addresses that only name a video are sources")
    server.shutdown()


if __name__ == "__main__":
    main()
