"""Writes the pages of docs/reference that are made from the code: `python docs/make_reference.py`.

`headset columns --out` and `headset reasons --out` write the two others. A test compares each page with the code.
"""

import ast
import importlib
import inspect
import io
import os
import pkgutil
import textwrap
import tokenize
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from operators.base import Operator
from operators.metrics.base import Metric

HERE = Path(__file__).parent / "reference"
ROOMS = ("sources", "shots", "faces", "speech", "pictures", "clips", "generate")
WIDTH = "100"  # columns of a command's help


def operators_page() -> str:
    """Every operator: what it reads and writes, its fields, its scores."""
    lines = [
        "# Operators",
        "",
        "An operator is one file and one typed function of rows; a recipe is a list of them. Fields are set in a recipe"
        ", or by `--set Operator.field=value`. How to write one: [a recipe of your own](../guide/own_recipe.md).",
    ]
    for room in ROOMS:
        lines += ["", f"## {room}"]
        for one in _operators(f"operators.{room}"):
            lines += ["", f"### {one.__name__}", "", *_told(one)]
    return "\n".join(lines) + "\n"


def _operators(package: str) -> Iterator[type[Operator]]:
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        for one in vars(importlib.import_module(module.name)).values():
            own = isinstance(one, type) and issubclass(one, Operator) and one.__module__ == module.name
            if own and "signature" in vars(one):
                yield one


def _told(one: type[Operator]) -> Iterator[str]:
    signature = one.signature
    joined = ", ".join(f"`{table.table}`" for table in signature.joins.values())
    found = ", ".join(f"`{table.table}`" for table in dict.fromkeys(signature.lookups.values()))
    asked = ", ".join(sorted(kind.__name__ for kind in signature.asks.values()))
    cores, gpus = one.resources.cpus, one.resources.gpus
    held = f"{cores:g} core{'s' * (cores > 1)}" + f", {gpus:g} of a GPU where there is one" * bool(gpus)
    writes = ", ".join(f"`{table.table}`" for table in signature.writes)
    beside = f"{f' with {joined}' * bool(joined)}{f', looks up {found}' * bool(found)}"
    reads = f"`{signature.reads.table}`{beside}{f'; {asked}' * bool(asked)}"
    yield f"reads {reads} · writes {writes} · holds {held} · version {one.version}"
    yield ""
    yield _prose(inspect.getdoc(one) or "")
    if comments := [(field, _comment(one, field.name)) for field in fields(one)]:
        yield ""
        yield from _table(
            ("field", "default", "meaning"),
            ((f"`{field.name}`", f"`{_default(field)}`", what) for field, what in comments),
        )
    if one.measures:
        yield ""
        yield from _table(
            ("score", "unit", "better", "meaning"),
            ((f"`{name}`", told.unit, told.better, told.what) for name, told in one.measures.items()),
        )


def _default(field: Any) -> str:
    from dataclasses import MISSING

    value = (
        field.default_factory() if field.default is MISSING and field.default_factory is not MISSING else field.default
    )
    return "none: it must be given" if value is MISSING else repr(value)


def _comment(one: type, name: str) -> str:
    """The comment behind a field, or the lines of comment above it; of the class that declares it."""
    for owner in one.__mro__:
        if name in inspect.get_annotations(owner):
            return _comments(owner).get(name, "")
    return ""


def _comments(owner: type) -> dict[str, str]:
    text = textwrap.dedent(inspect.getsource(owner))
    found = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT]
    alone = {token.start[0] for token in found if token.line.lstrip().startswith("#")}
    told = {token.start[0]: token.string.lstrip("# ") for token in found}
    (body,) = ast.parse(text).body
    assert isinstance(body, ast.ClassDef)
    comments = {}
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            behind = [told[line] for line in range(node.lineno, (node.end_lineno or 0) + 1) if line in told]
            first = node.lineno
            while first - 1 in alone:
                first -= 1
            comments[node.target.id] = " ".join(behind or [told[line] for line in range(first, node.lineno)])
    return comments


