"""Every test of listing has a cache of its own."""

import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path_factory.mktemp("cache")))
