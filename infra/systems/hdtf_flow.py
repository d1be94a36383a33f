"""Sound to 3DMM motion, that to approximate dense flow, and that to video at 512 px. The system that came with the HDTF
data.

Two stages of it are public: projected mesh points to flow, and flow to video. The video is XVID at 30 fps, and its
picture is read as BGR.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "HDTF flow-guided"
# paper = "Flow-guided One-shot Talking Face Generation with a High-resolution Audio-visual Dataset, CVPR 2021"
# year = 2021
# driven_by = "audio"
# code = "part"
# licence = "GPL-3.0"
# repository = "MRzzm/HDTF"
# commit = "bbde889b"
# stops = "the stage from sound to animation was not released: the two that were want projected mesh points"
# weights_licence = "unknown"
# [tool.headset.input]
# px = 512
# hz = 16000
# [tool.headset.output]
# fps = 30.0
# ///
