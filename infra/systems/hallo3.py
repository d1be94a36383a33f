"""Audio-driven portraits by a video diffusion transformer."""
# /// script
# dependencies = []
# [tool.headset]
# title = "Hallo3"
# paper = "Highly Dynamic and Realistic Portrait Image Animation with Video Diffusion Transformer, 2024"
# year = 2024
# driven_by = "audio"
# code = "full"
# licence = "unknown"
# repository = "fudan-generative-vision/hallo3"
# commit = "e342dcec"
# stops = "one GPU of tens of GB and weights of tens of GB: there is neither here to check an adapter with"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 512
# hz = 16000
# ///
