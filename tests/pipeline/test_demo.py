"""The sample holds what its truth says, as the detectors see it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from operators.media.sound import SourceAudio
from operators.models.catalogue import FACE_LANDMARKER
from pipeline.demo.films import FPS, HZ, films
from pipeline.demo.sample import truth_of, write_sample

UPPER_LIP, LOWER_LIP, FOREHEAD, CHIN = 13, 14, 10, 152
SECONDS = 12.0
ROOT = Path(__file__).parents[2]
SHORT = """
import runpy, sys
from pipeline.demo import sample
whole = sample.write_sample
sample.write_sample = lambda folder: whole(folder, 2.0)
runpy.run_module("pipeline.demo", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    paths = write_sample(folder, SECONDS)
    assert [path.name for path in paths] == ["interview.mp4", "statements.mp4", "mute.mp4"]
    return folder


def truths(folder: Path) -> list[dict]:
    return json.loads((folder / "truth.json").read_text())


def pictures(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield float(frame.time or 0.0), np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def test_the_whole_is_two_minutes_with_all_kinds_of_shot():
    truth = [truth_of(film, sum(scene.seconds for scene in film.scenes)) for film in films()]
    assert sum(film["seconds"] for film in truth) >= 120
    shots = [shot for film in truth for shot in film["shots"]]
    assert {shot["ends"] for shot in shots} == {
        "clips",
        "no_face",
        "no_speech",
        "voice_off_screen",
        "face_small",
        "shot_short",
    }
    assert {face["who"] for shot in shots for face in shot["faces"]} == {"collins", "hopper"}
    for film in truth:
        assert [shot["start_s"] for shot in film["shots"]] == [0.0, *(shot["end_s"] for shot in film["shots"][:-1])]
        assert film["shots"][-1]["end_s"] == pytest.approx(film["seconds"])
        for shot in film["shots"]:
            # a cut is between two frames
            assert shot["start_s"] * FPS == pytest.approx(round(shot["start_s"] * FPS), abs=1e-6)


def test_the_same_packages_give_the_same_bytes(tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    write_sample(first, 0.6)
    write_sample(second, 0.6)
    files = sorted(path.name for path in first.iterdir())
    assert files == ["interview.mp4", "mute.mp4", "statements.mp4", "truth.json"]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)


@pytest.mark.slow
def test_cuts_are_where_the_truth_says(sample: Path):
    for film in truths(sample):
        before, changes = None, []
        for at_s, picture in pictures(sample / film["file"]):
            small = picture[::8, ::8].astype(np.int16)
            if before is not None and np.abs(small - before).mean() > 25:
                changes.append(at_s)
            before = small
        assert changes == pytest.approx([shot["start_s"] for shot in film["shots"][1:]])


@pytest.mark.slow
def test_sound_is_where_the_truth_says_and_nowhere_in_the_mute_one(sample: Path):
    for film in truths(sample):
        sound = SourceAudio(sample / film["file"]).samples(0, SECONDS, HZ)
        if film["file"] == "mute.mp4":
            assert film["speech"] == []
            assert np.abs(sound).max() < 1e-3
            continue
        spoken = np.zeros(len(sound), bool)
        for speech in film["speech"]:
            spoken[round(speech["start_s"] * HZ) : round(speech["end_s"] * HZ)] = True
        assert spoken.any()
        assert np.sqrt((sound[spoken] ** 2).mean()) > 10 * np.sqrt((sound[~spoken] ** 2).mean())


@pytest.mark.slow
def test_faces_are_where_the_truth_says_and_only_the_mouth_of_who_speaks_moves(sample: Path):
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

    options = FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(FACE_LANDMARKER.path())), num_faces=2)
    opening: dict[tuple[str, bool], list[float]] = {}
    with FaceLandmarker.create_from_options(options) as landmarker:
        film = next(film for film in truths(sample) if film["file"] == "interview.mp4")
        for n, (at_s, picture) in enumerate(pictures(sample / "interview.mp4")):
            if n % 3:
                continue
            shot = next(shot for shot in film["shots"] if shot["start_s"] <= at_s < shot["end_s"])
            seen = landmarker.detect(
                Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(picture))
            ).face_landmarks
            assert len(seen) == len(shot["faces"]), at_s
            for face in shot["faces"]:
                left, top, right, bottom = face["box"]
                assert right - left >= 150
                (points,) = [
                    points
                    for points in (np.array([(point.x, point.y) for point in one]) * (1280, 720) for one in seen)
                    if left < points[:, 0].mean() < right and top < points[:, 1].mean() < bottom
                ]
                assert np.abs(points.min(axis=0) - (left, top)).max() < 40
                own = [speech for speech in film["speech"] if speech["who"] == face["who"]]
                if any(abs(at_s - edge_s) < 0.15 for speech in own for edge_s in (speech["start_s"], speech["end_s"])):
                    continue
                speaks = any(speech["start_s"] <= at_s < speech["end_s"] for speech in own)
                share = (points[LOWER_LIP, 1] - points[UPPER_LIP, 1]) / (points[CHIN, 1] - points[FOREHEAD, 1])
                opening.setdefault((face["who"], speaks), []).append(share)
    for who in ("collins", "hopper"):
        speaking, silent = np.array(opening[who, True]), np.array(opening[who, False])
        assert len(speaking) > 10
        assert len(silent) > 10
        assert np.std(speaking) > 4 * np.std(silent)
        assert np.median(speaking) > np.median(silent) + 0.02


def test_nothing_but_the_films_is_told(tmp_path: Path):
    command = [sys.executable, "-c", SHORT, str(tmp_path / "videos")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    first, *paths = ended.stdout.splitlines()
    assert first.startswith("making three videos in "), "a minute without a word looks like a hang"
    assert [Path(line).suffix for line in paths] == [".mp4"] * 3
