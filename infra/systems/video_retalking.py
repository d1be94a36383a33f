"""Makes the expression of a video neutral, syncs its lips to sound, and enhances the face. Any resolution.

It caches landmarks and coefficients by the name of the file alone, so that two clips of one name spoil each other: here
each request has a folder of its own. Dots in a path break it. GPEN's operators are compiled at import.
"""
# /// script
# dependencies = []
# [tool.headset]
# title = "VideoReTalking"
# paper = "Audio-based Lip Synchronization for Talking Head Video Editing In the Wild, SIGGRAPH Asia 2022"
# year = 2022
# driven_by = "audio"
# code = "full"
# licence = "Apache-2.0"
# repository = "OpenTalker/video-retalking"
# commit = "d32e8e58"
# stops = "its model files and the compiled operators of GPEN are not at hand: not tried here"
# runs_on_cpu = false
# weights_licence = "unknown"
# [tool.headset.input]
# px = 256
# hz = 16000
# ///
