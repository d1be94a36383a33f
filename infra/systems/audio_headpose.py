"""Sound to expression and head pose of one person, whose renderer is fine-tuned on 12 s of them or more; then a 3D face
is rendered and refined.

It needs torch, TensorFlow with a compiled rasteriser, mxnet's ArcFace and MATLAB. It is personal: each person is
trained.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "Audio-driven Talking Face with Head Pose"
# paper = "Audio-driven Talking Face Video Generation with Learning-based Personalized Head Pose, arXiv 2002.10137"
# year = 2020
# driven_by = "audio"
# code = "full"
# licence = "research only, with a note on patents"
# repository = "yiranran/Audio-driven-TalkingFace-HeadPose"
# commit = "8ebc0283"
# stops = "it needs MATLAB, and a TensorFlow rasteriser and mxnet of 2020"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# ///
