"""A regularised driver from sound to 3DMM motion and an enhanced PIRenderer, made for the ViCo challenge. It writes 30
fps.

Its inputs are features of the ViCo data and Deep3DFaceRecon's coefficients (nvdiffrast).
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "ViCo, perceptual"
# paper = "Perceptual Conversational Head Generation with Regularized Driver and Enhanced Renderer, ACM Multimedia 2022"
# year = 2022
# driven_by = "audio"
# code = "full"
# licence = "MIT"
# commit = "e507edbd"
# stops = "it wants the features of the ViCo challenge and nvdiffrast"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# [tool.headset.output]
# fps = 30.0
# ///
