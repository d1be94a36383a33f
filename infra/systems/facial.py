"""Sound (DeepSpeech features) to expression, head pose and blinks, rendered by a mesh renderer and vid2vid for one
person, at 30 fps.

Its renderer is compiled by cython; DeepSpeech wants TensorFlow. Each person is trained.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "FACIAL"
# paper = "Synthesizing Dynamic Talking Face with Implicit Attribute Learning, ICCV 2021"
# year = 2021
# driven_by = "audio"
# code = "full"
# licence = "AGPL-3.0"
# repository = "zhangchenxu528/FACIAL"
# commit = "95eaf8f4"
# stops = "it wants TensorFlow's DeepSpeech features and a renderer trained for each person"
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# [tool.headset.output]
# fps = 30.0
# ///
