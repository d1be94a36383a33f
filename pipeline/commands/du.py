"""Say what takes how much room in a corpus: tables by step, media, and what `headset gc` would remove."""

import argparse
from collections import Counter

from manifests.room import garbage, room
from pipeline.session import as_json, existing
from pipeline.views.console import console, print_json
from pipeline.views.facts import Grid, Told, size

EXAMPLE = "headset du corpus/"
GROUP = "look"
_MOST_TOLD = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    out = console(stderr=options.json)
    manifest = existing(options.corpus)
    rows, old = room(manifest), garbage(manifest)
    operators = {step.version: step.operator for run in manifest.runs() for step in run.steps}
    operators |= {step.version: step.operator for step in manifest.attached.values()}
    if options.json:
        print_json({"rows": rows, "garbage": old})
        return 0
    lines = []
    for row in rows[:_MOST_TOLD]:
        what = f"table {row.table}" if row.kind == "step" else {"parts": "unfinished files"}.get(row.kind, row.kind)
        lines.append(
            [size(row.bytes), row.files, what, row.name + ("" if row.needed else "  no recipe's record names it")]
        )
    out.print(Told((Grid.of((">bytes", ">files", "what", "step"), lines),)))
    if len(rows) > _MOST_TOLD:
        out.print(f"and {len(rows) - _MOST_TOLD} more, {size(sum(row.bytes for row in rows[_MOST_TOLD:]))}")
    by_operator = Counter[str]()
    for row in rows:
        if row.kind == "step":
            by_operator[operators.get(row.name, row.name.rpartition("-")[0] or row.name)] += row.bytes
    out.print(
        "\nBy operator: " + ", ".join(f"{name} {size(count)}" for name, count in by_operator.most_common(8)) + "."
    )
    out.print(f"{size(sum(row.bytes for row in rows))} in {sum(row.files for row in rows)} files.")
    if old.bytes:
        out.print(f"{size(old.bytes)} of it nothing needs: headset gc {options.corpus}")
    return 0
