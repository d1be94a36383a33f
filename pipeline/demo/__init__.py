"""Writes the sample of `make demo`: two minutes of video whose truth is known, from parts that installed packages
carry.

    python -m pipeline.demo FOLDER

Faces are two photographs in the public domain: scikit-image's portrait of the astronaut Eileen Collins (NASA) and
matplotlib's of Rear Admiral Grace Hopper (US Navy). Voices are the two of pyannote.audio's telephone sample (MIT),
whose turns its RTTM file states. They are no recording of the two women: mouths are drawn to open with the level of the
voice given to each. Pictures without a face are scikit-image's coffee cup (CC0) and rocket (public domain, SpaceX).

Beside the videos, `truth.json` says what every shot shows, who speaks when, and how the shot ought to end.
"""
