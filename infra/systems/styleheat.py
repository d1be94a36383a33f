"""Warps the features of a pre-trained StyleGAN2 by motion from 3DMM coefficients, at 1024 px.

Its CUDA operators (`fused`, `upfirdn2d`) are compiled at import; they have fallbacks in torch. The 3DMM stage needs
nvdiffrast. The video it writes has no sound, and is cut at 1000 frames. The code that trains it was not released.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "StyleHEAT"
# paper = "One-Shot High-Resolution Editable Talking Face Generation via Pre-trained StyleGAN, ECCV 2022"
# year = 2022
# driven_by = "video"
# code = "part"
# licence = "MIT"
# repository = "FeiiYin/StyleHEAT"
# commit = "83b28c83"
# stops = "its 3DMM stage needs nvdiffrast and dlib's weights; the renderer alone was not tried here"
# weights_licence = "unknown"
# [tool.headset.input]
# crop = "FFHQ's quad crop"
# px = 1024
# hz = 16000
# ///
