"""A protocol is a value: its text comes back, its fields say what keeps two values apart."""

from dataclasses import replace

import pytest

from operators.metrics.lip_sync import PROTOCOLS
from operators.protocol import Protocol, apart
from pipeline.scoring.score import metrics_there

MADE = Protocol(crop="whole frame", colour="RGB 0..255").measured(size="256x256", fps=25.0, pairing="frame by frame")


def test_its_text_is_sorted_and_comes_back() -> None:
    assert str(MADE) == "colour=RGB 0..255; crop=whole frame; fps=25; pairing=frame by frame; size=256x256"
    assert Protocol.read(str(MADE)) == MADE
    assert str(Protocol()) == ""
    assert Protocol.read("") == Protocol()


def test_people_are_shown_words() -> None:
    assert MADE.label == "whole frame, RGB 0..255, 256x256 px, 25 fps, frame by frame"
    assert Protocol(crop="face", align="five points", deviates="no MP3").label == (
        "face, by five points, not as published: no MP3"
    )


def test_every_protocol_of_a_metric_comes_back() -> None:
    own = [metric.definition.protocol for metric in metrics_there().values()]
    for protocol in (*own, *PROTOCOLS.values()):
        whole = protocol.measured(size="64x64 scaled", fps=30000 / 1001, pairing="every frame with the first")
        assert Protocol.read(str(whole)) == whole
        assert whole.fps == "29.97"


@pytest.mark.parametrize("value", ["a; b", "a=b", " a", "a "])
def test_what_would_not_come_back_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="Protocol.crop is"):
        Protocol(crop=value)


@pytest.mark.parametrize("text", ["whole frame, RGB 0..255; 64x64 px; 25 fps", "256px", "a=b", "crop=face; 25 fps"])
def test_a_sentence_of_an_older_headset_is_one_of_its_own(text: str) -> None:
    found = Protocol.read(text)
    assert found != Protocol()
    assert found == Protocol(published=found.published)
    assert found != Protocol.read(text + ", another")


def test_the_fields_that_keep_values_apart_are_named() -> None:
    assert apart([MADE, replace(MADE, size="64x64 scaled"), replace(MADE, pairing="")]) == {
        "size": ["256x256", "64x64 scaled"],
        "pairing": ["", "frame by frame"],
    }
    assert apart([MADE, MADE]) == {}
