"""Text to speech by a service in the network, then Wav2Lip, which it carries. Its part that is no service is Wav2Lip:
give that the sound of any voice.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "Txt2vid"
# paper = "Ultra-Low Bitrate Compression of Talking-Head Videos via Text, arXiv 2106.14014"
# year = 2021
# driven_by = "text"
# code = "full"
# licence = "stated in a PDF of the repository"
# repository = "tpulkit/txt2vid"
# commit = "679b1672"
# stops = "its voice is a service in the network; with a voice at hand, `wav2lip` is the same system"
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# ///
