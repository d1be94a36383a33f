"""What an eye saw of framing in the films of `HEADSET_MEDIA`: two frames a film, before anything was asked.

Shot sizes are of the one who is seen most, by where the frame cuts the body. Films with several shots have none.
"""

QUARTERS = (0.25, 0.75)  # of a film's length: the two frames

# film: shot size, "" where it has several or nobody; whether a hand is to be seen at each quarter, None where unclear
SEEN: dict[str, tuple[str, bool | None, bool | None]] = {
    "multi/avi_billhyland.mp4": ("medium", True, False),
    "multi/avi_testhyland.mp4": ("", False, True),
    "multi/avi_testvideo.mp4": ("", True, False),
    "multi/datajuicer_video3.mp4": ("", True, None),
    "multi/hamilton_short_clip.mp4": ("", None, True),
    "multi/panda_R_YVZHusX4w.6.mp4": ("medium_long", True, True),
    "multi/panda_YemkZ7DLOBU.15.mp4": ("close_up", True, True),
    "multi/panda_it8sFJe038g.7.mp4": ("medium_close_up", False, False),
    "single/headpose_31.mp4": ("medium_close_up", False, False),
    "single/latentsync_demo1_video.mp4": ("medium_long", True, True),
    "single/lia_vox_driving2.mp4": ("close_up", False, False),
    "single/lrs2_demo.mp4": ("close_up", False, False),
    "single/speakervid_dialogue_case1_1.mp4": ("medium", True, True),
    "single/speakervid_dialogue_case1_2.mp4": ("medium", True, True),
    "single/speakervid_generated_single_4.mp4": ("medium_close_up", False, False),
    "single/speakervid_multi-turn_clip_015.mp4": ("medium", True, True),
    "single/speakervid_range_full_body_1.mp4": ("full", True, True),
    "single/speakervid_range_head_1.mp4": ("close_up", False, False),
    "single/speakervid_range_head_5.mp4": ("close_up", False, False),
    "hdtf/hdtf_RD_Radio10_0_clip_0.mp4": ("close_up", False, False),
    "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4": ("close_up", False, False),
    "hdtf/retalking_face_1.mp4": ("medium_close_up", False, False),
    "hdtf/retalking_face_2.mp4": ("medium_close_up", False, False),
    "negative/facerec_interview.mp4": ("medium", True, None),
    "negative/liveportrait_d9.mp4": ("close_up", False, False),
    "negative/panda_aCx99cgrkVY.22.mp4": ("", False, False),
    "negative/pyfeat_WolfgangLanger_Pexels.mp4": ("close_up", True, False),
    "negative/pyfeat_face_noface.mov": ("", False, False),
    "negative/pyfeat_no_face.mp4": ("", False, False),
    "negative/pyfeat_single_face.mp4": ("close_up", False, False),
}
