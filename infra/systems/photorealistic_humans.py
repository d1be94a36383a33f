"""Talking heads by disentangling modalities. No code was released."""
# /// script
# dependencies = []
# [tool.headset]
# title = "Photorealistic Virtual Humans"
# paper = "unknown"
# year = 0
# driven_by = "audio"
# code = "never"
# licence = "none: no code"
# nearest = "PC-AVS (`pc_avs`)"
# weights_licence = "unknown"
# ///
