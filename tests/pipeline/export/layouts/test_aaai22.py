"""The phonemes of AAAI 2022's one-shot talking face, from an aligner's file, and broken."""

import json
from pathlib import Path

import pytest

from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.layout import Given, Refused
from pipeline.export.layouts.aaai22 import timed
from tests.pipeline.export.layouts.conftest import all_exported, problem


def grid(words: list[tuple[float, float, str]], phones: list[tuple[float, float, str]]) -> str:
    """A TextGrid in its long form."""
    text = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 1.6\ntiers? <exists>\nsize = 2\nitem'
        " []:\n"
    )
    for number, (name, tier) in enumerate((("words", words), ("phones", phones)), 1):
        text += (
            f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n        xmin = 0\n       '
            f" xmax = 1.6\n        intervals: size = {len(tier)}\n"
        )
        for at, (start, end, label) in enumerate(tier, 1):
            text += (
                f"        intervals [{at}]:\n            xmin = {start}\n            xmax = {end}\n            text ="
                f' "{label}"\n'
            )
    return text


HELLO = grid(
    [(0, 0.3, ""), (0.3, 0.8, "hello"), (0.8, 1.6, "")],
    [
        (0, 0.3, "sil"),
        (0.3, 0.4, "HH"),
        (0.4, 0.5, "AH0"),
        (0.5, 0.62, "L"),
        (0.62, 0.8, "OW1"),
        (0.8, 1.0, "spn"),
        (1.0, 1.6, ""),
    ],
)


@pytest.fixture
def made(clips: list[ExportClip], tmp_path: Path) -> Path:
    for clip in clips:
        (tmp_path / f"{clip.name}.TextGrid").write_text(HELLO)
    return all_exported("aaai22", clips, tmp_path / "to", Given({"phones": tmp_path}))


def test_words_have_their_phones_in_hundredths(made: Path, clips: list[ExportClip]) -> None:
    words = json.loads((made / f"phoneme/{clips[0].name}.json").read_text())
    assert [word["word"] for word in words] == ["", "hello", ""]
    assert words[1]["phones"] == [
        {"ph": "HH", "bg": 30, "ed": 40}, {"ph": "AH", "bg": 40, "ed": 50}, {"ph": "L", "bg": 50, "ed": 62},
        {"ph": "OW", "bg": 62, "ed": 80},
    ]  # fmt: skip
    assert [phone["ph"] for phone in words[2]["phones"]] == ["NSN", "SIL"]
    assert int(words[-1]["phones"][-1]["ed"] / 100 * 25) == clips[0].frames, "as many pictures are made as there are"


def test_files_that_do_not_fit_are_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    (tmp_path / f"{clips[0].name}.TextGrid").write_text(HELLO.replace("1.6", "2.6"))
    (tmp_path / f"{clips[1].name}.TextGrid").write_text(HELLO.replace("OW1", "Ö"))
    outcomes = list(export("aaai22", clips, tmp_path / "to", Given({"phones": tmp_path})))
    assert [(one.reason, one.detail.partition(": ")[2]) for one in outcomes if isinstance(one, Refused)] == [
        ("phones_differs", "ends at 2.60 s, the clip at 1.60 s"), ("phones_differs", "'Ö' is none of the 41 phones"),
        ("phones_missing", ""),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no tiers"):
        timed("nothing")


def test_what_the_code_would_choke_on_is_told(made: Path, clips: list[ExportClip]) -> None:
    path = made / f"phoneme/{clips[0].name}.json"
    for words, told in (
        ([{"word": "a", "phones": []}], "is no list of words that have phones"),
        ([{"word": "a", "phones": [{"ph": "XX", "bg": 0, "ed": 160}]}], "'XX' is none of the 41 phones"),
        (
            [{"word": "a", "phones": [{"ph": "AA", "bg": 0, "ed": 50}, {"ph": "AA", "bg": 40, "ed": 160}]}],
            "does not follow the phone before it",
        ),
        ([{"word": "a", "phones": [{"ph": "AA", "bg": 0, "ed": 100}]}], "ends at 1.00 s, the clip at 1.60 s"),
    ):
        path.write_text(json.dumps(words))
        assert f"{path.name}: " in problem("aaai22", made)
        assert told in problem("aaai22", made)
    (made / f"audio/{clips[1].name}.wav").unlink()
    (made / f"image/{clips[2].name}.png").unlink()
    told = problem("aaai22", made)
    assert f"audio/{clips[1].name}.wav: does not read" in told
    assert f"image/{clips[2].name}.png: is missing" in told
