"""Pack a corpus: blocks of 256 shards into one file a table, with one packed receipt.

A corpus of many sources is many small files, which a bucket charges and waits for one by one. Packed, it says the same
by few, and every command reads and writes it as before: whatever rewrites a shard unpacks its block first. Killed at
any time, nothing is lost; the same command goes on.
"""

import argparse

from manifests.packing import pack, unpack
from pipeline.session import driving, existing, may_wait
from pipeline.views.console import console, waiting

EXAMPLE = "headset pack s3://bucket/corpus"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--unpack", action="store_true", help="give every shard files of its own again")
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    out, manifest = console(), existing(options.corpus)
    doing, do = ("unpacking", unpack) if options.unpack else ("packing", pack)
    with driving(manifest, "headset pack", options.wait, out), waiting(out, doing):
        found = do(manifest)
    if not found.removed:
        out.print(f"Nothing to {'unpack' if options.unpack else 'pack'}.")
        return 0
    blocks = f"{found.blocks} {'block' if found.blocks == 1 else 'blocks'}"
    out.print(f"{found.removed} files became {found.written}, {blocks} {'unpacked' if options.unpack else 'packed'}.")
    return 0
