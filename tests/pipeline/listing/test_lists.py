"""Lists as people have them: every line ends as a source, a clip, a drop or a counted rest."""

import codecs
import gzip
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.listing import Listing, list_sources
from tests.pipeline.listing.listings import reasons

ONE, TWO = (f"https://www.youtube.com/watch?v=aaaaaaaaaa{number}" for number in (1, 2))


def listed(folder: Path, name: str, content: str | bytes) -> Listing:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return list_sources([str(folder / name)])


def told(listing: Listing) -> str:
    (tally,) = listing.tallies
    return tally.told().partition("/")[2].rpartition("/")[2]


TABLE = f"title;url;licence\nTalk one;{ONE};CC BY\nTalk two;{TWO};CC BY\n"


def compressed(content: bytes) -> bytes:
    """The same bytes whenever tests are collected."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("semicolons.csv", TABLE),
        ("tabs.csv", TABLE.replace(";", "\t")),
        ("tabs.txt", TABLE.replace(";", "\t")),
        ("bars.csv", TABLE.replace(";", "|")),
        ("commas.tsv", TABLE.replace(";", ",")),
        ("utf16.csv", TABLE.encode("utf-16")),
        ("utf16_big.csv", codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be")),
        ("utf16_without_a_mark.csv", TABLE.encode("utf-16-le")),
        ("mark.csv", codecs.BOM_UTF8 + TABLE.encode()),
        ("packed.csv.gz", compressed(TABLE.encode())),
        ("packed.csv", compressed(TABLE.encode())),
        ("quoted.csv", f'title,url\n"Talk\none, and more",{ONE}\nTalk two,{TWO}\n'),
        ("numbered.csv", f"title,url\n#1 Interview of the year,{ONE}\nPlain,{TWO}\n"),
        ("other_names.csv", f"Who,Video Link\nA,{ONE}\nB,{TWO}\n"),
        ("no_names_known.csv", f"what,where\nA,{ONE}\nB,{TWO}\n"),
        ("headerless.csv",
         "aaaaaaaaaa1,90.000000,93.566667,0.586719,0.294444\naaaaaaaaaa2,12.100000,16.933333,0.492188,0.355556\n"),
        ("headerless_second.csv", f"Talk one,{ONE}\nTalk two,{TWO}\n"),
        ("a_header_like_an_id.csv", "description\naaaaaaaaaa1\naaaaaaaaaa2\n"),
        ("audioset.csv",
         "# made by hand\n# YTID, positive_labels\naaaaaaaaaa1, \"/m/09,/t/dd\"\naaaaaaaaaa2, \"/m/09\"\n"),
        ("array.json", json.dumps([ONE, TWO], indent=1)),
        ("objects.json", json.dumps([{"url": ONE}, {"url": TWO}])),
        ("within.json", json.dumps({"videos": [ONE, TWO], "made": "today"})),
        ("by_id.json", json.dumps({"aaaaaaaaaa1": {"n": 1}, "aaaaaaaaaa2": {"n": 2}})),
        ("nested.json", json.dumps([{"info": {"Video Link": ONE}}, {"info": {"Video Link": TWO}}])),
        ("lines.json", f'{{"url": "{ONE}"}}\n{{"url": "{TWO}"}}\n'),
        ("array.jsonl", json.dumps([ONE, TWO], indent=1)),
        ("cells.jsonl", f'["one", "{ONE}"]\n["two", "{TWO}"]\n'),
        ("lines.ndjson.gz", compressed(f'"{ONE}"\n"{TWO}"\n'.encode())),
        ("no_scheme.txt", "youtu.be/aaaaaaaaaa1\nwww.youtube.com/watch?v=aaaaaaaaaa2\n"),
        ("no_scheme.csv", "url\n//www.youtube.com/embed/aaaaaaaaaa1\nm.youtube.com/watch?v=aaaaaaaaaa2\n"),
        ("named.txt", f"Episode 1: the start, {ONE}\n{TWO}\tanother one\n"),
        ("old_mac.txt", f"{ONE}\r{TWO}\r"),
    ],
)  # fmt: skip
def test_a_list_of_two_is_two_sources(name: str, content: str | bytes, tmp_path: Path) -> None:
    listing = listed(tmp_path, name, content)
    assert [source.uri for source in listing.sources] == [ONE, TWO]
    assert listing.dropped == []
    assert {source.licence for source in listing.sources} == (
        {"CC BY"} if content is not None and b"CC BY" in _plain(content) else {""}
    )


def _plain(content: str | bytes) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    raw = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    return raw.replace(b"\0", b"")


def test_every_line_is_accounted_for_and_told(tmp_path: Path) -> None:
    listing = listed(tmp_path, "a.csv", f"# mine\nurl\n{ONE}\n\n{TWO}\n{ONE}\nmissing.mp4\n# the end\n")
    assert (
        told(listing)
        == "a.csv: 8 lines, 2 sources, 1 duplicate, 1 refused (missing_file 1), 1 blank, 2 comments, 1 header"
    )
    (tally,) = listing.tallies
    assert tally.total == tally.sources + tally.refused.total() + tally.rest.total()


def test_a_line_that_ends_nowhere_is_an_error() -> None:
    from manifests.errors import Inconsistent
    from pipeline.listing import Tally

    with pytest.raises(Inconsistent, match=r"a\.csv: 3 lines were read and 2 accounted for"):
        Tally("a.csv", "lines", total=3, sources=2).check()


RANGES = {"one.mp4": [(1.0, 4.0), (4.0, 7.5)], "two.mp4": [(0.0, 3.0)]}


@pytest.mark.parametrize(
    "content",
    [
        "url,start,end\r\none.mp4,1.0,4.0\r\none.mp4,4.0,7.5\r\ntwo.mp4,0,3.0\r\n",
        "path,start_s,end_s\none.mp4,1.0,4.0\none.mp4,4.0,7.5\ntwo.mp4,0,3.0\n",
        "path;start;end\none.mp4;1,0;4,0\none.mp4;4,0;7,5\ntwo.mp4;0;3\n",
        "path,start_ms,end_ms\none.mp4,1000,4000\none.mp4,4000,7500\ntwo.mp4,0,3000\n",
        "path,start_time,end_time\none.mp4,0:01,0:04\none.mp4,00:00:04,00:00:07.5\ntwo.mp4,0s,3s\n",
        "path,start,duration\none.mp4,1.0,3\none.mp4,4.0,3.5s\ntwo.mp4,0,3.0\n",
        "videoID,path,timestamp,caption\n"
        "x,one.mp4,\"[['0:00:01.000', '0:00:04.000'], ['0:00:04.000', '0:00:07.500']]\",c\n"
        "y,two.mp4,\"[['0:00:00.000', '0:00:03.000']]\",c\n",
        "path,timestamp\none.mp4,0:01 - 0:04\none.mp4,4-7.5\ntwo.mp4,0:00:00 --> 0:00:03\n",
    ],
)  # fmt: skip
def test_clip_ranges_become_published_clips(content: str, tmp_path: Path) -> None:
    for name in RANGES:
        (tmp_path / name).write_bytes(name.encode())
    listing = listed(tmp_path, "ranges.csv", content)
    assert listing.dropped == []
    names = {source.source_id: Path(source.uri).name for source in listing.sources}
    found: dict[str, list[tuple[float | None, float | None]]] = {}
    for clip in listing.published:
        found.setdefault(names[clip.source_id], []).append((clip.start_s, clip.end_s))
        assert (clip.left, clip.top, clip.right, clip.bottom, clip.frame_width, clip.frame_height) == (
            0,
            0,
            1,
            1,
            1,
            1,
        ), "all of the picture"
        assert clip.published_id == f"{clip.dataset}/{clip.name}"
    assert found == RANGES
    assert "2 sources, 3 clips, 1 header" in told(listing)


@pytest.mark.parametrize(
    ("address", "spans"),
    [
        ("youtube.com/embed/aaaaaaaaaa1?start=10&end=20", [(10.0, 20.0)]),
        ("https://youtu.be/aaaaaaaaaa1?t=1m30s&end=100", [(90.0, 100.0)]),
        ("https://www.youtube.com/watch?v=aaaaaaaaaa1#t=5,7.25", [(5.0, 7.25)]),
        ("https://www.youtube.com/watch?v=aaaaaaaaaa1&t=90s", []),
    ],
)
def test_an_address_may_say_which_seconds(address: str, spans: list[tuple[float, float]], tmp_path: Path) -> None:
    listing = listed(tmp_path, "a.txt", f"{address}\n")
    assert [source.uri for source in listing.sources] == [ONE]
    assert [(clip.start_s, clip.end_s) for clip in listing.published] == spans
    assert ("not when to end: the whole recording is taken" in told(listing)) == (not spans)


def test_a_range_is_listed_once_and_a_bad_one_is_told(tmp_path: Path) -> None:
    lines = [
        f"{ONE},1,2",
        f"{ONE},1.0,2.0",
        f"{TWO},5,2",
        f"{TWO},5,",
        f"{TWO},,",
        f"{TWO},-1,3",
        f"{TWO},nan,inf",
        f"{TWO},next year,3",
    ]
    listing = listed(tmp_path, "a.csv", "\n".join(["url,start,end", *lines]))
    assert [source.uri for source in listing.sources] == [ONE, TWO]
    assert [(clip.source_id[-1], clip.start_s, clip.end_s) for clip in listing.published] == [("1", 1.0, 2.0)]
    assert reasons(listing) == {"duplicate": 1, "bad_range": 5}
    assert any("start '5' without an end" in drop.detail for drop in listing.dropped)


def test_frames_are_not_taken_for_seconds(tmp_path: Path) -> None:
    """As in vox-metadata.csv, whose start and end are frames at the rate beside them."""
    assert reasons(listed(tmp_path, "a.csv", "video_id,start,end,fps\naaaaaaaaaa1,10,100,25\n")) == {
        "range_unit_unknown": 1
    }
    listing = listed(tmp_path, "b.csv", "video_id,start_frame,end_frame\naaaaaaaaaa1,10,100\n")
    assert (len(listing.sources), listing.published) == (1, [])
    assert "end_frame, start_frame are not read" in told(listing)


def test_a_timestamp_that_is_a_date_is_no_range(tmp_path: Path) -> None:
    listing = listed(tmp_path, "a.csv", f"url,timestamp\n{ONE},2023-05-01 12:00:00\n{TWO},1682942400\n")
    assert (len(listing.sources), listing.published, listing.dropped) == (2, [], [])


def test_the_sources_table_of_a_corpus_is_no_list_of_clips(tmp_path: Path) -> None:
    row = {
        "source_id": "yt-aaaaaaaaaa1",
        "uri": ONE,
        "container": "mov",
        "start_s": 0.0,
        "end_s": 9.0,
        "audio_start_s": 0.0,
    }
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "sources.parquet")
    listing = list_sources([str(tmp_path / "sources.parquet")])
    assert (len(listing.sources), listing.published) == (1, [])


def test_parquet_keeps_ranges_and_counts_its_rows(tmp_path: Path) -> None:
    rows = [
        {"title": "a", "where": ONE, "start": 1.5, "end": 2.5},
        {"title": "b", "where": TWO, "start": None, "end": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    listing = list_sources([str(tmp_path / "a.parquet")])
    assert [(clip.source_id[-1], clip.start_s, clip.end_s) for clip in listing.published] == [("1", 1.5, 2.5)]
    assert told(listing) == "a.parquet: 2 lines, 2 sources, 1 clip"


@pytest.mark.parametrize(
    ("name", "content", "reason", "sentence"),
    [
        ("cut_in_a_letter.txt", ONE.encode("utf-16")[:-1], "list_unreadable", "save the list as UTF-8"),
        ("cut.csv.gz", compressed(bytes(range(256)) * 99)[:99], "list_unreadable", "damaged or ends too early"),
        (
            "open.csv",
            f'title,url\n"Talk one,{ONE}\nTalk two,{TWO}\n',
            "quote_not_closed",
            "lines 2 to 3 lie within one quotation mark",
        ),
        ("cut.json", json.dumps([ONE, TWO], indent=1)[:-9], "not_json", "cut.json"),
        ("form.json", json.dumps({"meta": {}, "clips": {"a": {}}}), "list_form_unknown", "write an array of addresses"),
        ("sheet.xlsx", b"PK", "no_list", "save the sheet as .csv"),
        ("lists.zip", b"PK", "no_list", "unpack it"),
        ("page.html", b"<a>", "no_list", "one address or path a line"),
        ("host.txt", "h.org/a.mp4\n", "missing_file", "host.txt line 1"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    name: str, content: str | bytes, reason: str, sentence: str, tmp_path: Path
) -> None:
    listing = listed(tmp_path, name, content)
    (drop,) = listing.dropped
    assert (listing.sources, drop.reason) == ([], reason)
    assert sentence in drop.detail


def test_a_list_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    lines = [f"https://h.org/{hashlib.sha256(bytes([n % 256, n // 256])).hexdigest()}.mp4\n" for n in range(2000)]
    listing = listed(tmp_path, "a.csv.gz", compressed("".join(["url\n", *lines]).encode())[:-20_000])
    assert 500 < len(listing.sources) < 2000
    assert reasons(listing)["list_unreadable"] == 1
    assert "damaged or ends too early, after line" in next(
        d.detail for d in listing.dropped if d.reason == "list_unreadable"
    )


def test_a_title_in_latin_1_costs_nothing_and_such_an_entry_itself_alone(tmp_path: Path) -> None:
    listing = listed(tmp_path, "a.csv", f"title,url\ncaf\xe9,{ONE}\nb,caf\xe9.mp4\nc,{TWO}\n".encode("latin-1"))
    assert [source.uri for source in listing.sources] == [ONE, TWO]
    assert reasons(listing) == {"not_utf8": 1}
    assert "save the list as UTF-8" in listing.dropped[0].detail
    assert listing.dropped[0].detail.isprintable()


def test_text_of_strangers_is_told_as_text(tmp_path: Path) -> None:
    listing = listed(tmp_path, "a.txt", "[/nothing] here.mp4\n[link=x]\x1b]0;owned\x07.mp4\n")
    assert reasons(listing) == {"missing_file": 2}
    assert "[/nothing] here.mp4" in "\n".join(listing.told())
    assert all(line.isprintable() for line in listing.told())
