"""Dense landmarks (669) drive a warp and a refinement; a second stage raises the picture to 512 px over time.

Its base stage is pure torch. The detector of the 669 landmarks was not released, and the environment file its README
names is missing. It writes PNG files and a video of 23.98 fps.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "MetaPortrait"
# paper = "Identity-Preserving Talking Head Generation with Fast Personalized Adaptation, CVPR 2023"
# year = 2023
# driven_by = "video"
# code = "part"
# licence = "MIT"
# repository = "Meta-Portrait/MetaPortrait"
# commit = "4c3c9e38"
# stops = "its detector of 669 dense landmarks was not released: only its own prepared data can be run"
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# ///
