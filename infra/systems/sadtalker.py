"""Sound to 3DMM expression and head pose, which move one picture by the renderer of face-vid2vid. Crop as FFHQ. Nothing
that trains it was released.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "SadTalker"
# paper = """Learning Realistic 3D Motion Coefficients for Stylized Audio-Driven Single Image Talking Face Animation, \
# CVPR 2023"""
# year = 2023
# driven_by = "audio"
# code = "full"
# licence = "unknown"
# repository = "OpenTalker/SadTalker"
# commit = "cd4c0465"
# stops = "not fetched here: it wants its own crops, Deep3DFaceRecon's coefficients and GFPGAN"
# weights_licence = "unknown"
# [tool.headset.input]
# crop = "FFHQ's quad crop"
# px = 256
# hz = 16000
# ///
