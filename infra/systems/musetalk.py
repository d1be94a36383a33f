"""Lip sync by inpainting the mouth in the latent space of an image VAE, in one step."""
# /// script
# dependencies = []
# [tool.headset]
# title = "MuseTalk 1.5"
# paper = "Real-Time High-Fidelity Video Dubbing via Spatio-Temporal Sampling, 2024"
# year = 2024
# driven_by = "audio"
# code = "full"
# licence = "unknown"
# repository = "TMElyralab/MuseTalk"
# commit = "0a89dec4"
# stops = "one GPU of tens of GB and weights of tens of GB: there is neither here to check an adapter with"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 512
# hz = 16000
# ///
