"""Who is to be seen where in the films of `HEADSET_MEDIA`, read off contact sheets before any detector was asked.

Places are pixels of the film, good to about a third of a face.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Seen(NamedTuple):
    """A face in one frame, from brow to chin."""

    x: float
    y: float
    width: float
    # front, to three quarters; turned: in profile, lying, or half hidden; unclear: counted neither as missed nor as
    # false
    kind: str


F, T, U = "front", "turned", "unclear"
# By film and by second: the faces of the first frame from then on.
FACES: dict[str, dict[float, list[Seen]]] = {
    "multi/avi_testvideo.mp4": {
        8.0: [Seen(214, 97, 80, F)],
        12.0: [],
        19.5: [Seen(161, 60, 45, F)],
        27.0: [Seen(321, 71, 75, F), Seen(146, 139, 25, U)],
        29.5: [Seen(148, 79, 38, F), Seen(289, 102, 28, F)],
        31.4: [Seen(187, 57, 38, F), Seen(253, 45, 17, T), Seen(411, 66, 18, U)],
        33.5: [Seen(213, 30, 426, U)],  # a crowd
        35.0: [Seen(169, 64, 45, F), Seen(299, 75, 48, F)],
        37.0: [
            Seen(111, 78, 30, F),
            Seen(180, 92, 14, F),
            Seen(225, 86, 15, F),
            Seen(243, 108, 17, F),
            Seen(244, 131, 18, T),
        ],
        39.0: [
            Seen(106, 81, 28, F),
            Seen(180, 96, 14, F),
            Seen(224, 90, 15, F),
            Seen(228, 124, 16, F),
            Seen(244, 131, 17, T),
        ],
        42.2: [],
        44.0: [Seen(267, 63, 45, F)],
        46.3: [Seen(132, 103, 45, T), Seen(68, 39, 35, U)],
        48.0: [Seen(134, 61, 55, F), Seen(360, 75, 32, T)],
        49.5: [Seen(130, 71, 52, F), Seen(350, 81, 32, T)],
        51.0: [Seen(142, 67, 80, T)],
    },
    "negative/facenet_crowd_video.mp4": {
        1.0: [
            *(
                Seen(299, 726, 75, F),
                Seen(524, 680, 40, T),
                Seen(686, 623, 85, F),
                Seen(945, 698, 45, F),
                Seen(1020, 732, 70, F),
            ),
            *(
                Seen(1115, 680, 50, F),
                Seen(1273, 824, 85, T),
                Seen(1089, 710, 40, U),
                Seen(1371, 703, 35, U),
                Seen(1180, 690, 40, U),
            ),
        ],
        4.0: [
            *(
                Seen(426, 641, 100, F),
                Seen(789, 722, 95, F),
                Seen(945, 705, 50, F),
                Seen(1141, 693, 45, T),
                Seen(1210, 716, 60, F),
            ),
            *(Seen(225, 700, 60, U), Seen(1308, 699, 45, U), Seen(1350, 700, 30, U)),
        ],
    },
    "multi/datajuicer_video3.mp4": {
        10.0: [Seen(118, 316, 32, F), Seen(326, 327, 40, T)],
        22.0: [Seen(315, 327, 40, T), Seen(111, 331, 18, U)],
        40.0: [Seen(311, 327, 42, F), Seen(117, 331, 18, U)],
    },
    "multi/hamilton_short_clip.mp4": {
        2.5: [Seen(583, 134, 100, T)],
        8.5: [
            Seen(193, 137, 55, T),
            Seen(340, 86, 60, T),
            Seen(415, 139, 60, T),
            Seen(89, 91, 50, F),
            Seen(46, 32, 40, U),
        ],
        9.5: [Seen(193, 135, 50, T), Seen(348, 95, 60, T), Seen(423, 133, 60, T), Seen(80, 90, 45, U)],
    },
    "multi/panda_R_YVZHusX4w.6.mp4": {
        1.0: [Seen(301, 74, 42, F), Seen(431, 85, 40, T)],
        6.0: [Seen(241, 78, 42, F), Seen(396, 110, 42, F)],
    },
    "multi/panda_YemkZ7DLOBU.15.mp4": {
        0.5: [Seen(383, 196, 130, T)],
        1.4: [Seen(391, 198, 150, T)],
        2.2: [Seen(394, 193, 140, T)],
    },
    "single/speakervid_range_full_body_1.mp4": {3.0: [Seen(210, 216, 85, F)]},
    "multi/avi_testhyland.mp4": {
        1.0: [Seen(80, 186, 105, F), Seen(391, 111, 120, F)],
        3.0: [Seen(421, 149, 60, T), Seen(512, 127, 70, F), Seen(25, 122, 50, U)],
        5.0: [Seen(281, 100, 45, T), Seen(369, 121, 40, T)],
        7.5: [Seen(255, 89, 55, T), Seen(558, 110, 50, T)],
        9.5: [Seen(321, 163, 120, F)],
    },
    "multi/panda_it8sFJe038g.7.mp4": {
        2.0: [Seen(371, 123, 95, F), Seen(551, 44, 80, F)],
        7.4: [Seen(347, 123, 95, F), Seen(626, 57, 50, U)],
    },
}


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
