"""What hides a mouth in real films, as an eye saw it on contact sheets before anything was run."""

from dataclasses import dataclass

FITTED = (
    "grid/bbaf2n.mpg", "grid/id2_vcd_swwp2s.mpg", "grid/lbax4n.mpg", "grid/lrwp9a.mpg", "grid/pwij3p.mpg",
    "grid/sbwe5n.mpg", "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4", "hdtf/retalking_face_1.mp4",
    "hdtf/retalking_face_2.mp4", "negative/facenet_crowd_video.mp4", "negative/liveportrait_d9.mp4",
    "negative/pyfeat_face_noface.mov", "negative/pyfeat_single_face.mp4", "odd/talkvid_10_gt.mp4",
    "single/latentsync_demo1_video.mp4",
)  # fmt: skip
CHOOSE = (
    "hdtf/hdtf_RD_Radio10_0_clip_0.mp4", "multi/avi_billhyland.mp4", "multi/avi_testvideo.mp4",
    "multi/panda_YemkZ7DLOBU.15.mp4", "multi/panda_it8sFJe038g.7.mp4", "negative/facerec_interview.mp4",
    "negative/pyfeat_WolfgangLanger_Pexels.mp4", "single/headpose_31.mp4", "single/lia_vox_driving2.mp4",
    "single/speakervid_dialogue_case1_1.mp4", "single/speakervid_generated_single_4.mp4",
    "single/speakervid_range_full_body_1.mp4", "single/speakervid_range_head_5.mp4",
)  # fmt: skip
HELD = (
    "multi/avi_testhyland.mp4", "multi/datajuicer_video3.mp4", "multi/hamilton_short_clip.mp4",
    "multi/panda_R_YVZHusX4w.6.mp4", "odd/moviepy_chaplin.mp4", "single/lrs2_demo.mp4",
    "single/speakervid_dialogue_case1_2.mp4", "single/speakervid_multi-turn_clip_015.mp4",
    "single/speakervid_range_head_1.mp4", "single/wav2lipgfpgan_kim_7s_raw.mp4",
)  # fmt: skip
HANDS = {  # where the hands to cut out are: film, second
    CHOOSE: (("multi/avi_testvideo.mp4", 25.0),),
    HELD: (("single/speakervid_dialogue_case1_2.mp4", 7.0), ("multi/hamilton_short_clip.mp4", 5.0)),
}
DENSE = {  # spans with four looks a second
    "negative/pyfeat_WolfgangLanger_Pexels.mp4": ((1.9, 10.2),),
    "multi/panda_YemkZ7DLOBU.15.mp4": ((0.0, 2.6),),
    "multi/hamilton_short_clip.mp4": ((0.0, 9.9),),
    "multi/datajuicer_video3.mp4": ((9.0, 12.5), (47.5, 49.6)),
}


@dataclass(frozen=True)
class Seen:
    """What an eye saw between two times of a film, of faces whose middle is between two shares of its width; everything
    else is free.
    """

    film: str
    from_s: float
    to_s: float
    # hidden, more than half of the lips; partly, some of them; left_out, where no eye can tell, or there is no face
    grade: str
    by: str = ""
    left: float = 0.0
    right: float = 1.0


_WOMAN, _STAGE, _TABLE = (
    "negative/pyfeat_WolfgangLanger_Pexels.mp4",
    "multi/hamilton_short_clip.mp4",
    "multi/datajuicer_video3.mp4",
)
BY_EYE = (
    Seen(_WOMAN, 2.4, 3.9, "hidden", "hand"),
    Seen(_WOMAN, 3.9, 9.4, "partly", "hand"),
    Seen("multi/panda_YemkZ7DLOBU.15.mp4", 0.0, 2.6, "partly", "hand"),
    Seen(_STAGE, 0.0, 1.4, "hidden", "microphone"),
    Seen(_STAGE, 1.4, 3.6, "left_out"),
    Seen(_STAGE, 4.7, 4.9, "left_out"),
    Seen(_STAGE, 5.2, 5.4, "partly", "hand"),
    Seen(_STAGE, 6.0, 6.1, "partly", "microphone"),
    Seen(_STAGE, 7.2, 7.9, "partly", "microphone"),
    Seen(_STAGE, 8.0, 8.1, "left_out", "", 0.0, 0.2),
    Seen(_STAGE, 8.0, 8.1, "partly", "hand", 0.5, 0.6),
    Seen(_STAGE, 8.2, 8.9, "left_out"),
    Seen(_STAGE, 9.0, 9.1, "left_out", "", 0.4, 0.5),
    Seen(_STAGE, 9.0, 9.1, "partly", "hand", 0.52, 0.6),
    Seen(_STAGE, 9.2, 10.0, "left_out"),
    Seen(_TABLE, 9.95, 10.05, "hidden", "hand", 0.0, 0.5),
    Seen(_TABLE, 48.7, 49.4, "hidden", "drawn face", 0.0, 0.4),
    Seen(_TABLE, 12.2, 12.4, "left_out", "", 0.0, 0.4),
    Seen(_TABLE, 24.0, 24.1, "left_out", "", 0.0, 0.4),
    Seen(_TABLE, 33.0, 33.1, "left_out", "", 0.0, 0.4),
    Seen("multi/avi_testhyland.mp4", 0.0, 0.1, "left_out", "", 0.0, 0.2),
    Seen("multi/avi_testhyland.mp4", 5.0, 5.1, "left_out", "", 0.4, 0.46),
    Seen("multi/avi_testvideo.mp4", 17.0, 17.1, "left_out"),
    Seen("multi/avi_testvideo.mp4", 55.0, 55.1, "left_out"),
    Seen("multi/panda_R_YVZHusX4w.6.mp4", 3.0, 3.1, "left_out", "", 0.7, 0.75),
    Seen("negative/facenet_crowd_video.mp4", 2.0, 2.1, "left_out", "", 0.3, 0.34),
    Seen("odd/talkvid_10_gt.mp4", 0.0, 9.0, "left_out", "", 0.0, 0.2),  # an inset that ends above the mouth
    Seen("single/speakervid_range_head_5.mp4", 0.0, 99.0, "left_out", "", 0.85, 1.0),  # blurred beyond knowing
)
