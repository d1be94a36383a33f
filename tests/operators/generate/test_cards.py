import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import NotFound, UsageError
from operators.generate.cards import FOLDER, card_named, cards, read_card
from operators.generate.home import Home
from operators.generate.table import systems_table
from pipeline.__main__ import main
from tests.operators.generate.adapters import write_adapter

ROOT = Path(__file__).parents[3]


def test_every_card_is_as_it_must_be() -> None:
    there = cards()
    assert len(there) == len(list(FOLDER.glob("*.py")))
    for card in there:
        assert card.has_adapter != bool(card.refusal)
        assert all(len(line) <= 200 for line in card.path.read_text().splitlines()), card.name


def test_a_card_is_read_without_running_it(tmp_path: Path) -> None:
    path = write_adapter(tmp_path, "made", load="raise SystemExit(1)")
    path.write_text(path.read_text() + "\nraise SystemExit('it was run')\n")
    card = read_card(path)
    assert (card.name, card.title, card.input.px, card.has_adapter) == ("made", "Made up", 64, True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('"""Made up."""', ""), "no docstring"),
        (("# /// script", "# ///"), "no block of script metadata"),
        (("# title = ", "# titel = "), "is it title?"),
        (("# year = 2026", '# year = "2026"'), "write a whole number"),
        (('# driven_by = "video"', '# driven_by = "music"'), "write one of video, audio, text"),
        (('# driven_by = "video"\n', ""), "lacks driven_by"),
        (("def prepare(folder):\n    pass\n", ""), "an adapter without prepare"),
        (("import cv2", "import manifests"), "imports manifests"),
        (("# px = 64", "# px = 64\n# pixels = 1"), r"\[tool.headset.input\] has 'pixels'"),
        (("# floor = true", '# floor = true\n# commit = "main"'), "write 7 to 40 hexadecimal digits"),
        (("# px = 64", "# px = "), "is no TOML"),
        (("def generate(", "def generate(("), "is no Python"),
    ],
)
def test_an_error_names_the_file_and_the_fix(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = write_adapter(tmp_path, "made")
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(UsageError, match=f"made.py: .*{told}"):
        read_card(path)


def test_a_card_alone_says_what_stops_it(tmp_path: Path) -> None:
    text = write_adapter(tmp_path, "made").read_text()
    alone = text[: text.index("# ///\n", 40) + len("# ///\n")]
    (tmp_path / "made.py").write_text(alone)
    with pytest.raises(UsageError, match="say in `stops` what stops it"):
        read_card(tmp_path / "made.py")
    (tmp_path / "made.py").write_text(alone.replace('# code = "full"', '# code = "never"'))
    with pytest.raises(UsageError, match="nearest"):
        read_card(tmp_path / "made.py")
    (tmp_path / "made.py").write_text(alone.replace('# code = "full"', '# code = "never"\n# nearest = "LIA"'))
    assert (
        read_card(tmp_path / "made.py").refusal
        == "Made up: its code was never released; the nearest public system is LIA"
    )


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(NotFound, match="is it mesh_warp"):
        card_named("mesh_wrap")
    with pytest.raises(NotFound, match="lists them"):
        card_named("../secret")


def test_what_is_missing_is_told_with_how_it_is_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path / "weights"))
    home = Home(card_named("lia"))
    missing = " | ".join(home.missing())
    assert "`--checkout DIR` names yours" in missing
    assert "HEADSET_WEIGHTS/lia" in missing
    with pytest.raises(UsageError, match="Missing:\n  - "):
        home.check()
    home.use_python(sys.executable)
    home.use_checkout(str(tmp_path))
    assert home.missing(random=True) == []
    assert len(home.missing()) == len(home.card.weights) == 1
    (tmp_path / "weights" / "lia").mkdir(parents=True)
    (tmp_path / "weights" / "lia" / home.card.weights[0].file).write_bytes(b"weights")
    assert home.missing() == []
    assert list(home.weights_sha256().values()) == [hashlib.sha256(b"weights").hexdigest()]
    home.link_weights()
    assert (home.folder / "weights" / home.card.weights[0].file).read_bytes() == b"weights"


def test_a_system_whose_code_was_never_released_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["systems", "fetch", "implicit_warping"]) == 2
    assert "never released; the nearest public system is" in " ".join(capsys.readouterr().err.split())


def test_the_command_prints_every_system_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["systems"]) == 0
    assert "mesh_warp" in capsys.readouterr().out
    assert main(["systems", "show", "lia", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["repository"] == "wyhsirius/LIA"


def test_the_table_in_the_docs_is_current() -> None:
    """`python -m operators.generate.table` prints it."""
    assert systems_table() in (ROOT / "docs" / "guide" / "systems.md").read_text()


def test_the_child_is_valid_in_the_oldest_python_it_claims() -> None:
    """What Python 3.6 cannot parse: its grammar is asked for."""
    import ast

    ast.parse((ROOT / "operators" / "generate" / "child.py").read_text(), feature_version=(3, 6))
    for card in cards():
        if card.floor:
            ast.parse(card.path.read_text(), feature_version=(3, 6))


def test_the_child_needs_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; import runpy;"
        " runpy.run_path('operators/generate/child.py')"
    )
    subprocess.run([sys.executable, "-S", "-c", code], check=True, cwd=ROOT)
