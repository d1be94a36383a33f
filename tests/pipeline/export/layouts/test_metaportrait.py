"""MetaPortrait's files, read back, and broken in the ways its loader would choke on."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manifests.errors import UsageError
from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.layout import Given, Refused, resolved
from pipeline.export.layouts.evp import old_pickle
from tests.pipeline.export.layouts.conftest import exported, problem


@pytest.fixture
def given(clips: list[ExportClip], tmp_path: Path) -> Given:
    for number, clip in enumerate(clips):
        random = np.random.default_rng(number)
        np.savez(
            tmp_path / f"{clip.name}.npz",
            ldmk=random.random((40, 669, 2)),
            theta=random.random((40, 3, 3)),
            id=random.random((1, 512)),
        )
    return Given({"ldmk_669": tmp_path})


@pytest.fixture
def made(clips: list[ExportClip], given: Given, tmp_path: Path) -> Path:
    written, refused = exported("metaportrait", clips[:2], tmp_path / "to", given)
    assert ([one.note["name"] for one in written], len(refused)) == (["1", "2"], 0)
    return tmp_path / "to"


def test_every_frame_leads_to_its_source_by_its_name(made: Path, clips: list[ExportClip], given: Given) -> None:
    numbers = pickle.loads((made / "src_map_dict.pkl").read_bytes())
    assert numbers == {f"{n:05d}{frame:05d}.png": n for n in (1, 2) for frame in range(40)}
    assert (np.asarray(Image.open(made / "2/imgs/0000200007.png")) == list(clips[1].pictures(256))[7]).all()
    with np.load(given.folders["ldmk_669"] / f"{clips[1].name}.npz") as held:
        assert np.load(made / "2/ldmks/0000200007_ldmk.npy") == pytest.approx(held["ldmk"][7])
        assert np.load(made / "src_2_theta.npy") == pytest.approx(held["theta"][0])
        assert np.load(made / "src_2_id.npy").shape == (1, 512)


def test_what_the_authors_detectors_give_is_asked_for_and_checked(
    clips: list[ExportClip], given: Given, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"metaportrait needs ldmk_669, .*Give --with ldmk_669=DIR\."):
        resolved("metaportrait", {}, [])
    with pytest.raises(UsageError, match="has no substitute for ldmk_669"):
        resolved("metaportrait", {}, ["ldmk_669"])
    np.savez(tmp_path / f"{clips[0].name}.npz", ldmk=np.ones((40, 478, 2)), theta=np.ones((40, 3)), id=np.ones((1, 4)))
    (tmp_path / f"{clips[1].name}.npz").unlink()
    outcomes = list(export("metaportrait", clips[:2], tmp_path / "other", given))
    assert [one.reason for one in outcomes if isinstance(one, Refused)] == ["ldmk_669_differs", "ldmk_669_missing"]


def test_what_the_loader_would_choke_on_is_told(made: Path) -> None:
    (made / "1/thetas/0000100003_theta.npy").unlink()
    np.save(made / "1/ldmks/0000100004_ldmk.npy", np.ones((478, 2)))
    (made / "1/imgs/0000100005.png").write_bytes(b"no picture")
    (made / "src_2_id.npy").unlink()
    shutil.copyfile(made / "1/imgs/0000100006.png", made / "2/imgs/0000100006.png")
    shutil.copyfile(made / "1/imgs/0000100006.png", made / "2/imgs/c1.png")
    told = problem("metaportrait", made)
    for line in (
        "82, 80 and 79 files that do not pair", "0000100004_ldmk.npy: has the shape (478, 2)",
        "0000100005.png: does not decode", "src_2_id.npy: does not read",
        "0000100006.png: comes 2 times", "c1.png: begins with a letter of src_",
    ):  # fmt: skip
        assert line in told
    (made / "src_map_dict.pkl").write_bytes(old_pickle({"0000100000.png": 1}))
    assert "0000100001.png: is not in src_map_dict.pkl" in problem("metaportrait", made)
    (made / "src_map_dict.pkl").write_bytes(b"no pickle")
    assert "src_map_dict.pkl: does not read" in problem("metaportrait", made)
