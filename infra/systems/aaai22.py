"""Phonemes and sound of any speaker to keypoint motion learnt of one, which animates one picture at 25 fps.

It reads phonemes with their times in units of 10 ms, of 41 kinds, and runs OpenFace's binary for the head pose.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "One-shot talking face, AAAI 2022"
# paper = "One-shot Talking Face Generation from Single-speaker Audio-Visual Correlation Learning, AAAI 2022"
# year = 2022
# driven_by = "audio"
# code = "full"
# licence = "no licence file"
# repository = "FuxiVirtualHuman/AAAI22-one-shot-talking-face"
# commit = "48cd3c61"
# stops = "it runs OpenFace's binary and wants phonemes with times, which no packaged aligner here gives"
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# [tool.headset.output]
# fps = 25.0
# ///
