# ruff: noqa: S608 - the queries are of the user, over a view that DuckDB cannot change
"""A condition in SQL, taken apart into what it joins by AND."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from manifests.errors import UsageError
from pipeline.query.database import connect

TAKEN_DOWN = "taken down"
TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "="}
COMPARED = {
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
}


@dataclass(frozen=True)
class Predicate:
    """One of the conditions that a query joins by AND."""

    text: str
    column: str = ""  # where it compares a column with a number
    sign: str = ""  # > >= < <=
    threshold: float = 0.0


def predicates(where: str) -> list[Predicate]:
    """The conditions of a query, as DuckDB writes them. BETWEEN is two.

    Raises:
        UsageError: for what is no condition in SQL.
    """
    import duckdb

    connection = connect()

    def text_of(tree: dict[str, Any]) -> str:
        parsed["statements"][0]["node"]["where_clause"] = tree
        return (
            connection.execute("select json_deserialize_sql(?)", [json.dumps(parsed)])
            .fetchall()[0][0]
            .split(" WHERE ", 1)[1]
        )

    def conditions(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if tree["type"] == "CONJUNCTION_AND":
            for child in tree["children"]:
                yield from conditions(child)
        elif tree["type"] == "COMPARE_BETWEEN":
            for sign, side in (("COMPARE_GREATERTHANOREQUALTO", "lower"), ("COMPARE_LESSTHANOREQUALTO", "upper")):
                yield {"class": "COMPARISON", "type": sign, "alias": "", "left": tree["input"], "right": tree[side]}
        else:
            yield tree

    def number(tree: dict[str, Any]) -> float | None:
        if tree["class"] == "COLUMN_REF":
            return None
        try:
            return float(connection.execute(f"select {_unwrapped(text_of(tree))}").fetchall()[0][0])
        except (duckdb.Error, TypeError, ValueError):
            return None

    def predicate(tree: dict[str, Any]) -> Predicate:
        text = _unwrapped(text_of(tree))
        if (sign := COMPARED.get(tree["type"])) is None:
            return Predicate(text)
        left, right = tree["left"], tree["right"]
        if left["class"] != "COLUMN_REF":
            left, right, sign = right, left, TURNED[sign]
        if left["class"] != "COLUMN_REF" or (threshold := number(right)) is None:
            return Predicate(text)
        return Predicate(text, left["column_names"][-1], sign, threshold)

    parsed = json.loads(
        connection.execute("select json_serialize_sql(?)", [f"select 1 from wide where ({where}\n)"]).fetchall()[0][0]
    )
    if parsed["error"] or len(parsed["statements"]) != 1 or parsed["statements"][0]["node"].get("where_clause") is None:
        said = parsed.get("error_message", "it holds more than a condition")
        raise UsageError(
            f'--where {where!r} is no condition in SQL: {said}; write for example "dnsmos_ovrl > 3 and seconds >= 4"'
        )
    return [predicate(tree) for tree in conditions(parsed["statements"][0]["node"]["where_clause"])]


def _unwrapped(text: str) -> str:
    """Without the outer pair of brackets that DuckDB writes round a condition."""
    if not text.startswith("("):
        return text
    depth = 0
    quoted = False
    for place, letter in enumerate(text):
        quoted ^= letter == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and letter == ")" and not quoted:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def normal(where: str) -> str:
    """A query as DuckDB writes it: however it was spaced, it is the same."""
    return " AND ".join(f"({predicate.text})" for predicate in predicates(where))


def forget(where: str, ids: Collection[str], names: Collection[str]) -> str:
    """A condition as DuckDB writes it, whose texts no longer name what was taken down: `TAKEN_DOWN` stands in their
    place.

    Nothing has that value, so the condition chooses the same of what is left.

    Args:
        ids: of sources and clips; a text that holds one, as a word of its own, names it.
        names: other texts that name it as a whole, such as its address.
    """

    def held(text: str) -> bool:
        return text in names or any(
            one in text and re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", text) for one in ids
        )

    def one(found: re.Match[str]) -> str:
        quoted = found[0]
        return f"'{TAKEN_DOWN}'" if quoted.startswith("'") and held(quoted[1:-1].replace("''", "'")) else quoted

    return re.sub(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""", one, where)
