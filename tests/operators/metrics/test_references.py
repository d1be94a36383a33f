"""A render of a clip's words is compared with no moment of a recording, since nothing says when it says which word."""

import pytest

from manifests.tables import RECORDING, Annotation, Clip, Pair, Render
from operators.base import Drop, Lookup
from operators.metrics.base import WordMetric
from operators.metrics.lra import Lra
from operators.metrics.references import DRIVING, IDENTITY, TARGET, reference_of


def render(clip_id: str, made_by: str, pair_id: str = "") -> Render:
    name = f"{pair_id or clip_id}@{made_by}"
    return Render("s", name, clip_id, made_by, "", "", "", 0, 64, 64, 25.0, 50, 2.0, "", pair_id=pair_id)


def paired(protocol: str) -> tuple[Render, Lookup[Pair], Lookup[Render]]:
    pair = Pair("s", f"{protocol}/s/c/s/c", protocol, "s/c", "s/c")
    recorded = render("s/c", RECORDING)
    return render("s/c", "made", pair.pair_id), Lookup(lambda: [pair]), Lookup(lambda: [recorded])


@pytest.mark.parametrize("compares", [TARGET, DRIVING])
def test_words_that_drive_have_no_reference_frame_by_frame(compares: str) -> None:
    with pytest.raises(Drop, match="no_target"):
        reference_of(compares, *paired("text_driven"))
    _, reference = reference_of(compares, *paired("audio_driven"))
    assert (reference.render.made_by, reference.still) == (RECORDING, False)


def test_the_person_is_still_that_of_the_source_picture() -> None:
    _, reference = reference_of(IDENTITY, *paired("text_driven"))
    assert reference.still


def test_no_lip_reader_reads_a_word_where_the_recording_said_it(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(WordMetric, "_score", lambda self, row, video: heard.append(video.notes[0].value))
    clip = Clip("s", "s/c", "", "", "speaker0", 0.0, 2.0, 0, 0, 64, 64)
    said = [Annotation("s", "s/c#word", "s/c", "word", "ABOUT", "list", 0.5, 0.9)]

    def score(protocol: str) -> None:
        made, _, _ = paired(protocol)
        list(Lra()(made, [clip], iter(()), None, said))  # type: ignore[arg-type]

    score("audio_driven")
    assert heard == ["ABOUT"]
    with pytest.raises(Drop, match="no_word"):
        score("text_driven")
