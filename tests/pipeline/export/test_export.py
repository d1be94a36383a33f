"""What layouts are given, and how an export is kept whole: names, splits, resumption, refusals, the report."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from manifests.errors import UsageError
from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.media import MediaStore
from manifests.tables import Annotation, Clip, Dropped, FaceLandmarks, Render, Source, Track
from operators.base import Drop
from operators.clips.render_clips import RenderClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.models.face_geometry import head_pose_deg
from pipeline.export.checks import video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.corpus_clips import clips_of
from pipeline.export.export import check, export
from pipeline.export.faces import Faces
from pipeline.export.layout import Given, Layout, Refused, Written, layout_named, resolved
from pipeline.export.layouts import layouts
from tests.conftest import media
from tests.made_videos import tone, write_video
from tests.pipeline.export.layouts.conftest import PEOPLE, SIDE, made_corpus, portrait


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return made_corpus(
        tmp_path_factory.mktemp("export"),
        {"a": [("collins", 1.0)], "b": [("hopper", 1.0)], "c": [("hopper", 0.6), ("gray", 0.4)]},
    )


@pytest.fixture(scope="module")
def clips(corpus: Manifest) -> list[ExportClip]:
    return clips_of(corpus)


def test_every_layout_defines_what_an_export_calls_and_says_whose_it_is() -> None:
    assert {"wav2lip", "fomm", "lia", "pirender", "face2face_rho", "diffused_heads"} <= set(layouts())
    for name, line in layouts().items():
        assert layout_named(name).version >= 1, name
        assert re.search(r"[0-9a-f]{8}|\(arXiv \S+\)", line), (
            f"{name}: the first line names the repository and its commit, or the paper"
        )
        assert line.endswith("."), name


def made_layout(**members: Any) -> None:
    type("Made", (Layout,), {"version": 1, "write": print, "finish": print, "validate": print, **members})


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"validate": Layout.validate}, r"Made does not define validate, which an export calls"),
        ({"version": 0}, r"Made.version is 0: a number from 1"),
        ({"substitutes": {"coeff": "zeros"}}, r"Made substitutes coeff, which it does not ask for"),
        ({"needs": {"caption": "a"}, "takes": {"caption": "b"}}, r"Made both needs and takes caption"),
    ],
)
def test_a_layout_that_leaves_something_out_is_refused_when_it_is_defined(members: dict[str, Any], said: str) -> None:
    made_layout()
    with pytest.raises(TypeError, match=said):
        made_layout(**members)


def test_an_unknown_layout_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no layout 'wav3lip'; there are .*wav2lip"):
        layout_named("wav3lip")


def test_clips_know_who_is_in_them(clips: list[ExportClip], corpus: Manifest) -> None:
    assert [(clip.clip_id, clip.identity) for clip in clips] == [
        ("a/000000-001000/t0", "collins"), ("b/000000-001000/t0", "hopper"), ("c/000000-001000/t0", "hopper"),
    ]  # fmt: skip
    assert [clip.clip_id for clip in clips_of(corpus, ["b/000000-001000/t0"])] == ["b/000000-001000/t0"]
    with pytest.raises(UsageError, match="no rendered clip"):
        clips_of(corpus, ["other"])


def test_people_not_clips_are_drawn_for_the_test(clips: list[ExportClip]) -> None:
    splits = {
        identity: {clip.split for clip in clips if clip.identity == identity} for identity in ("collins", "hopper")
    }
    assert sorted(map(sorted, splits.values())) == [["test"], ["train"]]


def test_annotated_splits_count_and_must_be_told_for_all(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path, {"a": [("red", 0.2)], "b": [("blue", 0.2)]})
    rows = [Annotation("a", "1", "a/000000-000200/t0", "split", "validation", "list")]
    shard = next(
        shard
        for shard in manifest.shards()
        if any(row.source_id == "a" for row in manifest.read(Render, ["All-1"], shard))
    )
    manifest.write(Annotation, "All-1", shard, rows)
    with pytest.raises(UsageError, match=r"1 of 2 clips have no split, such as b/000000-000200/t0"):
        clips_of(manifest)
    assert [(clip.split, clip.identity) for clip in clips_of(manifest, ["a/000000-000200/t0"])] == [
        ("val", "a/speaker0")
    ]
    manifest.write(Annotation, "All-1", shard, [replace(rows[0], value="holdout")])
    with pytest.raises(UsageError, match="holdout"):
        clips_of(manifest)


def test_names_are_safe_and_no_person_is_part_of_another(clips: list[ExportClip]) -> None:
    assert clips[0].person != clips[1].person == clips[2].person
    assert len({clip.person for clip in (replace(clips[0], identity=f"id{n}") for n in range(50))}) == 50
    assert all(len(clip.person) == 11 and clip.person[0] == "p" for clip in clips)
    assert clips[0].vox_name() == f"{clips[0].person}#a#000000#000025"
    assert (
        replace(clips[0], source_id="yt-abc_DEF-123", start_s=4.0).vox_name(5, 15)
        == f"{clips[0].person}#abc_DEF-123#000105#000115"
    )
    odd = replace(clips[0], source_id="My video (1).mp4", clip_id="My video (1).mp4/0-1/t1")
    assert " " not in odd.name + odd.vox_name()
    assert "." not in odd.name + odd.vox_name()
    assert odd.name != replace(odd, clip_id="My video (1)mp4/0-1/t1").name, "what is left out is told apart by a hash"


def test_two_faces_of_one_span_have_two_names(clips: list[ExportClip]) -> None:
    names = {replace(clips[0], clip_id=f"a/000000-001000/{track}").vox_name() for track in ("t0", "t1", "t2")}
    assert len(names) == 3


def test_parts_hold_no_more_than_they_may_and_miss_nothing(clips: list[ExportClip]) -> None:
    assert clips[0].parts(25) == [(0, 25)]
    assert replace(clips[0], frames=2500).parts(1024) == [(0, 833), (833, 1667), (1667, 2500)]


def test_pictures_are_those_of_the_render_at_any_rate(clips: list[ExportClip]) -> None:
    clip = clips[0]
    own = list(clip.pictures(SIDE))
    assert len(own) == 25
    assert own[0].shape == (SIDE, SIDE, 3)
    assert np.abs(own[10].astype(float) - portrait("collins")(10 / 25)).mean() < 3
    slow, fast = list(clip.pictures(SIDE, 12.5)), list(clip.pictures(SIDE, 50))
    assert len(slow) == 12
    assert all((slow[k] == own[2 * k]).all() for k in range(12))
    assert len(fast) == 50
    assert all((fast[k] == own[k // 2]).all() for k in range(50))
    with pytest.raises(Drop, match="frames_differ"):
        list(replace(clip, frames=26).pictures(SIDE))
    with pytest.raises(Drop, match="not_square"):
        next(replace(clip, width=512).pictures(SIDE))


def test_sound_is_as_long_as_the_pictures(clips: list[ExportClip]) -> None:
    samples = clips[0].samples(16000)
    assert samples.shape == (16000,)
    assert np.argmax(np.abs(np.fft.rfft(samples))) == pytest.approx(300, abs=1)


def test_sound_begins_with_the_first_picture(clips: list[ExportClip], tmp_path: Path) -> None:
    """Of a file whose picture begins 0.5 s after its sound, and with a tone."""
    sound = np.concatenate([np.zeros(8000, np.float32), tone(0.52, 16000, 300)])
    times_s = [0.5 + n / 25 for n in range(13)]
    file = write_video(
        tmp_path / "late.mkv", [("gray", 0.52)], times_s=times_s, audio=sound, audio_hz=16000, audio_codec="pcm_s16le"
    )
    clip = replace(clips[0], frames=13)
    clip.__dict__["path"] = file
    assert np.abs(clip.samples(16000) - tone(0.52, 16000, 300)).max() < 0.01


def test_faces_are_found_where_they_are_and_nowhere_else(clips: list[ExportClip]) -> None:
    faces = clips[2].faces()
    assert faces.seen.tolist() == [True] * 15 + [False] * 10
    eyes, chin, nose = faces.landmarks_68[0, 36:48].mean(axis=0), faces.landmarks_68[0, 8], faces.landmarks_68[0, 30]
    assert eyes[1] < nose[1] < chin[1]
    assert abs(eyes[0] - chin[0]) < 30
    left, right = faces.landmarks_68[0, :8, 0], faces.landmarks_68[0, 9:17, 0]
    assert left.max() < chin[0] + 15, "the jaw comes from the image's left"
    assert right.min() > chin[0] - 15, "and goes to its right"
    assert max(map(abs, head_pose_deg(faces.matrix[0]))) < 25
    with pytest.raises(Drop, match="no_face") as given_up:
        faces.bridged(9)
    assert "10 frames in a row" in given_up.value.detail
    assert np.array_equal(faces.bridged(10).points[20], faces.points[14]), "at the end the nearest stays"


@pytest.fixture(scope="module")
def meshed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], list[ExportClip]]:
    """The clip of a second of a real talk as an export sees it, by the rate at which its face was meshed."""
    video = media("single", "headpose_31.mp4")
    clip = Clip("s", "s/002000-003000/t0", "s/x", "s/x/t0", "speaker0", 2.0, 3.0, 330.0, 10.0, 970.0, 650.0)
    box = DetectFaces().faces(next(iter(VideoFrames(video, 2.0))))[0]
    left, top, right, bottom = ([edge] * 2 for edge in box[:4])
    track = Track("s", "s/x/t0", "s/x", 2.0, 3.0, [2.0, 3.0], left, top, right, bottom, [0.9, 0.9])

    def made(rate_hz: float) -> list[ExportClip]:
        manifest = Manifest(str(tmp_path_factory.mktemp("meshed")))
        place: Any = SimpleNamespace(path=video, keep=MediaStore(manifest.root).put)
        frames = VideoFrames(video, 2.0, 3.0)
        rows = [clip, *RenderClips(size=256, silent=True)(clip, frames, SourceAudio(video), place)]
        rows += LandmarkFaces(rate_hz=rate_hz)(clip, [track], frames)
        manifest.add([Source("s", str(video))])
        tables = (Clip, Render, FaceLandmarks)
        manifest.remember(
            RunRecord("made", [StepRecord("All", "All-1", 0, "sources", [t.table for t in tables], [], {}, {}, [])])
        )
        for table in (*tables, Dropped):
            manifest.write(table, "All-1", 0, [row for row in rows if isinstance(row, table)])
        manifest.commit("All-1", 0, Receipt("All"))
        return clips_of(Manifest(manifest.root))

    return made


def test_faces_come_from_the_mesh_where_it_holds_every_frame(meshed: Callable[[float], list[ExportClip]]) -> None:
    (clip,) = meshed(0.0)
    assert clip.mesh
    held, found = clip.faces(), replace(clip, mesh="").faces()
    assert held.seen.tolist() == found.seen.tolist() == [True] * 25
    eyes_px = np.hypot(*(found.points[:, 263] - found.points[:, 33]).mean(axis=0))
    off = np.hypot(*np.moveaxis(held.points - found.points, 2, 0)) / eyes_px
    assert np.median(off) < 0.01, "of the distance between the eyes' outer corners"
    assert np.percentile(off, 99) < 0.06
    turns = np.array([[head_pose_deg(faces.matrix[n]) for n in range(25)] for faces in (held, found)])
    assert np.abs(turns[0] - turns[1]).mean() < 1
    assert held.matrix[:, :3, 3] == pytest.approx(found.matrix[:, :3, 3], rel=0.05, abs=0.5), (
        "where the head is, in centimetres"
    )
    assert np.abs(held.blendshapes - found.blendshapes).mean() < 0.02
    steady = np.abs(np.diff(held.points - held.points.mean(axis=(0, 1)), axis=0)).mean()
    moved = np.abs(np.diff(held.points, axis=0) - np.diff(found.points, axis=0)).mean()
    assert moved < steady, "each frame has its own mesh"
    half = clip.faces(12.5)
    assert np.array_equal(half.points, held.points[::2][:12])
    tall = replace(clip, height=2 * clip.height).faces()
    assert tall.points == pytest.approx(held.points * (1, 2)), "a render twice as high as its crop is stretched"


def test_a_mesh_of_some_frames_is_not_enough(meshed: Callable[[float], list[ExportClip]]) -> None:
    assert [clip.mesh for clip in meshed(5.0)] == [""]


def test_gaps_are_bridged_in_a_straight_line() -> None:
    points = np.zeros((5, 478, 2))
    points[:, :, 0] = np.array([0, np.nan, np.nan, np.nan, 8])[:, None]
    filled = Faces(points, np.zeros((5, 4, 4)), np.zeros((5, 52))).bridged(3)
    assert filled.points[:, 0, 0].tolist() == [0, 2, 4, 6, 8]
    with pytest.raises(Drop, match="no_face"):
        Faces(np.full((3, 478, 2), np.nan), np.zeros((3, 4, 4)), np.zeros((3, 52))).bridged(9)


def test_written_and_refused_add_up_and_the_report_tells_why(clips: list[ExportClip], tmp_path: Path) -> None:
    (Path(clips[1].root) / clips[1].media).rename(hidden := tmp_path / "hidden.mp4")
    try:
        outcomes = list(export("fomm", [replace(clips[0], width=512), *clips[1:]], tmp_path / "to"))
    finally:
        hidden.rename(Path(clips[1].root) / clips[1].media)
    assert [(one.clip_id[0], one.reason) for one in outcomes if isinstance(one, Refused)] == [
        ("a", "not_square"),
        ("b", "media_missing"),
    ]
    report = json.loads((tmp_path / "to/export.json").read_text())
    assert (report["clips"], report["written"], report["refused"]) == (3, 1, {"not_square": 1, "media_missing": 1})
    assert report["licences"] == {"public domain": 1}
    assert not list((tmp_path / "to").rglob("part.*"))


def test_an_export_goes_on_where_it_was_stopped(clips: list[ExportClip], tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    list(export("fomm", clips, whole))
    running = export("fomm", clips, stopped)
    next(running)
    del running
    assert "export.json: missing" in next(check("fomm", stopped))
    first = next(stopped.rglob("*.mp4"))
    made_at = first.stat().st_mtime_ns
    with (stopped / "export.jsonl").open("a") as stream:
        stream.write('{"clip_id": "b/0000')  # what a kill in the midst of a line leaves
    assert all(isinstance(outcome, Written) for outcome in export("fomm", clips, stopped))
    assert first.stat().st_mtime_ns == made_at, "what was whole is not written again"
    for folder in (whole, stopped):
        assert list(check("fomm", folder)) == []
    names = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(stopped) for path in stopped.rglob("*") if path.is_file())
    assert all((whole / name).read_bytes() == (stopped / name).read_bytes() for name in names)


def test_more_workers_write_the_same_bytes(clips: list[ExportClip], tmp_path: Path) -> None:
    list(export("fomm", clips, tmp_path / "one"))
    list(export("fomm", clips, tmp_path / "two", workers=2))
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files)


def test_a_folder_with_other_clips_or_settings_is_refused(
    clips: list[ExportClip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(export("fomm", clips[:1], tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(type(layout_named("fomm")), "version", 99)  # the same clips would make other files now
        with pytest.raises(UsageError, match="holds an export with other settings"):
            list(export("fomm", clips[:1], tmp_path))
    for other in (clips[1:], [replace(clips[0], sha256="0" * 64)], [replace(clips[0], split="val")]):
        with pytest.raises(UsageError, match=r"holds 1 clips that are gone or changed since, such as a/"):
            list(export("fomm", other, tmp_path))
    with pytest.raises(UsageError, match="holds an export with other settings"):
        list(export("lia", clips[:1], tmp_path))
    assert next(check("lia", tmp_path)) == "export.json: this is the layout fomm"


def test_what_a_layout_needs_is_asked_for_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"pirender needs coeff_3dmm.*--with coeff_3dmm=DIR, or --substitute coeff_3dmm"
    ):
        resolved("pirender", {}, [])
    with pytest.raises(UsageError, match="exclude each other"):
        resolved("pirender", {"coeff_3dmm": tmp_path}, ["coeff_3dmm"])
    with pytest.raises(UsageError, match="no such folder"):
        resolved("pirender", {"coeff_3dmm": tmp_path / "nowhere"}, [])
    with pytest.raises(UsageError, match="fomm does not ask for coeff_3dmm; it asks for nothing"):
        resolved("fomm", {}, ["coeff_3dmm"])
    assert resolved("pirender", {}, ["coeff_3dmm"]) == Given({}, frozenset({"coeff_3dmm"}))


def test_portraits_are_in_installed_packages() -> None:
    assert all(portrait(who)(0.0).shape == (SIDE, SIDE, 3) for who in PEOPLE)


def test_a_video_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no video")
    assert "does not decode" in str(video_facts(tmp_path / "no.mp4"))
