"""Sixty short videos whose cuts, dissolves and fades are known because they were made."""

from collections.abc import Sequence
from dataclasses import replace

from tests.made_cuts import WHITE, Dissolve, Fade, Made, Part, Shot


def suite() -> list[Made]:
    """The sixty videos. Every second one of a group is held back."""
    groups = [_cuts(), _dissolves(), _fades(), _quiet(), _containers()]
    videos = [replace(made, held_back=place % 2 == 1) for group in groups for place, made in enumerate(group)]
    assert len(videos) == 60
    assert len({made.name for made in videos}) == 60
    return videos


def _shots(first_scene: int, *lengths: int) -> tuple[Shot, ...]:
    return tuple(Shot(frames, first_scene + n) for n, frames in enumerate(lengths))


def _joined(joins: Sequence[Part], first_scene: int, length: int) -> tuple[Part, ...]:
    """Shots of one length with these joins between them."""
    parts: list[Part] = [Shot(length, first_scene)]
    for n, join in enumerate(joins):
        parts += [join, Shot(length, first_scene + n + 1)]
    return tuple(parts)


def _cuts() -> list[Made]:
    plain = [
        Made(f"cuts_{fps:g}_fps", _shots(3 * n, *(round(fps * seconds) for seconds in lengths)), fps=fps)
        for n, (fps, lengths) in enumerate(
            [
                (10, (2, 1.5, 2.5)), (12.5, (2, 1.2, 2)), (15, (2, 1, 1.5)), (23.976, (2, 1, 2)),
                (25, (2, 0.6, 2)), (29.97, (2, 1, 1)), (50, (1.5, 0.6, 1.5)), (60, (1, 1, 1.5)),
            ]
        )
    ]  # fmt: skip
    moving = Made(
        "cuts_while_panning",
        (Shot(40, 31, (("pan", 0, 40, 0.6),)), Shot(40, 32, (("pan", 0, 40, -0.9),)), Shot(40, 33)),
    )
    shaken = Made("cuts_from_the_hand", tuple(Shot(45, 34 + n, (("shake", 0, 45, 6),)) for n in range(3)))
    dark = Made("cuts_in_the_dark", tuple(Shot(45, 37 + n, (("exposure", -1000, 1, 0.3),)) for n in range(3)))
    short = Made("cuts_after_a_quarter_second", _shots(40, 40, 7, 9, 40))
    zoomed = Made("cut_to_the_same_closer", (Shot(50, 44), Shot(50, 44, (("zoom", -1, 1, 1.6),))))
    wave = Made("cut_after_a_waved_hand", (Shot(60, 45, (("wave", 5, 50, 0.9),)), Shot(50, 46)))
    return [*plain, moving, shaken, dark, short, zoomed, wave]


def _dissolves() -> list[Made]:
    made = [
        Made(f"dissolves_of_{first}_and_{second}", _joined((Dissolve(first), Dissolve(second)), 50 + 3 * n, 40))
        for n, (first, second) in enumerate([(3, 5), (8, 12), (10, 15), (20, 25), (18, 30), (38, 50), (40, 60)])
    ]
    return [
        *made,
        Made("dissolves_eased", _joined((Dissolve(14, True), Dissolve(26, True)), 80, 40)),
        Made("dissolves_eased_at_30_fps", _joined((Dissolve(12, True), Dissolve(30, True)), 83, 40), fps=30),
        Made("dissolves_at_60_fps", _joined((Dissolve(30), Dissolve(60)), 86, 70), fps=60),
        Made("dissolve_while_panning", (Shot(40, 92, (("pan", 0, 60, 0.2),)), Dissolve(20),
                                        Shot(40, 93, (("pan", -20, 60, -0.2),)))),
        Made("dissolve_from_the_hand", (Shot(40, 94, (("shake", 0, 80, 4),)), Dissolve(20),
                                        Shot(40, 95, (("shake", -40, 90, 4),)))),
        Made("dissolve_between_dark", (Shot(40, 96, (("exposure", -1000, 1, 0.35),)), Dissolve(20),
                                       Shot(40, 97, (("exposure", -1000, 1, 0.35),)))),
        Made("dissolve_and_cut", (Shot(35, 98), Dissolve(15), Shot(30, 99), Shot(40, 100))),
    ]  # fmt: skip


