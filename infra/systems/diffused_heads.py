"""Frame-by-frame diffusion at 128 px from one picture and sound, trained on CREMA-D or LRW.

Its checkpoints are TorchScript files; decoding is by decord, sound by torchaudio's sox backend, which torchaudio has no
more.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "Diffused Heads"
# paper = "Diffusion Models Beat GANs on Talking-Face Generation, WACV 2024"
# year = 2024
# driven_by = "audio"
# code = "full"
# licence = "CC-BY-NC-SA-4.0"
# repository = "MStypulkowski/diffused-heads"
# commit = "2838e57a"
# stops = "its networks come as TorchScript files only, so that without them nothing can be tried"
# weights_licence = "unknown"
# [tool.headset.input]
# px = 128
# hz = 16000
# ///
