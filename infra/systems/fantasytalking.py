"""Audio-driven portraits by a video diffusion transformer, through VideoX-Fun.

VideoX-Fun's script of it takes no arguments, all its values are constants: an adapter builds the classes of
`videox_fun.pipeline` itself, and so reaches its five systems.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "FantasyTalking"
# paper = "Realistic Talking Portrait Generation via Coherent Motion Synthesis, 2025"
# year = 2025
# driven_by = "audio"
# code = "full"
# licence = "unknown"
# repository = "aigc-apps/VideoX-Fun"
# commit = "804a4258"
# stops = "one GPU of tens of GB and weights of tens of GB: there is neither here to check an adapter with"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 512
# hz = 16000
# ///
