"""`headset weights --all`: with a server that has a file, and without one."""

import functools
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from operators.models import known
from operators.weights import Weight
from pipeline.__main__ import main

DATA = b"not a network, but a file"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a server with one file."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "there.onnx").write_bytes(DATA)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path / "site")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, dict]]:
    status = main(["weights", "--json", *words])
    return status, {row["file"]: row for row in json.loads(capsys.readouterr().out or "[]")}


def test_all_are_fetched_but_what_a_licence_or_nobody_gives(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HEADSET_WEIGHTS", raising=False)
    monkeypatch.delenv("HEADSET_CACHE", raising=False)
    there = Weight("there.onnx", SHA256, len(DATA), "a file", "MIT", url=f"{address}/there.onnx")
    research = Weight("research.onnx", SHA256, len(DATA), "a file", "CC-BY-NC", url=there.url, commercial=False)
    by_hand = Weight("by_hand.onnx", "0" * 64, 1, "a file", "MIT")
    gone = Weight("gone.onnx", "1" * 64, 1, "a file", "MIT", url=f"{address}/gone.onnx")
    weights = [there, research, by_hand]
    monkeypatch.setattr(known, "known_weights", lambda: weights)

    status, told = asked(capsys, "--all")
    assert (status, set(told)) == (0, {"there.onnx", "by_hand.onnx"})
    assert Path(told["there.onnx"]["path"]).read_bytes() == DATA
    assert "put it into the folder that HEADSET_WEIGHTS names" in told["by_hand.onnx"]["missing"]

    status, told = asked(capsys, "--all", "--research")
    assert (status, set(told)) == (0, {"there.onnx", "by_hand.onnx", "research.onnx"})

    weights.append(gone)
    status, told = asked(capsys, "--all")
    assert status == 1, "it has an address, and was not had"
    assert "gone.onnx" in told["gone.onnx"]["missing"]
    assert told["there.onnx"]["path"]


def test_every_file_is_known_and_stands_on_the_page_of_models() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "models.md").read_text()
    files = [weight.file for weight in known.known_weights()]
    assert len(files) == len(set(files)) > 40
    assert [file for file in files if file not in page and not file.startswith("whisper_")] == []


@pytest.mark.parametrize("words", [[], ["talking_head", "--all"]])
def test_a_recipe_or_all(words: list[str]) -> None:
    assert main(["weights", *words]) == 2
