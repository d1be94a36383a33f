"""A neural radiance field of one person, conditioned on lip motion from sound and on other face attributes.

Each person is trained. It needs RAFT's flow, DeepSpeech of TensorFlow 1 and a compiled NMS; the conda file its README
names is missing.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "DFA-NeRF"
# paper = "Personalized Talking Head Generation via Disentangled Face Attributes Neural Rendering, arXiv 2201.00791"
# year = 2022
# driven_by = "audio"
# code = "full"
# licence = "MIT"
# repository = "ShunyuYao/DFA-NeRF"
# commit = "f0d258b6"
# stops = "it is trained for each person, on a GPU, with TensorFlow 1 and compiled operators"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# ///
