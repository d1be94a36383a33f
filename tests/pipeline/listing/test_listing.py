"""What the user typed becomes sources, and everything that cannot is named: the counts add up."""

import itertools
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import pipeline.listing.hashes
from manifests.bucket import s3_client
from manifests.cache import cache_folder
from manifests.media import sha256_of
from pipeline.listing import list_sources
from tests.object_store import aws_points_at, serve_s3
from tests.pipeline.listing.listings import file_id, ids, reasons


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with videos, a sound, what is neither, and what must not be found."""
    root = tmp_path / "videos"
    for name, content in {
        "b.mp4": b"b", "sub/a.MKV": b"a", "sub/deeper/naïve 漢字 'quoted'; rm -rf.mov": b"c", "sound.wav": b"d",
        "notes.txt": b"x", "picture.jpg": b"y", ".hidden.mp4": b"h", ".git/objects.mp4": b"g",
        "corpus/media/00/render.mp4": b"r", "same as b.mp4": b"b",
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_a_folder_is_searched_through(folder: Path):
    listing = list_sources([str(folder)], skip=[folder / "corpus"])
    assert ids(listing) == sorted(file_id(content) for content in (b"a", b"b", b"c", b"d"))
    assert [(source.bytes, len(source.sha256)) for source in listing.sources] == [(1, 64)] * 4
    assert reasons(listing) == {"duplicate": 1}
    assert listing.dropped[0].source_id == file_id(b"b")
    assert f"the same as {folder}/b.mp4" in listing.dropped[0].detail


def test_moving_or_renaming_a_folder_changes_no_id(folder: Path):
    before = ids(list_sources([str(folder)]))
    (folder / "b.mp4").rename(folder / "renamed.m4v")
    assert ids(list_sources([str(folder.rename(folder.with_name("moved")))])) == before


def test_the_order_of_what_was_typed_changes_nothing(folder: Path):
    arguments = [
        str(folder),
        str(folder / "b.mp4"),
        "yt:CPCoMyuBRM0",
        "https://youtu.be/CPCoMyuBRM0",
        "missing.mp4",
        "https://h.org/v.mp4",
    ]
    listings = {repr(list_sources(order)) for order in itertools.islice(itertools.permutations(arguments), 0, 720, 60)}
    assert len(listings) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://www.youtube.com/watch?v=CPCoMyuBRM0",
        "http://youtube.com/watch?v=CPCoMyuBRM0&t=6s",
        "https://m.youtube.com/watch?list=PL123&v=CPCoMyuBRM0&index=3",
        "HTTPS://WWW.YouTube.com/watch?v=CPCoMyuBRM0#t=3",
        "https://youtu.be/CPCoMyuBRM0?si=abcdef",
        "https://www.youtube.com/shorts/CPCoMyuBRM0",
        "https://www.youtube.com/embed/CPCoMyuBRM0?start=3",
        "https://www.youtube-nocookie.com/embed/CPCoMyuBRM0",
        "https://www.youtube.com/live/CPCoMyuBRM0",
        "https://www.youtube.com/v/CPCoMyuBRM0",
        "yt:CPCoMyuBRM0",
        "CPCoMyuBRM0",
    ],
)
def test_youtube_in_every_form_is_one_source(address: str):
    (source,) = list_sources([address]).sources
    assert (source.source_id, source.uri) == ("yt-CPCoMyuBRM0", "https://www.youtube.com/watch?v=CPCoMyuBRM0")


def test_a_youtube_look_alike_is_not_youtube():
    listing = list_sources(
        ["https://youtube.com.evil.org/watch?v=CPCoMyuBRM0", "https://evil.org/?u=youtu.be/CPCoMyuBRM0"]
    )
    assert [source.source_id[:4] for source in listing.sources] == ["web-", "web-"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://H.org/a.mp4", "http://h.org:80/a.mp4#t=3", True),
        ("https://h.org/a b.mp4", "https://h.org/a%20b.mp4", True),
        ("https://h.org/é.mp4", "https://h.org/%C3%A9.mp4", True),
        ("https://h.org/a.mp4?utm_source=x&id=1", "https://h.org/a.mp4?id=1", True),
        ("https://bücher.org/a.mp4", "https://xn--bcher-kva.org/a.mp4", True),
        ("https://h.org/a.mp4", "http://h.org/a.mp4", False),
        ("https://h.org/A.mp4", "https://h.org/a.mp4", False),
        ("https://h.org/a.mp4?id=1", "https://h.org/a.mp4?id=2", False),
        ("https://h.org:8443/a.mp4", "https://h.org/a.mp4", False),
        ("s3://bucket/a #1?.mp4", "s3://bucket/a", False),
    ],
)
def test_two_spellings_of_one_address_are_one_source(one: str, other: str, same: bool):
    listing = list_sources([one, other])
    assert len(listing.sources) == (1 if same else 2)
    assert reasons(listing) == ({"duplicate": 1} if same else {})


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("file:///etc/passwd", "scheme_not_allowed"),
        ("FILE:/etc/passwd", "scheme_not_allowed"),
        ("data:video/mp4;base64,AAAA", "scheme_not_allowed"),
        ("javascript:alert(1)", "scheme_not_allowed"),
        ("ftp://h.org/a.mp4", "scheme_not_allowed"),
        ("http://", "not_an_address"),
        ("http://h.org:port/a.mp4", "not_an_address"),
        ("http://[::1/a.mp4", "not_an_address"),
        ("http://a b/c.mp4", "not_an_address"),
        ("http://h.org/a\x00.mp4", "not_an_address"),
        ("yt:tooshort", "not_an_address"),
        ("https://www.youtube.com/@channel", "not_one_video"),
        ("https://www.youtube.com/playlist?list=PL123", "not_one_video"),
        ("s3://bucket", "not_one_video"),
        ("https://user:hunter2@h.org/a.mp4", "credentials_in_address"),
        ("https://h.org/a.mp4?X-Amz-Credential=k&X-Amz-Signature=hunter2", "credentials_in_address"),
        ("https://h.org/a.mp4?token=hunter2", "credentials_in_address"),
        ("no/such/file.mp4", "missing_file"),
        ("", "empty_entry"),
        ("/dev/null", "not_a_file"),
    ],
)
def test_what_cannot_be_a_source_says_why(argument: str, reason: str):
    listing = list_sources([argument])
    assert listing.sources == []
    (drop,) = listing.dropped
    assert (drop.reason, drop.operator, drop.subject_table, drop.failed) == (reason, "list_sources", "sources", False)
    assert drop.drop_id == f"{drop.subject}@list_sources"
    assert "hunter2" not in repr(drop)
    assert repr(drop).isprintable()


def test_a_name_that_no_table_can_hold_is_told(tmp_path: Path):
    (tmp_path / os.fsdecode(b"broken\xff.mp4")).write_bytes(b"x")
    listing = list_sources([str(tmp_path)])
    assert reasons(listing) == {"name_not_utf8": 1}
    assert listing.dropped[0].detail.encode()
    assert "broken\\udcff.mp4" in listing.dropped[0].detail


def test_a_file_named_like_a_video_of_youtube_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "dQw4w9WgXcQ").write_bytes(b"film")
    (tmp_path / "list.txt").write_text("dQw4w9WgXcQ\n")
    assert ids(list_sources([str(tmp_path / "list.txt")])) == [file_id(b"film")]


def test_a_prefix_of_a_bucket_in_a_list_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("s3://bucket/talks/\ns3://bucket\n")
    assert reasons(list_sources([str(tmp_path / "list.txt")])) == {"not_one_video": 2}


def test_the_copy_with_a_licence_is_the_source(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"film")
    (tmp_path / "list.csv").write_text("path,licence\na.mp4,\nb.mp4,CC-BY\n")
    listing = list_sources([str(tmp_path / "list.csv")])
    assert [(Path(source.uri).name, source.licence) for source in listing.sources] == [("b.mp4", "CC-BY")]
    assert reasons(listing) == {"duplicate": 1}


def test_a_quoted_cell_may_follow_a_blank_and_hold_a_line_break(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('url, licence\nhttps://h.org/a.mp4, "CC BY, \n4.0"\ngone.mp4, x\n')
    listing = list_sources([str(tmp_path / "list.csv")])
    assert [source.licence for source in listing.sources] == ["CC BY, \n4.0"]
    assert listing.dropped[0].detail.endswith("in list.csv line 4")  # as an editor counts


def test_a_comment_of_another_width_names_no_columns(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("# url\nTalk,https://h.org/a.mp4\nOther,https://h.org/b.mp4\n")
    assert {source.uri for source in list_sources([str(tmp_path / "list.csv")]).sources} == {
        "https://h.org/a.mp4",
        "https://h.org/b.mp4",
    }


def test_of_columns_that_look_alike_the_first_is_read(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        "https://h.org/a.mp4,https://h.org/x.mp4\nhttps://h.org/b.mp4,https://h.org/y.mp4\n"
    )
    assert {source.uri[-5:] for source in list_sources([str(tmp_path / "list.csv")]).sources} == {"a.mp4", "b.mp4"}


def test_of_a_line_with_two_addresses_none_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("https://h.org/a.mp4 https://h.org/b.mp4\n")
    listing = list_sources([str(tmp_path / "list.txt")])
    assert not listing.sources
    assert reasons(listing) == {"not_an_address": 1}
    assert "write one a line" in listing.dropped[0].detail


def test_a_list_in_utf_32_is_read(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes("\ufeffhttps://h.org/a.mp4\n".encode("utf-32-le"))
    assert [source.uri for source in list_sources([str(tmp_path / "list.txt")]).sources] == ["https://h.org/a.mp4"]


def test_an_empty_file_is_a_source_and_a_second_one_its_duplicate(tmp_path: Path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    listing = list_sources([str(tmp_path)])
    assert ids(listing) == [file_id(b"")]
    assert reasons(listing) == {"duplicate": 1}


def test_a_folder_and_a_list_with_nothing_in_them_are_told(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "list.txt").write_text("# only a comment\n\n")
    assert reasons(list_sources([str(tmp_path / "folder"), str(tmp_path / "list.txt")])) == {
        "empty_folder": 1,
        "empty_list": 1,
    }


def test_a_large_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[Path] = []

    def reading(path: Path) -> str:
        read.append(path)
        return sha256_of(path)

    monkeypatch.setattr(pipeline.listing.hashes, "sha256_of", reading)
    monkeypatch.setattr(pipeline.listing.hashes.Hashes, "SETTLED_NS", 0)
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(2**20))
    first = ids(list_sources([str(path)]))
    assert ids(list_sources([str(path)])) == first
    assert len(read) == 1
    before = path.stat()
    path.write_bytes(b"!" + bytes(2**20 - 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # the same size and date: only the time of change tells
    assert ids(list_sources([str(path)])) == [file_id(path.read_bytes())] != first
    assert len(read) == 2


def test_a_large_file_that_just_changed_is_read_again(tmp_path: Path) -> None:
    """It may change once more within a tick of its clock."""
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(2**20))
    assert ids(list_sources([str(path)])) == [file_id(path.read_bytes())]
    with closing(sqlite3.connect(cache_folder() / "hashes.sqlite")) as known:
        assert not known.execute("select * from hashes where path = ?", (str(path),)).fetchall()


def test_a_machine_whose_cache_cannot_be_written_lists_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "file" / "below"))
    (tmp_path / "a.mp4").write_bytes(bytes(2**20))
    assert ids(list_sources([str(tmp_path / "a.mp4")])) == [file_id(bytes(2**20))]


def test_a_prefix_of_a_bucket_is_searched_through(monkeypatch: pytest.MonkeyPatch):
    with serve_s3() as store:
        aws_points_at(store, monkeypatch)
        client = s3_client()
        client.create_bucket(Bucket="searched")
        for key in ("a/1.mp4", "a/b/2 #odd?.MKV", "a/notes.txt", "c/3.mp4"):
            client.put_object(Bucket="searched", Key=key, Body=b"x")
        assert {source.uri for source in list_sources(["s3://searched/a/"]).sources} == {
            "s3://searched/a/1.mp4",
            "s3://searched/a/b/2 #odd?.MKV",
        }
        assert len(list_sources(["s3://searched/"]).sources) == 3
        assert reasons(list_sources(["s3://searched/none/", "s3://no-such-bucket/"])) == {
            "empty_folder": 1,
            "missing_bucket": 1,
        }
