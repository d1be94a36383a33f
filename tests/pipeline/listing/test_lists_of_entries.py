"""Lists as arguments: their forms, broken lines, duplicates, and that every entry is accounted for."""

import hashlib
import json
import sys
import threading
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pipeline.listing.hashes
from manifests.media import sha256_of
from manifests.tables import Dropped, Source, schema
from pipeline.listing import list_sources
from tests.pipeline.listing.listings import reasons

ENTRIES = ["clips/a.mp4", "https://h.org/b.mp4", "https://youtu.be/CPCoMyuBRM0", "-7TMJtnhiPM"]


def write_list(path: Path, form: str) -> Path:
    """The same four entries in one of the forms that lists come in."""
    names = [f"name{number}" for number in range(4)]
    rows = [{"name": name, "URL": entry, "licence": "CC-BY"} for name, entry in zip(names, ENTRIES, strict=True)]
    match form:
        case "txt":
            path.write_text("# mine\n" + "\n".join(ENTRIES) + "\n\n")
        case "txt_bom_crlf":
            path.write_bytes(("\ufeff" + "\r\n".join(ENTRIES)).encode())
        case "txt_with_names":
            path.write_text(
                "\n".join([ENTRIES[0], f"name1 {ENTRIES[1]}", f"a name with spaces\t{ENTRIES[2]}", ENTRIES[3]])
            )
        case "csv":
            path.write_text(
                "name,URL,licence\n" + "\n".join(f'"{row["name"]}, said",{row["URL"]},CC-BY' for row in rows)
            )
        case "csv_bom_crlf":
            path.write_bytes(("\ufeffURL\r\n" + "\r\n".join(ENTRIES) + "\r\n").encode())
        case "csv_no_header":
            path.write_text("\n".join(f"{entry},{name}" for entry, name in zip(ENTRIES, names, strict=True)))
        case "csv_first_column":
            path.write_text(
                "what,who\n" + "\n".join(f"{entry},{name}" for entry, name in zip(ENTRIES, names, strict=True))
            )
        case "tsv":
            path.write_text(
                "id\tvideo_path\n" + "\n".join(f"{name}\t{entry}" for entry, name in zip(ENTRIES, names, strict=True))
            )
        case "jsonl":
            path.write_text("\n".join(json.dumps(row) for row in rows))
        case "jsonl_strings":
            path.write_text("\n".join(json.dumps(entry) for entry in ENTRIES))
        case "parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
    return path


FORMS = [
    "txt",
    "txt_bom_crlf",
    "txt_with_names",
    "csv",
    "csv_bom_crlf",
    "csv_no_header",
    "csv_first_column",
    "tsv",
    "jsonl",
    "jsonl_strings",
    "parquet",
]


