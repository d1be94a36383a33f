"""Who is to be seen where in the films of `HEADSET_MEDIA`, read off contact sheets before any detector was asked.

Places are pixels of the film, good to about a third of a face.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Person:
    """Someone whose face is to be seen in `spans`, at (seconds, x, y) and on straight lines between."""

    name: str
    spans: tuple[tuple[float, float], ...]
    path: tuple[tuple[float, float, float], ...]

    def at(self, at_s: float) -> tuple[float, float] | None:
        """x and y; None where the face is not to be seen."""
        if not any(start_s <= at_s < end_s for start_s, end_s in self.spans):
            return None
        times, x, y = zip(*self.path, strict=True)
        return float(np.interp(at_s, times, x)), float(np.interp(at_s, times, y))


def _still(name: str, start_s: float, end_s: float, x: float, y: float) -> Person:
    return Person(name, ((start_s, end_s),), ((start_s, x, y),))


PEOPLE: dict[str, list[Person]] = {
    "multi/avi_billhyland.mp4": [_still("left", 0, 20, 218, 145), _still("right with a cap", 0, 20, 640, 160)],
    "multi/panda_it8sFJe038g.7.mp4": [
        Person("speaker", ((0, 12.1),), ((0, 371, 123), (2, 371, 123), (7.4, 347, 123))),
        Person(
            "behind",
            ((0, 6.8), (8.0, 12.1)),
            ((0, 551, 44), (2, 551, 44), (7.4, 626, 57), (8.6, 600, 50), (12, 580, 50)),
        ),
    ],
    "multi/panda_R_YVZHusX4w.6.mp4": [
        Person("man", ((0, 8.1),), ((1, 301, 74), (6, 241, 78))),
        Person("woman", ((0, 8.1),), ((1, 431, 85), (6, 396, 110))),
    ],
    "multi/panda_YemkZ7DLOBU.15.mp4": [_still("woman", 0, 2.64, 390, 196)],
    "multi/avi_testhyland.mp4": [
        Person(
            "cap",
            ((0, 8.41),),
            (
                *(
                    (0, 184, 184),
                    (0.5, 108, 208),
                    (1, 80, 186),
                    (1.5, 76, 190),
                    (2.09, 96, 180),
                    (2.11, 345, 110),
                    (2.5, 363, 110),
                ),
                *(
                    (3, 421, 149),
                    (3.5, 427, 150),
                    (4, 471, 120),
                    (4.5, 407, 110),
                    (5, 281, 100),
                    (5.5, 191, 95),
                    (6, 184, 95),
                ),
                *((6.5, 267, 95), (7, 311, 95), (7.5, 255, 89), (8, 230, 90)),
            ),
        ),
        Person(
            "grey shirt",
            ((0, 3.4), (4.8, 8.41)),
            (
                *(
                    (0, 405, 110),
                    (0.5, 414, 110),
                    (1, 391, 111),
                    (1.5, 382, 110),
                    (2.09, 378, 110),
                    (2.11, 460, 110),
                    (2.5, 473, 110),
                ),
                *(
                    (3, 512, 127),
                    (3.4, 500, 130),
                    (4.8, 372, 121),
                    (5, 369, 121),
                    (5.5, 338, 121),
                    (6, 380, 121),
                    (6.5, 488, 121),
                ),
                *((7, 532, 115), (7.5, 558, 110), (8, 574, 110)),
            ),
        ),
        _still("glasses", 8.41, 10.11, 321, 163),
    ],
    "multi/hamilton_short_clip.mp4": [
        Person(
            "singer",
            ((0.85, 1.5), (3.6, 7.87)),
            (
                *(
                    (0.85, 544, 74),
                    (1.5, 544, 74),
                    (3.6, 230, 103),
                    (4, 230, 103),
                    (4.5, 275, 103),
                    (5, 260, 103),
                    (5.5, 218, 103),
                ),
                *((6, 277, 103), (6.5, 257, 90), (7, 255, 85), (7.5, 311, 85)),
            ),
        ),
        Person(
            "pianist",
            ((0.85, 1.5), (1.5, 3.6)),
            (
                (0.85, 74, 191),
                (1.49, 74, 191),
                (1.51, 520, 130),
                (2, 358, 200),
                (2.5, 583, 134),
                (3, 608, 140),
                (3.5, 490, 170),
            ),
        ),
        _still("audience 1", 7.9, 10.0, 193, 137),
        _still("audience 2", 7.9, 10.0, 344, 90),
        _still("audience 3", 7.9, 10.0, 420, 136),
        _still("audience 4", 7.9, 9.2, 86, 91),
    ],
    "multi/datajuicer_video3.mp4": [
        Person("white shirt", ((0, 11.5), (15.5, 21), (27.2, 31.5), (33, 39), (43, 49.6)), ((0, 110, 316),)),
        Person("grey shirt", ((1.6, 49.6),), ((0, 322, 327),)),
    ],
    "multi/avi_testvideo.mp4": [
        Person("blue sweater", ((6.4, 8.55),), ((6.5, 90, 78), (7, 186, 85), (8, 214, 97))),
        Person("orange jacket", ((13.01, 17.6),), ((13, 316, 44), (14, 313, 44), (15, 320, 44), (17, 323, 44))),
        Person("child", ((13.01, 13.7), (16, 17.6)), ((13, 251, 50), (16, 259, 45), (17, 274, 45))),
        Person("white shirt", ((17.6, 20.6),), ((18, 220, 52), (19, 178, 55), (19.5, 161, 60), (20, 121, 52))),
        _still("scarf", 20.6, 21.94, 271, 85),
        Person("red hood", ((21.94, 22.8),), ((22, 316, 90), (23, 404, 90))),
        Person("thinking", ((24.15, 28.61),), ((25, 308, 68), (27, 321, 71))),
        Person("black shirt", ((28.61, 30.7),), ((29, 139, 77), (29.5, 148, 79), (30, 158, 68))),
        Person("green shirt", ((28.61, 30.1),), ((29, 290, 102), (30, 297, 92))),
        Person("teal", ((30.7, 32.03),), ((31, 181, 62), (31.4, 187, 57))),
        _still("dots", 34.45, 36.29, 167, 64),
        _still("hand", 34.45, 36.29, 300, 72),
        Person("ball", ((36.29, 39.6),), ((37, 111, 78), (39, 106, 81))),
        Person("arcade", ((42.54, 45.25),), ((43, 279, 60), (44, 267, 63), (45, 262, 65))),
        _still("bald in profile", 46.0, 47.05, 120, 103),
        _still("dark fringe", 47.05, 50.3, 132, 66),
        _still("red scarf", 47.05, 50.3, 355, 78),
        _still("lying", 50.3, 51.8, 142, 67),
        Person("black and white", ((51.8, 55.1),), ((52, 153, 90), (54, 147, 70))),
    ],
}
ALONE = (  # films of one person each, another one in each
    *(
        "single/headpose_31.mp4",
        "single/latentsync_demo1_video.mp4",
        "single/lia_vox_driving2.mp4",
        "single/lrs2_demo.mp4",
    ),
    *(
        "single/speakervid_dialogue_case1_1.mp4",
        "single/speakervid_dialogue_case1_2.mp4",
        "single/speakervid_generated_single_4.mp4",
    ),
    *(
        "single/speakervid_multi-turn_clip_015.mp4",
        "single/speakervid_range_full_body_1.mp4",
        "single/speakervid_range_head_1.mp4",
    ),
    *("single/speakervid_range_head_5.mp4", "single/wav2lipgfpgan_kim_7s_raw.mp4"),
)
# films on which no threshold was chosen, of one person each; who has the same name is the same person
AGAIN: dict[str, str] = {
    "grid/bbaf2n.mpg": "grid 1",
    "grid/id2_vcd_swwp2s.mpg": "grid 2",
    "grid/pwij3p.mpg": "grid 2",
    "grid/lbax4n.mpg": "grid 3",
    "grid/lrwp9a.mpg": "grid 4",
    "grid/sbwe5n.mpg": "grid 5",
    "hdtf/hdtf_RD_Radio10_0_clip_0.mp4": "hdtf 1",
    "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4": "hdtf 2",
    "hdtf/retalking_face_1.mp4": "retalking 1",
    "hdtf/retalking_face_2.mp4": "retalking 2",
    "negative/liveportrait_d9.mp4": "liveportrait",
    "negative/pyfeat_WolfgangLanger_Pexels.mp4": "pexels",
    "negative/pyfeat_face_noface.mov": "pyfeat",
    "negative/pyfeat_single_face.mp4": "pyfeat",
}
# who is in `multi/gallery_hyland`: in which film, and as whom
GALLERY = {"Bill": ("multi/avi_billhyland.mp4", "left"), "Mike": None}
