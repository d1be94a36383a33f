"""Reenacts a face by another's video and sound together, with segmentation maps and structure.

The repository holds a README that says `public release on hold`.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "AVFR-GAN"
# paper = "Audio-Visual Face Reenactment, WACV 2023"
# year = 2023
# driven_by = "video"
# code = "never"
# licence = "none: no code"
# repository = "mdv3101/AVFR-Gan"
# commit = "959ae30d"
# nearest = "Wav2Lip or DaGAN (`wav2lip`, `dagan`)"
# weights_licence = "unknown"
# ///
