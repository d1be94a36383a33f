"""Lip sync of a video by latent diffusion conditioned on Whisper's features. Its repository has `predict.py` and
`cog.yaml`, so a container of it can be made.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "LatentSync 1.6"
# paper = "Taming Audio-Conditioned Latent Diffusion Models for Lip Sync with SyncNet Supervision, 2024"
# year = 2024
# driven_by = "audio"
# code = "full"
# licence = "unknown"
# repository = "bytedance/LatentSync"
# commit = "a229c394"
# kind = "cog"
# stops = "a container made of its cog.yaml, on a GPU: there is no Docker here to check one with"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 512
# hz = 16000
# ///
