"""Takes both the motion and the look of a face from sound. A branch of PC-AVS (`speech2talkingface`), run as that is,
without the identity picture.

Like PC-AVS it drops the first and last two frames.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "Speech2Talking-Face"
# paper = "unknown"
# year = 2021
# driven_by = "audio"
# code = "full"
# licence = "CC-BY-4.0"
# repository = "Hangz-nju-cuhk/Talking-Face_PC-AVS"
# commit = "c9bd30c5"
# stops = "its branch was not fetched here; the adapter of `pc_avs` shows how it is run"
# weights_licence = "unknown"
# [tool.headset.input]
# px = 224
# hz = 16000
# ///
