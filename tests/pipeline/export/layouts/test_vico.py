"""ViCo's files for a pair that was annotated, read back, and broken in the ways the baseline would choke on."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.checks import video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.files import write_mp4, write_wav
from pipeline.export.layout import Given, Refused, Written
from pipeline.export.layouts.vico import ViCo
from tests.pipeline.export.layouts.conftest import exported, problem


def told(clip: ExportClip, role: str, partner: str, split: str = "train") -> ExportClip:
    return replace(clip, annotations={"role": role, "partner": partner}, split=split)


@pytest.fixture
def pair(clips: list[ExportClip]) -> list[ExportClip]:
    """The first speaks to the second; of the third nothing is known."""
    return [told(clips[0], "speaker", clips[1].clip_id), told(clips[1], "listener", clips[0].clip_id), clips[2]]


@pytest.fixture
def made(pair: list[ExportClip], tmp_path: Path) -> Path:
    written, refused = exported("vico", pair, tmp_path)
    assert [one.note["role"] for one in written] == ["speaker", "listener"]
    assert [(one.clip_id[0], one.reason) for one in refused] == [("c", "no_role")]
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_pair_is_two_videos_a_sound_and_a_line(made: Path, pair: list[ExportClip]) -> None:
    (row,) = rows(made / "train.csv")
    assert (row["video_id"], row["speaker_id"], row["listener_id"]) == ("a", pair[0].person, pair[1].person)
    assert {path.name for path in made.glob("*/*")} == {
        f"{row['uuid']}.{end}" for end in ("speaker.mp4", "listener.mp4", "wav")
    }
    assert [video_facts(made / f"videos/{row['uuid']}.{role}.mp4") for role in ("speaker", "listener")] == [
        (48, 256, 256, 30.0)
    ] * 2
    assert wav_facts(made / f"audios/{row['uuid']}.wav") == (44100, 70560)
    assert not rows(made / "unpaired.csv")
    assert not rows(made / "test.csv")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"annotations": {"role": "listener", "partner": "x/000000-001000/t0"}}, "partner_missing"),
        ({"annotations": {"role": "speaker", "partner": "a/000000-001600/t0"}}, "partner_missing"),
        ({"split": "test"}, "splits_differ"),
        ({"source_id": "a", "start_s": 5.0}, "not_together"),
    ],
)
def test_who_does_not_belong_together_is_in_no_list(
    pair: list[ExportClip], tmp_path: Path, change: dict, reason: str
) -> None:
    speaker, listener = pair[0], replace(pair[1], **change)
    outcomes = list(export("vico", [speaker, listener], tmp_path))
    assert all(isinstance(one, Written) for one in outcomes)
    assert {(row["clip"], row["reason"]) for row in rows(tmp_path / "unpaired.csv")} == {
        (one.clip_id, reason) for one in outcomes
    }
    assert problem("vico", tmp_path).endswith(
        "name no pair; who speaks to whom comes from the annotations role and partner, see unpaired.csv"
    )


def test_a_listener_that_is_shorter_than_the_speaker_is_in_no_list(tmp_path: Path) -> None:
    for frames, lists in ((49, 1), (48, 1), (47, 0)):
        notes = [
            {"uuid": "v1", "role": role, "frames": n, "video": role, "start_s": 0.0}
            for role, n in (("speaker", 48), ("listener", frames))
        ]
        ViCo().finish(
            [Written(note["role"], "", 0, note["role"], "train", "", note) for note in notes], tmp_path, Given()
        )
        assert len(rows(tmp_path / "train.csv")) == lists
        assert [row["reason"] for row in rows(tmp_path / "unpaired.csv")] == ["listener_shorter"] * (2 - 2 * lists)


def test_a_clip_that_speaks_to_itself_or_to_nobody_is_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    outcomes = list(
        export("vico", [told(clips[0], "speaker", ""), told(clips[1], "listener", clips[1].clip_id)], tmp_path)
    )
    assert [one.reason for one in outcomes if isinstance(one, Refused)] == ["no_partner", "no_partner"]


def test_what_the_baseline_would_choke_on_is_told(made: Path) -> None:
    (row,) = rows(made / "train.csv")
    uuid = row["uuid"]
    write_wav(made / f"audios/{uuid}.wav", np.zeros(30000, np.float32), 44100)
    assert "ends before the speaker's video" in problem("vico", made)
    write_wav(made / f"audios/{uuid}.wav", np.zeros(25600, np.float32), 16000)
    write_mp4(made / f"videos/{uuid}.listener.mp4", [np.zeros((64, 64, 3), np.uint8)] * 40, 30)
    said = problem("vico", made)
    assert "is at 16000 Hz, which does not give the 45 numbers" in said
    assert f"{uuid}.listener.mp4: has 40 frames, and the loader reads 48" in said
    write_mp4(made / f"videos/{uuid}.listener.mp4", [np.zeros((64, 64, 3), np.uint8)] * 48, 25)
    assert "has 48 frames at 25 a second" in problem("vico", made)
    (made / f"videos/{uuid}.listener.mp4").unlink()
    assert f"videos/{uuid}.listener.mp4: does not decode" in problem("vico", made)


def test_lists_the_baseline_would_choke_on_are_told(made: Path) -> None:
    shutil.copyfile(made / "train.csv", made / "val.csv")
    assert "val.csv: v" in problem("vico", made)
    assert "comes again" in problem("vico", made)
    (made / "val.csv").write_text("video_id,uuid,speaker_id,listener_id\na,012345678901,p1,p2\n")
    assert "the uuid '012345678901' is nothing to pandas, or a number" in problem("vico", made)
    (made / "train.csv").write_text("uuid,speaker\n")
    assert "train.csv: has the columns uuid,speaker" in problem("vico", made)
    (made / "test.csv").unlink()
    assert "test.csv: missing" in problem("vico", made)
