"""Which rows name what is gone."""

from typing import Any, cast

import pyarrow as pa
import pyarrow.compute

from manifests.tables import Row

pc: Any = pyarrow.compute  # its functions are made when it is imported, where no type checker sees them


def names_of(source: dict[str, Any]) -> set[str]:
    """What a condition may name a source by, beside its id."""
    uri = source.get("uri") or ""
    return {uri, uri.rpartition("/")[2], source.get("title") or "", source.get("sha256") or ""} - {""}


def naming(rows: pa.Table, sources: set[str], ids: set[str]) -> Any:
    """Which rows name something that is gone, in any of their columns of text: its id, or an id that begins with it."""
    parts = []
    for name in rows.schema.names:
        if pa.types.is_string(rows.schema.field(name).type):
            values = pc.fill_null(rows[name], "")
            if ids:
                # The id of a score is that of its clip and more: <clip>#<metric>; of a render <clip>@<made_by>.
                stem = pc.replace_substring_regex(values, "[#@=].*$", "")
                parts.append(pc.is_in(stem, pa.array(sorted(ids), pa.string())))
            for source in sources:
                parts += [pc.equal(values, source), *(pc.starts_with(values, f"{source}{mark}") for mark in "/=")]
    found = pa.chunked_array([pa.array([False] * rows.num_rows, pa.bool_())])
    for part in parts:
        found = pc.or_(found, part)
    return found


def row_of(table: type[Row], values: dict[str, Any]) -> Row:
    names = table.__dataclass_fields__
    return cast(Any, table)(**{name: value for name, value in values.items() if name in names})
