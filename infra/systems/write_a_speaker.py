"""Text with its rhythm and emotion to the motion of a face, by motion capture.

The repository holds 51 pictures of blendshapes and a licence form for the capture data.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "Write-a-Speaker"
# paper = "Text-based Emotional and Rhythmic Talking-head Generation, AAAI 2021"
# year = 2021
# driven_by = "text"
# code = "never"
# licence = "GPL-3.0"
# repository = "FuxiVirtualHuman/Write-a-Speaker"
# commit = "fa0be37b"
# nearest = "Txt2vid (`txt2vid`)"
# weights_licence = "unknown"
# ///