@pytest.mark.parametrize("form", FORMS)
def test_lists_come_in_many_forms(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_bytes(b"a")
    path = write_list(tmp_path / f"list.{form.split('_')[0]}", form)
    monkeypatch.chdir("/")  # relative paths start at the list
    listing = list_sources([str(path)])
    assert listing.dropped == []
    assert {source.uri for source in listing.sources} == {
        str(tmp_path / "clips" / "a.mp4"),
        "https://h.org/b.mp4",
        "https://www.youtube.com/watch?v=CPCoMyuBRM0",
        "https://www.youtube.com/watch?v=-7TMJtnhiPM",
    }
    assert {source.licence for source in listing.sources} == (
        {"CC-BY"} if form in ("csv", "jsonl", "parquet") else {""}
    )


def test_a_manifests_sources_table_is_a_list(tmp_path: Path):
    sha256 = hashlib.sha256(b"a").hexdigest()
    good = {"source_id": "web-1", "uri": "https://h.org/b.mp4", "sha256": sha256.upper(), "licence": "x"}
    rows = [good, {"source_id": "y", "uri": None, "sha256": "", "licence": ""}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "sources.parquet")
    listing = list_sources([str(tmp_path / "sources.parquet")])
    assert [(source.uri, source.sha256, source.licence) for source in listing.sources] == [
        ("https://h.org/b.mp4", sha256, "x")
    ]
    assert reasons(listing) == {"empty_entry": 1}
    assert "in sources.parquet row 2" in listing.dropped[0].detail


def test_a_local_file_that_is_not_the_listed_one_is_told(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"a")
    (tmp_path / "list.csv").write_text(f"file,sha256\na.mp4,{'0' * 64}\n")
    assert reasons(list_sources([str(tmp_path / "list.csv")])) == {"checksum_changed": 1}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", b'{"url": "https://h.org/a.mp4"\n', "not_json"),
        ("a.txt", b"\xff\xfe\x00h\n", "list_unreadable"),
        ("a.parquet", b"not parquet", "list_unreadable"),
        ("a.csv", b'url\n"' + b"x" * 200_000 + b'"\n', "list_unreadable"),
    ],
)
def test_a_broken_list_is_told(name: str, content: bytes, reason: str, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    assert reasons(list_sources([str(tmp_path / name)])) == {reason: 1}


def test_a_broken_line_costs_that_line_alone(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('"https://h.org/a.mp4"\n{broken\n\n"https://h.org/b.mp4"\n')
    listing = list_sources([str(tmp_path / "a.jsonl")])
    assert len(listing.sources) == 2
    assert reasons(listing) == {"not_json": 1}
    assert "a.jsonl line 2" in listing.dropped[0].detail


def test_the_same_line_many_times_is_one_source_and_the_rest_have_ids_of_their_own(tmp_path: Path):
    (tmp_path / "list.txt").write_text("https://h.org/a.mp4\n" * 4 + "missing.mp4\n" * 3)
    listing = list_sources([str(tmp_path / "list.txt")])
    assert len(listing.sources) == 1
    assert reasons(listing) == {"duplicate": 3, "missing_file": 3}
    assert len({drop.drop_id for drop in listing.dropped}) == 6


def test_a_duplicate_does_not_take_away_what_a_list_knows(tmp_path: Path):
    (tmp_path / "list.csv").write_text("url,licence\nhttps://h.org/a.mp4,CC-BY\n")
    assert list_sources(["https://h.org/a.mp4", str(tmp_path / "list.csv")]).sources[0].licence == "CC-BY"


@pytest.mark.parametrize(
    "line",
    [
        *[
            '"\\ud83d.mp4"',
            '{"url": "https://h.org/a.mp4", "licence": "half \\ud83d"}',
            '{"url": "s3://bucket/\\ud83d"}',
        ],
        *['{"url": 3}', "null", "[1]", "{}"],
    ],
)
def test_nothing_a_list_can_hold_breaks_a_table(line: str, tmp_path: Path):
    (tmp_path / "list.jsonl").write_text(line + "\n")
    listing = list_sources([str(tmp_path / "list.jsonl")])
    assert len(listing.sources) + len(listing.dropped) == 1
    pa.Table.from_pylist([asdict(row) for row in listing.sources], schema(Source))
    pa.Table.from_pylist([asdict(row) for row in listing.dropped], schema(Dropped))


@pytest.mark.parametrize("kind", ["addresses", "files"])
def test_the_work_grows_with_the_entries_and_no_faster(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ten thousand entries are listed in seconds because each costs the same calls, and each file is looked at and read
    once.
    """
    read: list[Path] = []
    monkeypatch.setattr(pipeline.listing.hashes, "sha256_of", lambda path: (read.append(path), sha256_of(path))[1])
    calls = {}
    for count in (200, 800):
        read.clear()
        for number in range(count if kind == "files" else 0):
            (tmp_path / f"{number}.mp4").write_bytes(str(number).encode())
        lines = [f"{number}.mp4" if kind == "files" else f"https://h.org/{number}.mp4" for number in range(count)]
        (tmp_path / "list.txt").write_text("\n".join(lines))
        counted = Counter[str]()

        def count_call(frame: object, event: str, what: object, counted: Counter[str] = counted) -> None:
            counted[event] += 1

        threading.setprofile(count_call)
        sys.setprofile(count_call)
        try:
            listing = list_sources([str(tmp_path / "list.txt")])
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
        assert len(listing.sources) == count
        assert len(read) == (count if kind == "files" else 0)
        calls[count] = counted["call"] + counted["c_call"]
    assert calls[800] < 4.5 * calls[200]


def test_what_a_list_named_is_told_each_once_with_its_seconds(tmp_path: Path):
    """The share that was had of a list is a share of the videos in it, not of its lines, whatever else was listed."""
    (tmp_path / "a.csv").write_text(
        "url,duration\nhttps://h.org/a.mp4,12.5\nhttps://h.org/a.mp4#t=3,\nhttps://h.org/b.mp4,unknown\nmissing.mp4,3\n"
    )
    (tmp_path / "b.txt").write_text("https://h.org/a.mp4\n")
    listing = list_sources([str(tmp_path / "a.csv"), str(tmp_path / "b.txt"), "https://h.org/c.mp4"])
    ids = {source.uri: source.source_id for source in listing.sources}
    (missing,) = [drop.subject for drop in listing.dropped if drop.reason == "missing_file"]
    assert listing.lists == {
        str(tmp_path / "a.csv"): {ids["https://h.org/a.mp4"]: 12.5, ids["https://h.org/b.mp4"]: None, missing: 3.0},
        str(tmp_path / "b.txt"): {ids["https://h.org/a.mp4"]: None},
    }
