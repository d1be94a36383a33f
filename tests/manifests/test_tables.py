from dataclasses import dataclass

import pyarrow as pa
import pytest

from manifests.tables import Row, Track, schema, span_id, tables


def test_every_table_has_a_schema_with_its_key_and_its_source() -> None:
    for name, row in tables().items():
        fields = schema(row)
        assert row.table == name
        assert fields.field(row.key).type == pa.string()
        assert fields.field("source_id").type == pa.string()


def test_no_two_tables_share_a_key() -> None:
    keys = [row.key for row in tables().values()]
    assert len(set(keys)) == len(keys)


def test_lists_are_lists_of_values_that_are_never_null() -> None:
    field = schema(Track).field("times_s")
    assert field.type == pa.list_(pa.field("item", pa.float64(), nullable=False))
    assert not field.nullable


def test_a_column_without_an_arrow_type_is_refused_by_name() -> None:
    @dataclass(frozen=True)
    class Odd(Row):
        anything: dict[str, int]

    with pytest.raises(TypeError, match=r"Odd\.anything: .* has no Arrow type; use str"):
        schema(Odd)


def test_optional_columns_are_nullable() -> None:
    @dataclass(frozen=True)
    class Maybe(Row):
        value: float | None

    assert schema(Maybe).field("value").nullable
    assert schema(Maybe).field("value").type == pa.float64()


def test_ids_of_spans_sort_by_time() -> None:
    ids = [span_id("s", start_s, start_s + 1) for start_s in (0.0, 9.5, 10.25, 100.0)]
    assert ids == sorted(ids)
    assert ids[2] == "s/010250-011250"
