"""Pair clips for generation systems: which drives which, under which protocol."""

import argparse
from collections import Counter

from pipeline.session import driving, existing, may_wait, positive
from pipeline.views.console import console

EXAMPLE = "headset pairs corpus/ --protocol cross_identity --per-clip 2"
GROUP = "judge"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        help="same_identity, cross_identity, audio_driven or text_driven; may be given again (default: all)",
    )
    parser.add_argument(
        "--split", default="test", help="whose clips are paired, where the corpus has splits (default: test)"
    )
    parser.add_argument(
        "--per-clip", type=positive, default=1, help="persons that each clip drives across identities (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=0)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.pairs import PROTOCOLS, make_pairs

    manifest = existing(options.corpus)
    out, protocols = console(), options.protocol or PROTOCOLS
    with driving(manifest, "headset pairs", options.wait, out):
        pairs = make_pairs(
            manifest, protocols=protocols, split=options.split, per_clip=options.per_clip, seed=options.seed
        )
    counts = ", ".join(f"{protocol} {n}" for protocol, n in sorted(Counter(pair.protocol for pair in pairs).items()))
    out.print(f'{len(pairs)} pairs: {counts}. Look: headset sql {options.corpus} "from pairs"', soft_wrap=True)
    return 0
