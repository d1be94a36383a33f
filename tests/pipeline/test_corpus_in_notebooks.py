"""What a notebook shows of a corpus: real frames and sound, made by the test, and strangers' texts that stay texts."""

import io
import math
import re
import sys
from base64 import b64decode
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import headset
from manifests.errors import NotFound, UsageError
from manifests.media import MediaStore
from manifests.tables import Dropped, Render, Row, Shot, Word
from operators.media.encoding import Encoder
from operators.models.face_geometry import head_pose_deg
from pipeline.corpus import live
from pipeline.corpus.frames import installed
from pipeline.corpus_steps.reviews import Said, read_reviews
from pipeline.views.pictures import axes_of
from pipeline.views.sound_pictures import peaks, spectrogram_db
from tests.pipeline.made_corpus import clip, corpus_of, score, source, track

HOSTILE = "<script>alert(1)</script>"
RED, BLUE = (200, 30, 30), (30, 30, 200)


class Tags(HTMLParser):
    """The tags of a page, with their attributes, and its text."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def film(path: Path, seconds: int = 5) -> Path:
    """Red for two seconds, then blue, with a tone of 1 kHz from where it turns blue; 64 x 64, 25 frames a second."""
    pictures = [np.full((64, 64, 3), RED if i < 50 else BLUE, np.uint8) for i in range(25 * seconds)]
    at = np.arange(48000 * seconds) / 48000
    tone = np.where(at >= 2.0, 0.5 * np.sin(2 * np.pi * 1000 * at), 0.0).astype(np.float32)
    Encoder().write(path, pictures, tone, width=64, height=64, fps=Fraction(25))
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> headset.Corpus:
    root, lying = tmp_path / "corpus", film(tmp_path / "lying.mp4")
    one = clip("s0", 0.0, 5.0, speaker=HOSTILE)
    place, sha256 = MediaStore(str(root)).put(film(tmp_path / "made.mp4"), ".mp4")
    made = Render(
        "s0", f"{one.clip_id}@recording", one.clip_id, "recording", place, sha256, "", 1, 64, 64, 25.0, 125, 5.0, "made"
    )
    rows: list[Row] = [
        source("s0", uri=str(lying), title=HOSTILE, height=64, width=64),
        one,
        track("s0"),
        made,
        score(one, "dnsmos_ovrl", 3.25),
        score(one, "yaw_deg", -7.0),
        source("s1"),
        clip("s1"),
        Dropped(
            "s0",
            "s0/003000-005000/t9@PlanClips",
            "s0/003000-005000/t9",
            "clips",
            "PlanClips",
            "face_small",
            HOSTILE,
            False,
            False,
        ),
        Dropped("s1", "s1@ProbeSource", "s1", "sources", "PlanClips", "no_speech", "", False, False),
    ]
    return headset.open(corpus_of(root, rows).root)


def pictures(page: str) -> list[Image.Image]:
    found = [one["src"] or "" for one in Tags(page).of("img")]
    return [Image.open(io.BytesIO(b64decode(src.partition("base64,")[2]))) for src in found]


def test_players_link_what_lies_here_and_carry_their_posters(
    corpus: headset.Corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    page = corpus.clips.where("dnsmos_ovrl > 3").head(12)._repr_html_()
    (video,) = Tags(page).of("video")
    assert Path(video["src"] or "").is_file()
    (poster,) = pictures(page)  # for pages that take videos away
    red, _, blue = np.asarray(poster).mean((0, 1))
    assert red > 150 > 60 > blue  # a third of 5 s lies in the red part
    text = Tags(page).text
    assert "1 of 1 clips where dnsmos_ovrl > 3" in text
    assert "dnsmos_ovrl 3.25" in text
    assert not Tags(page).of("script")
    assert HOSTILE in text


def test_a_player_may_be_inside_the_page(corpus: headset.Corpus) -> None:
    clips = corpus.clips.where("dnsmos_ovrl > 3")
    whole, small = clips[0].play(), clips.players(video="inside")
    assert b64decode(whole.src.partition("base64,")[2]) == clips[0].path.read_bytes()
    assert small.players[0].src.startswith("data:video/mp4;base64,")
    assert not Tags(clips.players(video="none")._repr_html_()).of("video")
    with pytest.raises(UsageError, match="it is link, inside or none"):
        clips.players(video="outside")


def test_frames_of_a_render_are_picked_evenly(corpus: headset.Corpus) -> None:
    stills = corpus.clips[0].frames(5, marks=False)
    shown = [np.asarray(one).mean((0, 1)) for one in pictures(stills._repr_html_())]
    assert [mean[0] > mean[2] for mean in shown] == [True, True, False, False, False]  # 0.5, 1.5 | 2.5, 3.5, 4.5 s
    assert stills.stills[0].caption.startswith("0.48 s")  # frames 12, 38, 62, 88 and 112: halves go to the even one


def test_marks_are_in_pixels_of_the_render(corpus: headset.Corpus) -> None:
    marks = corpus.clips[0].marks(1.0)  # the track's box is 0,50 to 300,350; the crop of 400 pixels is rendered at 64
    assert marks.box == pytest.approx([0, 8, 48, 56])
    assert marks.points is None


def test_a_timeline_has_all_lanes_and_no_markup_of_others(tmp_path: Path) -> None:
    one = clip("s0", 4.0, 9.0, speaker="speaker0")
    rows: list[Row] = [source("s0"), one, track("s0"), score(one, "av_offset_s", 0.08)]
    root = tmp_path / "corpus"
    manifest = corpus_of(root, rows)
    step = manifest.run.steps[0].version if manifest.run else ""
    assert step
    shown = headset.open(str(root)).clips[0].timeline()
    assert (shown.start_s, shown.end_s, shown.cut) == (2.0, 11.0, (4.0, 9.0))
    assert [name for name, _ in shown.lanes] == ["shots", "face t0"]
    page = shown._repr_html_()
    assert "cut, 5.00 s" in page
    assert "sound 80 ms late" in Tags(page).text
    rects = [(float(one["x"] or 0), float(one["width"] or 0)) for one in Tags(page).of("rect")]
    assert rects[0] == pytest.approx((120 + 760 * 2 / 9, 760 * 5 / 9), abs=0.1)  # the cut on an axis of 9 s


def test_words_on_a_timeline_are_text(tmp_path: Path) -> None:
    from pipeline.query.source_rows import SourceRows
    from pipeline.views.timeline import timeline_of

    manifest = corpus_of(tmp_path / "corpus", [source("s0"), one := clip("s0", 4.0, 9.0)])

    class Rows(SourceRows):
        def current(self, table: type) -> list:  # pyright: ignore[reportMissingTypeArgument]
            made = {Word: [Word("s0", "w", one.clip_id, "<b>hi", 4.5, 6.0, 1.0)], Shot: [Shot("s0", "x", 0.0, 60.0)]}
            return made.get(table) or super().current(table)

    page = timeline_of(Rows.of(manifest, "s0"), one)._repr_html_()
    assert not Tags(page).of("b")
    assert "<b>hi" in Tags(page).text


def test_sound_is_drawn_where_it_is(corpus: headset.Corpus) -> None:
    samples = corpus.clips[0].samples()
    loud = [high for _, high in peaks(samples, 5)]
    assert loud[0] < 0.05 < 0.4 < loud[3]
    power = spectrogram_db(samples, 100)
    assert power.shape == (257, 100)
    assert power[:, 80].argmax() == pytest.approx(1000 / 8000 * 256, abs=1)
    page = corpus.clips[0].sound()._repr_html_()
    assert (len(Tags(page).of("path")), len(Tags(page).of("image"))) == (1, 1)


@pytest.mark.parametrize("pose", [(0.0, 0.0, 0.0), (30.0, -20.0, 10.0), (-50.0, 35.0, -25.0)])
def test_axes_of_a_head_are_those_its_angles_were_taken_from(pose: tuple[float, float, float]) -> None:
    (ax, ay), (ux, uy), (fx, fy) = axes_of(*pose)
    matrix = np.eye(4)
    depth = [-math.sqrt(max(1 - x * x - y * y, 0)) for x, y in ((ax, ay), (ux, uy))]
    forward = np.array([fx, fy, math.sqrt(max(1 - fx * fx - fy * fy, 0))])
    signs = [
        (one, other) for one in (-1, 1) for other in (-1, 1)
    ]  # depths are seen only as squares: the right ones make a frame
    for one, other in signs:
        across, up = np.array([ax, ay, one * depth[0]]), np.array([ux, uy, other * depth[1]])
        if np.allclose(np.cross(across, up), forward, atol=1e-6):
            matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = across, up, forward
            assert head_pose_deg(matrix) == pytest.approx(pose, abs=1e-4)
            return
    raise AssertionError("the axes stand on one another in no way")


def test_drops_are_shown_from_their_sources(corpus: headset.Corpus) -> None:
    drops = corpus.drops("face_small")
    assert (len(drops), len(corpus.drops()), len(corpus.drops("none"))) == (1, 2, 0)
    page = drops._repr_html_()
    (still,) = pictures(page)
    red, _, blue = np.asarray(still).mean((0, 1))
    assert blue > 150 > 60 > red  # 4 s, the middle of the span in the id
    assert not Tags(page).of("script")
    assert HOSTILE in Tags(page).text
    assert "no picture within reach" in corpus.drops("no_speech")._repr_html_()  # its source is an address


def test_scores_say_what_they_are(corpus: headset.Corpus) -> None:
    told = {one.name: one for one in corpus.clips[0].scores.scores}
    assert (told["dnsmos_ovrl"].value, told["dnsmos_ovrl"].unit, told["dnsmos_ovrl"].better) == (3.25, "MOS", "higher")
    table = corpus.clips.table(["clip_id", "dnsmos_ovrl"])
    assert (table.schema.field("dnsmos_ovrl").metadata or {})[b"range"] == b"1 to 5"
    assert corpus.clips.pandas(["dnsmos_ovrl"]).attrs["columns"]["dnsmos_ovrl"]["better"] == "higher"


def test_the_same_rows_in_every_form(corpus: headset.Corpus) -> None:
    ids = ["s0/000000-005000/t0", "s1/000000-005000/t0"]
    assert corpus.pandas("clips")["clip_id"].tolist() == ids
    assert sorted(row[0] for row in corpus.duckdb("clips").project("clip_id").fetchall()) == ids
    pytest.importorskip("polars")
    assert corpus.polars("clips")["clip_id"].to_list() == ids
    assert corpus.clips.polars(["clip_id"])["clip_id"].to_list() == ids
    with pytest.raises(UsageError, match="a thing needs no_such_module: pip install no_such_module"):
        installed("no_such_module", "a thing")


def test_order_and_number_are_as_asked(corpus: headset.Corpus) -> None:
    clips = corpus.clips
    assert [one.clip_id[:2] for one in clips.sort("dnsmos_ovrl", descending=True)] == ["s0", "s1"]
    assert [one.clip_id[:2] for one in clips.sort("clip_id", descending=True).head(1)] == ["s1"]
    assert (len(clips), len(clips.head(1)), len(clips.head(1).head(5))) == (2, 1, 1)
    assert (clips[-1].clip_id, clips[1].row.source_id) == ("s1/000000-005000/t0", "s1")
    with pytest.raises(IndexError, match="2 clips, and none at 2"):
        clips[2]
    with pytest.raises(IndexError):
        clips.head(1)[1]
    assert len({clips.sample(1, seed)[0].clip_id for seed in range(20)}) == 2
    assert clips.sample(2, 7).table(["clip_id"]) == clips.sample(2, 7).table(["clip_id"])
    with pytest.raises(NotFound, match="keeps no clip 's0/x'; of this source it keeps s0/000000-005000/t0"):
        corpus.clip("s0/x")
    assert corpus.clip("s0/000000-005000/t0").row == clips[0].row


def test_what_is_not_rendered_says_so(corpus: headset.Corpus) -> None:
    with pytest.raises(NotFound, match="is not rendered"):
        corpus.clips[1].play()
    assert "not rendered" in corpus.clips._repr_html_()
    assert corpus.clips[1]._repr_html_().startswith("<div")
    assert corpus.clips[1].timeline().wave == ()


def test_yields_are_curves(corpus: headset.Corpus) -> None:
    shown = corpus.yields("yaw_deg > -10 and seconds >= 4")
    page = shown._repr_html_()
    assert shown.found.left_clips == 1
    assert re.search(r"yaw_deg &gt;", page)
    assert corpus.columns("clips").columns[0].name == "source_id"


def mimes_of(shown: object) -> set[str]:
    """What a kernel sends of an object, by the formatter that IPython has."""
    formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    return set(formatter.format(shown)[0])


WIDGET = "application/vnd.jupyter.widget-view+json"


def test_a_timeline_is_a_widget_and_a_picture(corpus: headset.Corpus) -> None:
    pytest.importorskip("anywidget")
    assert {WIDGET, "text/html"} <= mimes_of(corpus.clips[0].timeline())
    assert WIDGET not in mimes_of(corpus.clips[0].scores)


def test_without_anywidget_there_is_the_picture(corpus: headset.Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    shown = mimes_of(corpus.clips[0].timeline())
    assert "text/html" in shown
    assert WIDGET not in shown
    with pytest.raises(UsageError, match="pip install anywidget"):
        corpus.clips.triage()


def test_triage_writes_what_import_reviews_reads(corpus: headset.Corpus, tmp_path: Path) -> None:
    pytest.importorskip("anywidget")
    file = tmp_path / "reviews.json"
    triage = corpus.clips.triage(file, reviewer="ada")
    assert mimes_of(triage) >= {WIDGET, "text/html"}
    said = {"s1/000000-005000/t0": {"verdict": "flag", "reason": HOSTILE, "at": "2026-11-27T12:00:00Z"}}
    triage.widget.said = said
    assert read_reviews(file) == ("ada", [Said("s1/000000-005000/t0", "flag", HOSTILE, "2026-11-27T12:00:00Z")])
    assert corpus.clips.triage(file).reviews == said
    with pytest.raises(UsageError, match="holds the reviews of ada"):
        corpus.clips.triage(file, reviewer="bob")
    with pytest.raises(UsageError, match="no clip is left"):
        corpus.clips.where("false").triage(file)


def test_a_widget_is_told_all_of_a_clip(corpus: headset.Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    detail, video = live.told(corpus.clips[0])
    assert video == corpus.clips[0].path.read_bytes()
    assert (len(detail["media"][0]["times"]), detail["clip"]["end"]) == (125, 5.0)
    assert live.told(corpus.clips[1])[1] == b""  # not rendered
    monkeypatch.setattr(live, "MOST_BYTES", 0)
    monkeypatch.setattr(live, "SMALL_PX", 32)
    detail, video = live.told(corpus.clips[0])
    assert len(detail["media"][0]["times"]) == 125
    with av.open(io.BytesIO(video)) as small:
        assert (small.streams.video[0].width, len(small.streams.audio)) == (32, 1)
