"""An implicit memory for what sound does not tell of expression, and an explicit one for the details of a face. No code
was released.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "MemFace"
# paper = "Memories are One-to-Many Mapping Alleviators in Talking Face Generation, arXiv 2212.05005"
# year = 2022
# driven_by = "audio"
# code = "never"
# licence = "none: no code"
# nearest = "SadTalker (`sadtalker`)"
# weights_licence = "unknown"
# ///