def _prose(text: str) -> str:
    """A docstring as Markdown: a row of a table that goes on in the next line is one line."""
    made: list[str] = []
    for line in text.splitlines():
        if made and made[-1].startswith("|") and not made[-1].endswith("|"):
            made[-1] += f" {line.strip()}"
        elif made and made[-1] and line.startswith("|") and not made[-1].startswith("|"):
            made += ["", line]
        else:
            made.append(line)
    return "\n".join(made)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    heads = list(heads)
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def recipes_page() -> str:
    """Every recipe with its stages."""
    from pipeline.recipe import recipe_named, recipe_names

    lines = [
        "# Recipes",
        "",
        "`headset run NAME videos/ --out corpus/`, or the path of a Python file of your own with a `RECIPE`.",
    ]
    for name in recipe_names():
        recipe = recipe_named(name)
        module = importlib.import_module(f"pipeline.recipes.{name}")
        lines += ["", f"## {name}", "", f"*{recipe.what}*", "", inspect.getdoc(module) or "", ""]
        for number, stage in enumerate(recipe.stages, 1):
            lines.append(f"{number}. " + ", ".join(f"`{one.name}`" for one in stage.operators))
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """The help of every command."""
    from pipeline.__main__ import GROUPS, commands, parser_of_all

    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        parsers = _parsers(parser_of_all())
        lines = ["# Commands"]
        for group, (heading, _, _) in GROUPS.items():
            lines += ["", f"## {heading}"]
            for name, module in commands().items():
                if getattr(module, "GROUP", "look") == group:
                    lines += ["", f"### headset {name}", "", "```text", parsers[name].format_help().rstrip(), "```"]
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "\n".join(lines) + "\n"


def _parsers(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    """The parsers of the commands, which argparse keeps as the choices of its one positional."""
    (made,) = [action.choices for action in parser._actions if action.choices]
    assert isinstance(made, dict)
    return made


def layouts_page() -> str:
    """Every layout: whose loader reads it, what it asks for."""
    from pipeline.export.layout import layout_named
    from pipeline.export.layouts import layouts

    lines = ["# Layouts", "", "`headset export corpus/ --layout NAME --out folder/`: [the guide](../guide/layouts.md)."]
    for name in layouts():
        layout = layout_named(name)
        module = importlib.import_module(type(layout).__module__)
        lines += ["", f"## {name}", "", _prose(inspect.getdoc(module) or "")]
        if asked := {**layout.needs, **layout.takes}:
            lines += ["", *_table(
                ("`--with`", "must be given", "headset can fill it in", "what it is"),
                (
                    (f"`{one}`", "yes" if one in layout.needs else "no", layout.substitutes.get(one, ""), what)
                    for one, what in asked.items()
                ),
            )]  # fmt: skip
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Every variant of every metric."""
    lines = [
        "# Metrics",
        "",
        "`headset score corpus/ --metrics NAME`; how far each can be believed: [measured](../measured/metrics.md).",
        "",
    ]
    rows = []
    for one in _metrics():
        for variant, told in one.known.items():
            files = ", ".join(f"`{weight.file}`" for weight in one(variant).weights)
            rows.append(
                (f"`{variant}`", told.better or "neither", one.compares, f"{told.what}; {told.protocol.label}", files)
            )
    return "\n".join([*lines, *_table(("variant", "better", "beside", "definition", "model files"), rows)]) + "\n"


def _metrics() -> list[type[Metric]]:
    found = {}
    for module in pkgutil.iter_modules(importlib.import_module("operators.metrics").__path__, "operators.metrics."):
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, type) and issubclass(one, Metric) and "metric" in one.__dict__:
                found[one.metric] = one
    return [found[name] for name in sorted(found)]


PAGES: dict[str, Callable[[], str]] = {
    "operators.md": operators_page,
    "recipes.md": recipes_page,
    "commands.md": commands_page,
    "layouts.md": layouts_page,
    "metrics.md": metrics_page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
