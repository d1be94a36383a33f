"""Latent diffusion conditioned on sound, landmarks and a reference picture, 200 DDIM steps a frame.

It reads DeepSpeech features smoothed over 8 windows of 16. Its script has the paths of one clip written into it, and
clips under 121 frames crash it.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "DiffTalk"
# paper = "Crafting Diffusion Models for Generalized Audio-Driven Portraits Animation, CVPR 2023"
# year = 2023
# driven_by = "audio"
# code = "full"
# licence = "none stated"
# repository = "sstzal/DiffTalk"
# commit = "b49a607a"
# stops = "it wants DeepSpeech features and lightning 1.2; 200 steps a frame are no work for a CPU"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# ///
