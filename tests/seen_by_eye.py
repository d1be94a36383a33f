"""Faces in real films as an eye saw them on contact sheets.

Places are pixels of the film, good to about a third of a face.
"""

from typing import NamedTuple


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
