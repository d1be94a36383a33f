"""The files of a page, read as the page reads them."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import NotFound, UsageError
from manifests.manifest import Manifest
from operators.sources.download_video import DownloadVideo
from operators.sources.probe_source import ProbeSource
from pipeline.__main__ import main
from pipeline.listing import list_sources
from pipeline.recipe import Recipe, Stage
from pipeline.views.explorer.details import PER_PX, UNSEEN
from pipeline.views.explorer.explorer import Explorer, page, policy
from pipeline.views.explorer.written import WrittenPlaces, write_page
from pipeline.views.funnel import funnel, given_up_sources
from tests.made_videos import tone, write_video
from tests.pipeline.engine.in_process import do
from tests.pipeline.views.explorer.made import CLIPS, HOSTILE, LENGTH_S, SOURCES, WORDS


def read(page: Path, name: str) -> Any:
    """What a data file hands over: it is one call, and its argument is base64."""
    text = (page / "data" / f"{name}.js").read_text()
    found = re.fullmatch(r'headset_data\("([a-z]+(?:/\d+[-/]\d+)?)","([A-Za-z0-9+/=]*)"\)\n', text)
    assert found, text[:80]
    assert found[1] == name
    return base64.b64decode(found[2])


def told(page: Path, name: str) -> Any:
    return json.loads(read(page, name))


def test_no_text_of_others_is_in_a_file_as_it_is(pages: Path) -> None:
    """All is base64 but the page's own program: neither a title nor a word can be parsed as anything."""
    for file in pages.rglob("*.js"):
        read(pages, str(file.relative_to(pages / "data").with_suffix("")))
    index = (pages / "index.html").read_text()
    assert "hacked" not in index
    assert index == page(served=False)
    assert not re.search(r"<[^>]+ on[a-z]+=", index.partition("<script>")[0])


def test_the_policy_lets_in_the_program_by_its_hash_and_nothing_from_elsewhere() -> None:
    for served in (False, True):
        allowed = policy(served=served)
        assert "unsafe" not in allowed
        assert "http" not in allowed
        assert allowed.count("'sha256-") == 2


def test_the_catalogue_tells_of_every_column(pages: Path) -> None:
    catalogue = told(pages, "catalogue")
    columns = {column["name"]: column for column in catalogue["columns"]}
    assert catalogue["rows"] == SOURCES * CLIPS
    assert columns["face_width_px"]["unit"] == "px"
    assert sum(columns["face_width_px"]["counts"]) == SOURCES * CLIPS
    assert columns["title"]["words"] == sorted(HOSTILE)
    assert "/" not in catalogue["root"]  # a page that goes elsewhere does not tell where it was made


def test_levels_are_the_values(pages: Path) -> None:
    catalogue = told(pages, "catalogue")
    number = next(n for n, column in enumerate(catalogue["columns"]) if column["name"] == "dnsmos_ovrl")
    column = catalogue["columns"][number]
    levels = np.frombuffer(read(pages, f"values/{number}-0"), "<u2")
    values = column["low"] + (levels + 0.5) * (column["high"] - column["low"]) / catalogue["levels"]
    assert np.abs(values - [1.0 + 0.1 * n for n in range(SOURCES * CLIPS)]).max() < 1e-4


def test_a_clip_is_told_of_with_its_frames_words_and_landmarks(pages: Path) -> None:
    detail = told(pages, "clips/0/1")
    render, source = detail["media"]
    assert detail["clip"]["start"] == 3.0
    assert (render["name"], source["name"]) == ("render", "source")
    assert np.abs(np.array(render["times"]) - np.arange(40) / 25).max() < 1e-4
    assert render["offset"] == 3.0
    assert min(source["times"]) <= 0.0 + 1e-6
    assert max(source["times"]) < 3.0 + LENGTH_S + 3.0
    assert np.abs(np.diff(source["times"]) - 0.04).max() < 1e-4
    assert [word[2] for word in detail["words"]] == list(WORDS)
    assert (pages / render["file"]).is_file()
    assert (pages / source["file"]).is_file()
    marks = detail["landmarks"]
    points = np.frombuffer(base64.b64decode(marks["points"]), "<i2").reshape(8, marks["count"], 2)
    assert (points[0] == UNSEEN).all()
    away = np.hypot(*(points[1].T / PER_PX - 90.0))
    assert np.abs(away - 0.3 * 180).max() < 0.3
    assert len(base64.b64decode(render["peaks"])) >= 50
    assert dict(detail["facts"])["face_width_px"] == 110.0


