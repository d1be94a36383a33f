"""What lies in an export, read back for `validate`."""

import json
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from operators.base import Drop


def listed(folder: Path, name: str, empty: str = "") -> tuple[list[str], list[str]]:
    """The lines of a list, and what is wrong with it; where it may not be without lines, `empty` says what that is."""
    path = folder / name
    if not path.is_file():
        return [], [f"{name}: missing", *([f"{name}: {empty}"] if empty else [])]
    text = path.read_text()
    problems = (
        []
        if not text or text.endswith("\n")
        else [f"{name}: the last line has no end, and loaders cut the last character off"]
    )
    lines = text.splitlines()
    problems += [f"{name}: {line} is listed {n} times" for line, n in Counter(lines).items() if n > 1]
    problems += [f"{name}: {empty}"] if empty and not lines else []
    return lines, problems


def picture_problem(path: Path, size: tuple[int, int] | None = None) -> str:
    """What is wrong with a picture file; "" where it decodes, in RGB, with this width and height."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.load()
            if image.mode != "RGB":
                return f"is {image.mode}, not RGB"
            if size is not None and image.size != size:
                return f"is {image.size[0]}x{image.size[1]}, not {size[0]}x{size[1]}"
    except FileNotFoundError:
        return "is missing"
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        return f"does not decode ({error})"
    return ""


def video_facts(path: Path) -> tuple[int, int, int, float] | str:
    """Frames, width, height and rate of a video, each frame decoded; or what is wrong with it."""
    from av.error import FFmpegError

    from operators.media.containers import open_media

    try:
        with open_media(path) as container:
            if not container.streams.video:
                return "holds no video"
            stream = container.streams.video[0]
            frames = sum(1 for _ in container.decode(stream))
            return frames, stream.codec_context.width, stream.codec_context.height, float(stream.average_rate or 0)
    except Drop as no:
        return f"does not decode ({no.detail})"
    except (OSError, FFmpegError) as error:
        return f"does not decode ({error})"


def wav_facts(path: Path) -> tuple[int, int] | str:
    """Rate and samples of a mono 16-bit wav; or what is wrong with it."""
    try:
        with wave.open(str(path)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                return f"has {file.getnchannels()} channels of {8 * file.getsampwidth()} bits, not one of 16"
            return file.getframerate(), len(file.readframes(file.getnframes())) // 2
    except (OSError, EOFError, wave.Error) as error:
        return f"does not read ({error})"


def sound_facts(path: Path) -> tuple[int, int, int] | str:
    """Rate, channels and samples of the sound of a video or a wav, each packet decoded; or what is wrong with it."""
    from av.error import FFmpegError

    from operators.media.containers import open_media

    try:
        with open_media(path) as container:
            if not container.streams.audio:
                return "holds no sound"
            stream = container.streams.audio[0]
            samples = sum(frame.samples for frame in container.decode(stream))
            return stream.codec_context.sample_rate, stream.codec_context.channels, samples
    except Drop as no:
        return f"does not decode ({no.detail})"
    except (OSError, FFmpegError) as error:
        return f"does not decode ({error})"


def json_list(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The objects of a list in a JSON file (.json), or of its lines (.jsonl), and what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
        held = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    except (OSError, ValueError) as error:
        return [], [f"{path.name}: does not read ({error})"]
    if not isinstance(held, list) or not all(isinstance(entry, dict) for entry in held):
        return [], [f"{path.name}: is no list of objects"]
    return held, [] if held else [f"{path.name}: names no clip, and the loader draws from it"]


def mask_problem(path: Path, size: tuple[int, int]) -> str:
    """What is wrong with a mask: "" where it decodes, in one channel of 8 bits, of this width and height, and of more
    than one value.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.load()
            if image.mode != "L":
                return f"is {image.mode}, not one channel of 8 bits"
            if image.size != size:
                return f"is {image.size[0]}x{image.size[1]}, not {size[0]}x{size[1]}"
            low, high = image.getextrema()
    except FileNotFoundError:
        return "is missing"
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        return f"does not decode ({error})"
    return f"is {low} everywhere, which masks all or nothing" if low == high else ""


def array_problem(path: Path, shape: Callable[[tuple[int, ...]], bool], want: str) -> str:
    """What is wrong with a .npy file of finite numbers; "" where nothing is."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        return f"does not read ({error})"
    if not shape(array.shape):
        return f"has the shape {array.shape}, not {want}"
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        return "holds what is no finite number"
    return ""
