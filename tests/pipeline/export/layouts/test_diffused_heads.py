"""Diffused Heads' files, read back, and broken in the ways its loader would choke on."""

from pathlib import Path

import numpy as np
import pytest
import torch

from operators.models.mfcc import mfcc
from pipeline.export.checks import video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.layout import Given
from tests.pipeline.export.layouts.conftest import all_exported, exported, problem

SUBSTITUTED = Given(substitutes=frozenset({"audio_emb"}))


@pytest.fixture(scope="module")
def made(clips: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_exported("diffused_heads", clips[:2], tmp_path_factory.mktemp("diffused_heads"), SUBSTITUTED)


def named(clip: ExportClip) -> str:
    return f"{clip.person}/{clip.name}"


def test_video_sound_landmarks_and_embeddings_have_one_length(made: Path, clips: list[ExportClip]) -> None:
    name = named(clips[0])
    assert video_facts(made / f"data/video/{name}.mp4") == (40, 128, 128, 25.0)
    assert wav_facts(made / f"data/audio/{name}.wav") == (16000, 25600)
    landmarks = np.load(made / f"data/lmks/{name}.npy", allow_pickle=False)
    assert landmarks == pytest.approx(clips[0].faces().landmarks_68 / 2)
    embedding = torch.load(made / f"audio_emb/{name}.pth", weights_only=True)
    assert embedding.shape == (40, 52)
    assert embedding[10].numpy() == pytest.approx(mfcc(clips[0].samples())[40:44].ravel(), rel=1e-5)


def test_lists_name_videos_and_every_line_ends(made: Path, clips: list[ExportClip]) -> None:
    text = (made / "data/file_list_train.txt").read_text() + (made / "data/file_list_test.txt").read_text()
    assert sorted(text.split("\n")) == ["", *sorted(f"{named(clip)}.mp4" for clip in clips[:2])]


def test_a_face_that_is_hidden_for_long_is_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    _, refused = exported("diffused_heads", clips, tmp_path, SUBSTITUTED)
    assert [(one.clip_id[0], one.reason) for one in refused] == [("c", "no_face")]


def test_embeddings_that_are_given_are_checked(clips: list[ExportClip], tmp_path: Path) -> None:
    folder = tmp_path / "emb"
    for clip, value in zip(clips, (torch.ones(40, 7), torch.ones(40, 7), torch.ones(39, 7)), strict=True):
        (folder / clip.person).mkdir(parents=True, exist_ok=True)
        torch.save(value, folder / f"{named(clip)}.pth")
    written, _ = exported("diffused_heads", clips[:2], tmp_path / "to", Given({"audio_emb": folder}))
    assert torch.load(tmp_path / f"to/audio_emb/{written[0].note['name']}.pth", weights_only=True).shape == (40, 7)
    torch.save(torch.ones(39, 7), folder / f"{named(clips[0])}.pth")
    (folder / f"{named(clips[1])}.pth").write_bytes(b"no tensor")
    from pipeline.export.export import export
    from pipeline.export.layout import Refused

    outcomes = list(export("diffused_heads", clips[:2], tmp_path / "again", Given({"audio_emb": folder})))
    assert [one.reason for one in outcomes if isinstance(one, Refused)] == ["audio_emb_differs"] * 2
    assert problem("diffused_heads", tmp_path / "again") == "export.json: no clip was written"


def test_what_the_loader_would_choke_on_is_told(broken: Path, clips: list[ExportClip]) -> None:
    one, other = named(clips[0]), named(clips[1])
    np.save(broken / f"data/lmks/{one}.npy", np.full((40, 68, 2), np.nan))
    torch.save(torch.ones(30, 52), broken / f"audio_emb/{one}.pth")
    (broken / f"data/audio/{one}.wav").unlink()
    np.save(broken / f"data/lmks/{other}.npy", np.ones((39, 68, 2)))
    (broken / f"audio_emb/{other}.pth").write_bytes(b"no tensor")
    told = problem("diffused_heads", broken)
    for line in (
        f"lmks/{one}.npy: holds what is no finite number", f"audio_emb/{one}.pth: has 30 rows for 40 frames",
        f"audio/{one}.wav: does not read",
        f"lmks/{other}.npy: has the shape (39, 68, 2)", f"audio_emb/{other}.pth: does not read",
    ):  # fmt: skip
        assert line in told
    (broken / f"data/video/{one}.mp4").unlink()
    assert f"data/video/{one}.mp4: does not decode" in problem("diffused_heads", broken)


def test_the_lists_are_read_as_the_loader_does(broken: Path) -> None:
    path = broken / "data/file_list_train.txt"
    path.write_text(path.read_text().rstrip("\n"))
    assert "the last line has no end" in problem("diffused_heads", broken)
    path.write_text(path.read_text().removesuffix(".mp4") + "\n")
    assert "does not end in .mp4" in problem("diffused_heads", broken)
    path.write_text("")
    assert "names no clip" in problem("diffused_heads", broken)
