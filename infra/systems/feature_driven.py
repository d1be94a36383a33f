"""Drives a StyleGAN2 by features of speech. No code was released."""
# /// script
# dependencies = []
# [tool.headset]
# title = "Feature-driven StyleGAN2"
# paper = "unknown"
# year = 0
# driven_by = "audio"
# code = "never"
# licence = "none: no code"
# nearest = "StyleHEAT (`styleheat`)"
# weights_licence = "unknown"
# ///
