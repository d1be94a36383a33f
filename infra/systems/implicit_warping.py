"""Animates a set of source pictures by cross-modal attention in place of explicit warps.

The authors' repository holds the web page and result videos.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "Implicit Warping"
# paper = "Implicit Warping for Animation with Image Sets, NeurIPS 2022"
# year = 2022
# driven_by = "video"
# code = "never"
# licence = "none: no code"
# nearest = """face-vid2vid, of which NVlabs/imaginaire c6f74845 (custom CUDA) and an unofficial pure-torch version \
# exist; `lia` and `fomm` run here"""
# weights_licence = "unknown"
# ///
