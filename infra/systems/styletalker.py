"""Sound to the latent codes of a StyleGAN, with motions drawn at random. No code was released."""
# /// script
# dependencies = []
# [tool.headset]
# title = "StyleTalker"
# paper = "One-shot Style-based Audio-driven Talking Head Video Generation, arXiv 2208.10922"
# year = 2022
# driven_by = "audio"
# code = "never"
# licence = "none: no code"
# nearest = "SadTalker (`sadtalker`)"
# weights_licence = "unknown"
# ///