def test_pictures_are_of_the_clips(pages: Path) -> None:
    from PIL import Image

    sheet = np.asarray(Image.open(pages / "sprites" / "0.jpg").convert("RGB")).astype(int)
    assert sheet.shape == (480, 1280, 3)
    assert np.abs(sheet[80, 80] - (40, 190, 200)).max() < 24  # cyan, then magenta
    assert np.abs(sheet[80, 240] - (190, 40, 180)).max() < 24


def test_drops_have_examples_with_pictures(pages: Path) -> None:
    losses = told(pages, "losses")
    (one,) = losses["reasons"]
    assert (one["reason"], one["count"], len(one["examples"])) == ("too_short", 4, 4)
    assert one["examples"][1]["detail"] == "<b>1</b> of 4"
    assert (one["examples"][1]["start"], one["examples"][1]["end"]) == (0.0, 1.0)
    assert (pages / one["examples"][1]["file"]).is_file()
    from PIL import Image

    sheet = np.asarray(Image.open(pages / "sprites" / "losses.jpg").convert("RGB")).astype(int)
    assert np.abs(sheet[45, 80 + 160] - (30, 160, 40)).max() < 30


def test_only_the_clips_that_are_asked_for_with_links_to_where_they_lie(corpus: Manifest, tmp_path: Path) -> None:
    assert write_page(corpus, tmp_path / "out", where="face_width_px >= 300", media="linked") == 4
    detail = told(tmp_path / "out", "clips/0/0")
    assert not (tmp_path / "out" / "media").exists()
    for one in detail["media"]:
        assert (tmp_path / "out" / one["file"]).resolve().is_file()
    with pytest.raises(UsageError, match="no column"):
        write_page(corpus, tmp_path / "other", where="loudnes > 1")


def test_a_file_that_is_no_video_is_told_of_and_the_page_is_whole(tmp_path: Path) -> None:
    """Once `ProbeSource` gave it up it has no row in `sources`."""
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "broken.mp4").write_bytes(b"no video at all")
    write_video(tmp_path / "films" / "good.mp4", (("red", 2.0),), audio=tone(2.0), size=(320, 180))
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add(list_sources([str(tmp_path / "films")]).sources)
    probed = do(Recipe("probe", "", (Stage(DownloadVideo()), Stage(ProbeSource()))).plan(), manifest)
    assert write_page(probed, tmp_path / "out") == 0
    (lost,) = told(tmp_path / "out", "losses")["reasons"]
    assert lost["reason"] == "not_a_video"
    (example,) = lost["examples"]
    assert (Path(example["uri"]).name, example["file"]) == ("broken.mp4", "")  # named, with nothing to be played
    assert given_up_sources(probed, funnel(probed)) == "Given up: broken.mp4 (not_a_video)."


def test_a_folder_of_something_else_stays_as_it_is(
    corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["explore", corpus.root, "--html", str(tmp_path)]) == 2
    assert "something else" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_files_that_are_none_of_the_page_are_not_found(corpus: Manifest, tmp_path: Path) -> None:
    explorer = Explorer(corpus, WrittenPlaces(corpus.root, tmp_path, "renders"), tmp_path)
    for name in ("", "../x", "data/values/999-0.js", "data/values/0-9.js", "data/clips/0/999.js", "data/clips/1/1.js",
                 "sprites/7.jpg", "data/texts/3-0.js/../../x"):  # fmt: skip
        with pytest.raises(NotFound):
            explorer.content(name)