def _fades() -> list[Made]:
    return [
        Made("fade_through_black", _joined((Fade(12, 3, 12),), 110, 50)),
        Made("fade_through_black_fast", _joined((Fade(5, 1, 5),), 112, 50)),
        Made("fade_through_black_slow", _joined((Fade(30, 12, 30),), 114, 50)),
        Made("fade_through_black_30_fps", _joined((Fade(15, 6, 20),), 116, 60), fps=30),
        Made("fade_through_white", _joined((Fade(12, 3, 12, WHITE),), 118, 50)),
        Made("fade_through_white_slow", _joined((Fade(25, 2, 30, WHITE),), 120, 50)),
        Made("fade_in_and_out", (Fade(0, 5, 20), Shot(60, 122), Fade(25, 8, 0))),
        Made("fade_in_and_out_white", (Fade(0, 2, 12, WHITE), Shot(60, 123), Fade(15, 3, 0, WHITE))),
        Made("fade_out_then_cut", (Shot(50, 124), Fade(20, 5, 0), Shot(50, 125))),
        Made("cut_to_black_then_in", (Shot(50, 126), Fade(0, 6, 20), Shot(50, 127))),
        Made("fade_of_a_dark_scene", (Shot(50, 128, (("exposure", -1000, 1, 0.4),)), Fade(15, 5, 15),
                                      Shot(50, 129, (("exposure", -1000, 1, 0.4),)))),
        Made("fade_and_cut", (Shot(45, 130), Fade(15, 4, 15), Shot(40, 131), Shot(40, 132))),
    ]  # fmt: skip


def _quiet() -> list[Made]:
    """Nothing here is a transition."""
    events = {
        "flash_of_one_frame": (("flash", 40, 1, 0.8),),
        "flash_of_three_frames": (("flash", 40, 3, 0.9), ("flash", 80, 2, 0.7)),
        "strobe": (("strobe", 40, 40, 0.6),),
        "black_frame": (("black", 50, 1, 1.0),),
        "fast_pan": (("pan", 30, 25, 1.5),),
        "whip_pan": (("pan", 50, 9, 1.2),),
        "waved_hand": (("wave", 20, 80, 0.8),),
        "shaking_camera": (("shake", 0, 120, 14),),
        "dimmed": (("exposure", 30, 40, 0.4),),
        "someone_passes": (("cross", 40, 20, 0.5),),
        "title_over_the_picture": (("title", 30, 60, 1.0),),
        "inset_comes_and_goes": (("inset", 40, 50, 0.35),),
    }
    return [Made(name, (Shot(120, 140 + n, what),)) for n, (name, what) in enumerate(events.items())]


def _containers() -> list[Made]:
    mixture = (Shot(45, 170), Shot(40, 171), Dissolve(16), Shot(40, 172))
    low = {"crf": 42, "keyframe_every": 24}
    return [
        Made("low_bitrate", _shots(160, 75, 75), encoding=low),
        Made("low_bitrate_panned", (Shot(150, 162, (("pan", 0, 150, 0.5),)),), encoding=low),
        Made("variable_rate", mixture, fps=30, suffix=".mkv", gaps=(1.0, 1.0, 2.0, 1.0, 3.0, 1.0)),
        Made(
            "variable_rate_jitter",
            (*mixture, Fade(15, 4, 15), Shot(40, 173)),
            fps=25,
            suffix=".mkv",
            gaps=(0.8, 1.2, 0.9, 1.1),
        ),
        Made("late_first_frame", mixture, suffix=".mkv", start_s=0.85),
        Made(
            "transport_stream", (*mixture, Fade(15, 4, 0)), suffix=".ts", start_s=10.0, encoding={"keyframe_every": 50}
        ),
        Made("mpeg4", mixture, suffix=".mp4", encoding={"codec": "mpeg4", "keyframe_every": 24}),
        Made(
            "hevc_with_many_b_frames", (*mixture, Shot(30, 174)), encoding={"codec": "libx265", "keyframe_every": 120}
        ),
    ]
