"""Sound to a path through the latent space of a pre-trained StyleGAN.

The repository is a web page that says the code will be released.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "Talking Head from Speech Audio using a Pre-trained Image Generator"
# paper = "ACM Multimedia 2022"
# year = 2022
# driven_by = "audio"
# code = "never"
# licence = "none: no code"
# repository = "MohammedAlghamdi/talking-heads-acm-mm"
# commit = "7385bba7"
# nearest = "StyleHEAT (`styleheat`)"
# weights_licence = "unknown"
# ///
