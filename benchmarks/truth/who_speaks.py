"""Who speaks when in films in which faces are to be seen, and whether the speaker is in view.

Real films were read off contact sheets at 6 to 10 pictures a second, transcripts, levels and pitch, before anything was
run on them for this; moments of which that says nothing are left out. Made films are cut together from films of one
person each, so that who is heard and who is seen is known exactly; pauses of the speech count as speech.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Said:
    """One voice from one moment to another."""

    who: str
    start_s: float
    end_s: float
    seen: bool = True  # the face that speaks is in view


@dataclass(frozen=True)
class Cut:
    """A piece of a made film: what is heard, and what is seen with it."""

    for_s: float
    heard: str
    heard_from_s: float
    picture: tuple[str, float]  # film, and from when on; "" for a grey wall


REAL: dict[str, tuple[bool, list[Said]]] = {  # film: held back, and what is said, the rest left out
    "multi/avi_billhyland.mp4": (False, [Said("right with a cap", 0.0, 7.5), Said("left", 8.5, 20.0)]),
    "multi/panda_it8sFJe038g.7.mp4": (False, [Said("speaker", 0.0, 12.1)]),
    "multi/panda_YemkZ7DLOBU.15.mp4": (False, [Said("narrator", 0.0, 2.64, seen=False)]),
    # One sentence of a text each, whose end is often spoken over other pictures: there nobody's mouth tells whose.
    "multi/avi_testvideo.mp4": (
        False,
        [
            Said("blue sweater", 6.85, 8.45),
            Said("orange jacket", 11.3, 13.01, seen=False),
            Said("orange jacket", 13.01, 15.4),
            Said("white shirt", 18.5, 20.5),
            Said("scarf", 20.65, 21.9),
            Said("thinking", 26.0, 28.3),
            Said("black shirt", 29.0, 30.5),
            Said("teal", 30.75, 31.9),
            Said("hand", 34.8, 36.2),
            Said("ball", 37.4, 39.5),
            Said("arcade", 43.3, 45.2),
            Said("dark fringe", 48.0, 50.3),
            Said("black and white", 52.0, 54.5),
        ],
    ),
    # one sentence over three shots, its speaker in view in the last
    "multi/avi_testhyland.mp4": (True, [Said("glasses", 0.0, 8.41, seen=False), Said("glasses", 8.75, 10.05)]),
    "multi/panda_R_YVZHusX4w.6.mp4": (True, [Said("man", 0.9, 1.9), Said("woman", 2.3, 5.4)]),
}
ONE_PERSON: dict[str, bool] = {  # film: held back
    "single/headpose_31.mp4": False, "single/latentsync_demo1_video.mp4": False, "single/lia_vox_driving2.mp4": False,
    "single/speakervid_range_full_body_1.mp4": False, "single/speakervid_range_head_5.mp4": False,
    "single/speakervid_dialogue_case1_1.mp4": True, "single/speakervid_dialogue_case1_2.mp4": True,
    "single/speakervid_multi-turn_clip_015.mp4": True, "single/speakervid_range_head_1.mp4": True,
    "single/wav2lipgfpgan_kim_7s_raw.mp4": True, "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4": True,
    "hdtf/retalking_face_1.mp4": True, "hdtf/retalking_face_2.mp4": True,
}  # fmt: skip
_A, _B, _C, _D, _E = (film for film, held_back in ONE_PERSON.items() if not held_back)
_K, _L, _M, _N, _O, _P, _Q, _R = (film for film, held_back in ONE_PERSON.items() if held_back)
_GRID = [f"grid/{name}.mpg" for name in ("bbaf2n", "lbax4n", "pwij3p", "lrwp9a", "sbwe5n")]  # of five people


def _own(*pieces: tuple[str, float, float]) -> list[Cut]:
    """Each piece as it is: film, from, to."""
    return [Cut(to_s - from_s, film, from_s, (film, from_s)) for film, from_s, to_s in pieces]


def _unseen(cuts: list[Cut], *numbers: int) -> list[Cut]:
    """The same, with a wall in place of some pictures."""
    return [replace(cut, picture=("", 0.0)) if n in numbers else cut for n, cut in enumerate(cuts)]


def _chopped(film: str, from_s: float, for_s: float, times: int) -> list[tuple[str, float, float]]:
    return [(film, from_s + n * for_s, from_s + (n + 1) * for_s) for n in range(times)]


def _over(voice: str, from_s: float, for_s: float, *films: str) -> list[Cut]:
    """One voice while others move their mouths."""
    return [Cut(for_s, voice, from_s + n * for_s, (film, 1.0)) for n, film in enumerate(films)]


# Name: held back, and its pieces. People in turn change in pauses of the speech; nobody is in films of both kinds.
MADE: dict[str, tuple[bool, list[Cut]]] = {
    "two in turn": (
        False,
        _own((_A, 8.9, 11.0), (_B, 0.83, 3.37), (_A, 11.0, 13.25), (_B, 3.37, 5.1), (_A, 13.25, 15.27), (_B, 5.1, 7.66),
             (_A, 15.27, 18.58), (_B, 7.66, 9.25)),
    ),
    "two others in turn": (
        False,
        _own((_C, 0.05, 3.45), (_D, 0.3, 3.8), (_C, 3.45, 5.57), (_D, 4.6, 6.7), (_C, 5.57, 7.63), (_D, 6.7, 8.5)),
    ),
    "seven, one after the other": (
        False,
        _own((_A, 8.9, 11.0), (_B, 0.83, 3.37), (_C, 0.05, 3.45), (_D, 0.3, 3.8), (_E, 7.18, 9.9), (_GRID[0], 0.8, 2.6),
             (_GRID[1], 0.3, 2.3)),
    ),
    "two in turn, at times unseen": (
        False,
        _unseen(_own((_A, 8.9, 11.0), (_D, 0.3, 3.8), (_A, 11.0, 13.25), (_D, 4.6, 6.7), (_A, 13.25, 15.27),
                     (_D, 6.7, 8.5), (_A, 15.27, 18.58)), 2, 5),
    ),
    "one person in short shots": (False, _unseen(_own(*_chopped(_A, 8.9, 1.3, 9)), 1, 3, 5, 7)),
    "one voice over four faces": (False, _over(_A, 8.9, 2.8, _B, _C, _D, _E)),
    "one face, half under another voice": (False, [*_own((_B, 0.0, 5.1)), Cut(4.7, _D, 3.8, (_B, 5.1))]),
    "two of one talk": (
        True,
        _own((_K, 0.45, 1.68), (_L, 0.1, 1.73), (_K, 1.68, 2.94), (_L, 1.73, 3.18), (_K, 2.94, 5.4), (_L, 3.18, 8.42),
             (_K, 5.4, 7.66)),
    ),
    "a woman and a man in turn": (
        True,
        _own((_P, 0.0, 3.22), (_R, 0.1, 2.3), (_P, 3.22, 4.62), (_R, 2.3, 4.1), (_P, 4.62, 6.6)),
    ),
    "ten, one after the other": (
        True,
        _own((_K, 2.94, 5.4), (_L, 0.1, 3.18), (_M, 1.32, 3.12), (_N, 1.37, 4.7), (_O, 0.0, 2.5), (_P, 0.0, 3.22),
             (_Q, 0.0, 2.7), (_R, 0.1, 2.3), (_GRID[2], 0.3, 2.4), (_GRID[3], 0.4, 2.5)),
    ),
    "two others in turn, at times unseen": (
        True,
        _unseen(_own((_P, 0.0, 3.22), (_L, 0.1, 1.73), (_P, 3.22, 4.62), (_L, 1.73, 3.18), (_P, 4.62, 6.6),
                     (_L, 3.18, 8.42)), 2, 5),
    ),
    "another person in short shots": (True, _unseen(_own(*_chopped(_L, 0.1, 1.3, 7)), 1, 3, 5)),
    "another voice over four faces": (True, _over(_L, 0.1, 2.4, _O, _R, _N, _P)),
    "another face, half under another voice": (True, [*_own((_K, 0.45, 5.4)), Cut(2.7, _P, 0.0, (_K, 5.4))]),
}  # fmt: skip
