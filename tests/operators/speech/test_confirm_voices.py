from manifests.tables import Attribution, Clip, Score
from operators.speech.confirm_voices import ConfirmVoices


def part(start_s: float = 1.0, end_s: float = 9.0, kind: str = "visible", reason: str = "speaks") -> Attribution:
    return Attribution(
        "talk", f"talk/t@{start_s}", "talk/t", "speaker0", "talk/s", "talk/s/t0", start_s, end_s, kind, reason, 2.0
    )


def clip(start_s: float, end_s: float, track: str = "t0") -> Clip:
    return Clip(
        "talk", f"talk/{start_s}-{end_s}/{track}", "talk/s", f"talk/s/{track}", "speaker0", start_s, end_s, 0, 0, 9, 9
    )


def sync(of: Clip, confidence: float) -> Score:
    return Score("talk", f"{of.clip_id}#av_confidence", of.clip_id, "av_confidence", "mouth_envelope", confidence)


def told(of: Attribution, *clips: tuple[Clip, float]) -> list[tuple[float, float, str, str]]:
    parts = list(ConfirmVoices()(of, [clip for clip, _ in clips], [sync(*each) for each in clips]))
    assert [part.start_s for part in parts] == [of.start_s, *(part.end_s for part in parts[:-1])]
    assert parts[-1].end_s == of.end_s
    assert len({part.attribution_id for part in parts}) == len(parts)
    return [(part.start_s, part.end_s, part.kind, part.reason) for part in parts]


def test_a_mouth_that_moves_with_the_sound_is_in_step_and_one_that_does_not_is_not():
    assert told(part(), (clip(0.9, 9.1), 1.4)) == [(1.0, 9.0, "visible", "in_step")]
    assert told(part(), (clip(0.9, 9.1), 0.4)) == [(1.0, 9.0, "off_screen", "out_of_step")]


def test_in_between_nothing_is_told():
    assert told(part(), (clip(0.9, 9.1), 0.7)) == [(1.0, 9.0, "visible", "speaks")]
    assert told(part()) == [(1.0, 9.0, "visible", "speaks")]


def test_each_clip_answers_for_its_own_span():
    answers = told(part(), (clip(6.0, 8.9), 0.3), (clip(2.0, 5.0), 1.2), (clip(5.0, 6.0), 0.8))
    assert answers == [
        (1.0, 2.0, "visible", "speaks"), (2.0, 5.0, "visible", "in_step"),
        (5.0, 6.0, "visible", "speaks"), (6.0, 9.0, "off_screen", "out_of_step"),
    ]  # fmt: skip


def test_the_clip_of_another_face_and_a_voice_off_screen_are_left_alone():
    assert told(part(), (clip(0.9, 9.1, "t1"), 0.1)) == [(1.0, 9.0, "visible", "speaks")]
    over = part(kind="off_screen", reason="still_mouths")
    assert list(ConfirmVoices()(over, [clip(0.9, 9.1)], [sync(clip(0.9, 9.1), 1.4)])) == [over]
