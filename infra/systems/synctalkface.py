"""Keeps features of lips in a memory that sound looks up.

The repository is a placeholder that says `Coming soon`.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "SyncTalkFace"
# paper = "Talking Face Generation with Precise Lip-Syncing via Audio-Lip Memory, AAAI 2022"
# year = 2022
# driven_by = "audio"
# code = "never"
# licence = "none: no code"
# repository = "jinny960812/SyncTalkFace"
# nearest = "Wav2Lip (`wav2lip`)"
# weights_licence = "unknown"
# ///
