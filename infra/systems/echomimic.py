"""Audio-driven people by a video diffusion transformer."""
# /// script
# dependencies = []
# [tool.headset]
# title = "EchoMimic V3"
# paper = "unknown"
# year = 2025
# driven_by = "audio"
# code = "full"
# licence = "unknown"
# repository = "antgroup/echomimic_v3"
# commit = "7e89489"
# stops = "one GPU of tens of GB and weights of tens of GB: there is neither here to check an adapter with"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 512
# hz = 16000
# ///
