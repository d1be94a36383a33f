"""Columns of a page: what a level stands for, which words are counted, where outliers lie."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.views.dictionary import ColumnTold
from pipeline.views.explorer.columns import LEVELS, MISSING, VERDICTS, ClipColumns, quantised


def test_brushing_levels_is_comparing_values() -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, 5000)
    levels, low, high = quantised(values)
    step = (high - low) / LEVELS
    for edge in range(0, LEVELS, 1024):
        assert (levels >= edge).tolist() == (values >= low + edge * step - 1e-12).tolist()
    assert np.abs(low + (levels + 0.5) * step - values).max() <= step / 2 + 1e-12


def test_no_number_has_no_level_and_one_number_has_one() -> None:
    levels, low, high = quantised(np.array([np.nan, 5.0, np.inf, 5.0]))
    assert (levels.tolist(), low, high) == ([MISSING, 0, MISSING, 0], 5.0, 5.0)
    assert quantised(np.array([np.nan]))[0].tolist() == [MISSING]
    assert quantised(np.array([1.6, 1.6000000000000014]))[0].tolist() == [0, 0]


def test_few_numbers_far_away_do_not_stretch_the_axis() -> None:
    values = np.append(np.linspace(0, 1, 999), 1e9)
    levels, _, high = quantised(values)
    assert high < 1.001
    assert levels[-1] == LEVELS - 1
    assert len(np.unique(levels)) > 900


@pytest.fixture
def clips(tmp_path: Path) -> ClipColumns:
    table = pa.table(
        {
            "clip_id": ["a/0-1/t0", "b/0-1/t0", "c/0-1/t0", "d/0-1/t0"],
            "language": ["en", None, "de", "en"],
            "is_long": [True, False, None, True],
            "snr_db": [1.5, None, 3.5, 2.5],
            "frames": [10, 20, 30, 40],
            "looks": [b"x"] * 4,
            "boxes": [[1.0]] * 4,
            "review": ["keep", None, "disputed", "reject"],
        }
    )
    pq.write_table(table, tmp_path / "clips.parquet", row_group_size=3)
    told = {"snr_db": ColumnTold("wide", "snr_db", "double", "dB", "0 and up", "higher", "signal over noise")}
    return ClipColumns(tmp_path / "clips.parquet", told, {"snr_db": "scores"})


def test_each_column_has_its_kind(clips: ClipColumns) -> None:
    kinds = {column.name: column.kind for column in clips.described}
    assert kinds == {"clip_id": "text", "language": "word", "is_long": "word", "snr_db": "number", "frames": "number",
                     "review": "word"}  # fmt: skip


def test_words_are_codes_by_frequency_and_none_has_the_last(clips: ClipColumns) -> None:
    number = next(n for n, column in enumerate(clips.described) if column.name == "language")
    column = clips.described[number]
    assert (column.words, column.counts, column.missing) == (["en", "de"], [2, 1], 1)
    assert clips.values(number).tolist() == [0, 2, 1, 0]
    assert b"".join(clips.value_parts(number)) == bytes([0, 0, 2, 0, 1, 0, 0, 0])


def test_a_number_says_what_it_is_of(clips: ClipColumns) -> None:
    column = next(one for one in clips.described if one.name == "snr_db")
    assert (column.unit, column.better, column.group, column.missing) == ("dB", "higher", "scores", 1)
    assert (column.low, column.high, sum(column.counts)) == (1.5, 3.5, 3)


def test_a_review_that_is_disputed_is_a_flag(clips: ClipColumns) -> None:
    codes = clips.values(len(clips.described) - 1)
    assert [VERDICTS[code] for code in codes] == ["keep", "none", "flag", "reject"]


def test_rows_are_found_by_place_and_by_clip(clips: ClipColumns) -> None:
    assert [clips.row(number)["frames"] for number in (3, 0, 2)] == [40, 10, 30]
    assert clips.rows_of(["d/0-1/t0", "nobody", "a/0-1/t0"]) == [0, 3]
    with pytest.raises(IndexError):
        clips.row(4)


def test_many_different_words_are_text(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"clip_id": [f"c{n}" for n in range(200)], "title": [f"title {n}" for n in range(200)]}),
        tmp_path / "x",
    )
    assert [column.kind for column in ClipColumns(tmp_path / "x", {}, {}).described] == ["text", "text", "word"]
