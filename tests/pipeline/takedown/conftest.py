"""The corpus of the takedown tests, made once a session."""

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from pipeline.release.release import release
from tests.pipeline.takedown.made import FORMS, copied, made


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("takedown")
    made(folder / "corpus", folder / "scratch")
    return folder


@pytest.fixture(scope="session")
def released_template(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Path:
    folder = tmp_path_factory.mktemp("released")
    manifest = copied(template, folder)
    for form in FORMS:
        release(manifest, str(folder / form), form, form, shard_bytes=1 if form == "folder" else 2**30)
    return folder


@pytest.fixture
def corpus(template: Path, tmp_path: Path) -> Manifest:
    """Sources `a`, `gone` and `z`, a shard each, with a clip each and a selection, `hq`, of all three."""
    return copied(template, tmp_path)


@pytest.fixture
def released(released_template: Path, tmp_path: Path) -> Manifest:
    """The same, with a release in each format beside it, which has the format's name."""
    return copied(released_template, tmp_path)
