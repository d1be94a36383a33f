"""Folders: searched with their links, each file counted, and nothing of our own taken for a recording."""

import json
from collections import Counter
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Source
from pipeline.listing import Listing, list_sources, missing
from pipeline.listing.folders import AUDIO, VIDEO


def put(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def names(listing: Listing) -> list[str]:
    return sorted(Path(source.uri).name for source in listing.sources)


def told(listing: Listing) -> str:
    (tally,) = listing.tallies
    return tally.told()


def test_files_are_sources_drops_or_counted(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.mp4",
        "b/c.wav",
        *[f"b/{n}.txt" for n in range(10)],
        "x.jpg",
        "y.JPG",
        "Makefile",
        ".hidden.mp4",
        ".git/z.mp4",
    )
    (tmp_path / "copy.mp4").write_bytes(b"a.mp4")
    listing = list_sources([str(tmp_path)])
    assert names(listing) == ["a.mp4", "c.wav"]
    rest = "14 others passed over (.txt 10, .jpg 2, hidden 1, without a suffix 1)"
    assert told(listing) == f"{tmp_path}: 17 files, 2 sources, 1 duplicate, {rest}; a hidden folder is not searched"


@pytest.mark.parametrize(
    "suffix", [".m2v", ".3g2", ".rm", ".dv", ".qt", ".mpe", ".ogm", ".aif", ".caf", ".amr", ".w64"]
)
def test_what_ffmpeg_plays_is_taken(suffix: str, tmp_path: Path) -> None:
    assert suffix in VIDEO | AUDIO
    assert names(list_sources([str(put(tmp_path, f"a{suffix.upper()}"))])) == [f"a{suffix.upper()}"]


def test_a_folder_that_is_a_link_is_searched_and_each_real_folder_once(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", "far.mp4")
    folder = put(tmp_path / "videos", "real/near.mp4")
    (folder / "a_link").symlink_to(outside)
    (folder / "again").symlink_to(outside)
    (folder / "a_real").symlink_to(folder / "real")
    (folder / "circle").symlink_to(folder)
    (folder / "broken").symlink_to(tmp_path / "nowhere")
    listing = list_sources([str(folder)])
    assert sorted(source.uri for source in listing.sources) == [f"{folder}/a_link/far.mp4", f"{folder}/real/near.mp4"]
    assert listing.dropped == []
    (tmp_path / "link").symlink_to(folder)
    assert names(list_sources([str(tmp_path / "link")])) == ["far.mp4", "near.mp4"]


def test_what_headset_made_is_left_out_and_said(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.mp4",
        "corpus/media/00/render.mp4",
        "release/clip.mp4",
        "export/clip.mp4",
        "begun/clip.mp4",
        "mine/b.mp4",
    )
    Manifest(str(tmp_path / "corpus")).add([Source("yt-x", "https://youtu.be/x")])
    (tmp_path / "release" / "release.json").write_text(json.dumps({"name": "hq", "finished": False}))
    (tmp_path / "export" / "export.json").write_text(json.dumps({"layout": "wav2lip", "substituted": {}}))
    (tmp_path / "begun" / "export.jsonl").write_text(
        json.dumps({"layout": "wav2lip", "substituted": {}}) + "\nnot json\n"
    )
    (tmp_path / "mine" / "release.json").write_text(json.dumps({"name": "a record of a band"}))
    listing = list_sources([str(tmp_path)])
    assert names(listing) == ["a.mp4", "b.mp4"]
    for what in (
        "left out corpus/, a corpus",
        "left out release/, a release",
        "left out export/, an export",
        "left out begun/, an export",
    ):
        assert what in told(listing)
    listing = list_sources([str(tmp_path / "corpus")])
    assert [drop.reason for drop in listing.dropped] == ["own_output"]


def test_the_corpus_that_is_being_written_is_left_out_and_said(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "out/b.mp4")
    (tmp_path / "by_link").symlink_to(tmp_path / "out")
    listing = list_sources([str(tmp_path)], skip=[tmp_path / "by_link"])
    assert names(listing) == ["a.mp4"]
    assert "left out out/, what --out writes" in told(listing)
    assert Counter(drop.reason for drop in list_sources([str(tmp_path)], skip=[tmp_path]).dropped) == {"own_output": 1}


def test_a_typo_gets_the_nearest_name(tmp_path: Path) -> None:
    put(tmp_path, "videos/interview.mp4")
    for typed, meant in (
        ("vidoes", "videos"),
        ("videos/Intervew.mp4", "videos/interview.mp4"),
        ("vidoes/a.mp4", "videos"),
    ):
        said = missing(str(tmp_path / typed))
        assert said is not None
        assert said.endswith(f"did you mean {tmp_path / meant}?")
        assert said.partition(": ")[2] in list_sources([str(tmp_path / typed)]).dropped[0].detail
    for there in (
        str(tmp_path / "videos"),
        "https://h.org/a.mp4",
        "yt:aaaaaaaaaa1",
        "aaaaaaaaaa1",
        "youtu.be/aaaaaaaaaa1",
    ):
        assert missing(there) is None
