"""Speech to video by distillation across modalities. No code was released by its authors."""
# /// script
# dependencies = []
# [tool.headset]
# title = "Speech2Video"
# paper = "unknown"
# year = 0
# driven_by = "audio"
# code = "never"
# licence = "none: no code"
# nearest = "Speech2Talking-Face (`speech2talking_face`)"
# weights_licence = "unknown"
# ///
