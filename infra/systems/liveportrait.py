"""Implicit keypoints move one picture by a driving video, with stitching into the whole frame."""
# /// script
# dependencies = []
# [tool.headset]
# title = "LivePortrait"
# paper = "Efficient Portrait Animation with Stitching and Retargeting Control, 2024"
# year = 2024
# driven_by = "video"
# code = "full"
# licence = "unknown"
# repository = "KwaiVGI/LivePortrait"
# stops = "its weights and InsightFace's detector are not packaged: not tried here"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 512
# hz = 16000
# ///
