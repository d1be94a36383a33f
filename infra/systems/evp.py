"""Parts the content and the emotion of sound, predicts 106 landmarks, and renders them by vid2vid for one actor of
MEAD.

Its stage from sound to landmarks is pure torch; the renderer is vid2vid, trained for each actor.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "EVP"
# paper = "Audio-Driven Emotional Video Portraits, CVPR 2021"
# year = 2021
# driven_by = "audio"
# code = "part"
# licence = "none stated"
# repository = "jixinya/EVP"
# commit = "990ea8b0"
# stops = "its renderer is a vid2vid trained for each actor, and the stage before gives landmarks alone"
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# ///
