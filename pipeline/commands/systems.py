"""Generation systems: what there is, what each needs, what of it is missing here.

headset systems                     every system: what drives it, its licence, what is missing on this machine
headset systems show NAME           the card of one
headset systems fetch NAME          its code at the card's commit, its environment from its lock, and its weights; or
                                    yours by --checkout and --python
headset systems check [NAME...]     one tiny pair through the adapter, judged from outside; --random where the weights
                                    are not at hand
headset systems lock NAME           writes the lock of its environment beside its adapter, as pip chooses on this
                                    Python, or on each that --python names
"""

import argparse
import sys
from dataclasses import asdict

from rich.console import Console

from pipeline.session import as_json
from pipeline.views.console import console, print_json, waiting

EXAMPLE = "headset systems check copy mesh_warp"
GROUP = "judge"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", default="list", choices=("list", "show", "fetch", "check", "lock"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="of systems; check: all where none is named")
    as_json(parser)
    parser.add_argument(
        "--python",
        metavar="PATH",
        action="append",
        default=[],
        help="fetch: an interpreter of yours that has what the system needs; lock: one of each Python to serve",
    )
    parser.add_argument("--checkout", metavar="DIR", help="fetch: a copy of yours of the authors' code")
    parser.add_argument(
        "--random",
        action="store_true",
        help="check: with random weights, which shows that the adapter runs and nothing else",
    )


def main(options: argparse.Namespace) -> int:
    from operators.generate.cards import card_named, cards

    out = console(stderr=options.json)
    chosen = [card_named(name) for name in options.names] or cards()
    if options.what == "check":
        return _check(chosen, options.random, out)
    if options.what == "fetch":
        return _fetch(chosen if options.names else [], options, out)
    if options.what == "lock":
        return _lock(chosen if options.names else [], options.python or [sys.executable], out)
    if options.json:
        print_json([_facts(card) for card in chosen])
    elif options.what == "show":
        _show(chosen, out)
    else:
        _list(chosen, out)
    return 0


def _facts(card) -> dict:
    """A card as JSON, with what is missing here."""
    from operators.generate.home import Home

    told = {**asdict(card), "path": card.path.name, "missing": Home(card).missing()}
    return told


def _list(cards, out: Console) -> None:
    from rich.table import Table

    from operators.generate.home import Home

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("system", "driven by", "licence", "code", "here"):
        table.add_column(name, overflow="fold")
    for card in cards:
        missing = Home(card).missing()
        here = (
            "ready"
            if not missing
            else card.refusal.partition(": ")[2]
            if card.refusal
            else f"missing: {', '.join(map(_short, missing))}"
        )
        table.add_row(card.name, card.driven_by, card.licence, _RELEASED[card.code], here)
    out.print(table)
    out.print(
        "\n`headset systems show NAME` prints a card, `headset systems fetch NAME` gets what is missing.", style="dim"
    )


_RELEASED = {"full": "released", "part": "in part", "never": "never released"}


def _short(told: str) -> str:
    """The first words of what is missing: what, not how to get it."""
    return told.partition(":")[0].partition(" (")[0]


def _show(cards, out: Console) -> None:
    from operators.generate.home import Home

    for card in cards:
        out.print(f"{card.title} ({card.name})  {card.paper}, {card.year}", style="bold")
        out.print(card.prose)
        where = f"{card.repository} {card.commit[:8]}" if card.repository else "none"
        out.print(
            f"code: {_RELEASED[card.code]}, {where}, {card.licence}; weights: {card.weights_licence}; driven by"
            f" {card.driven_by}",
            markup=False,
        )
        for line in Home(card).missing():
            out.print(f"  missing: {line}")
        out.print()


def _fetch(cards, options: argparse.Namespace, out: Console) -> int:
    from manifests.errors import UsageError
    from operators.generate.home import Home

    if not cards:
        raise UsageError("name the system to fetch; `headset systems` lists them")
    for card in cards:
        if card.refusal:
            raise UsageError(card.refusal)
        home = Home(card)
        if options.python:
            home.use_python(options.python[-1])
        if options.checkout:
            home.use_checkout(options.checkout)
        with waiting(out, f"fetching {card.title}"):
            home.fetch_checkout()
            home.make_environment()
        left = home.missing()
        out.print(f"{card.name}: " + ("all is there" if not left else "still missing:"))
        for line in left:
            out.print(f"  - {line}")
    return 0


def _lock(cards, pythons: list[str], out: Console) -> int:
    from manifests.errors import UsageError
    from operators.generate.lock import make_lock

    if not cards:
        raise UsageError("name the system to lock; `headset systems` lists them")
    for card in cards:
        with waiting(out, f"asking pip what {card.title} needs"):
            text = make_lock(card, pythons)
        card.lock.write_text(text)
        out.print(f"{card.lock}: {text.count('==')} packages", markup=False)
    return 0


def _check(cards, random: bool, out: Console) -> int:
    from operators.generate.trial import try_system

    failed = 0
    for card in cards:
        result = try_system(card, random)
        out.print(f"{card.name}: {result.told}", style="" if result.ran or not result.broken else "red")
        failed += result.broken
    return 1 if failed else 0
