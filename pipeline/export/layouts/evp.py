"""EVP, its training of emotions (jixinya/EVP 990ea8b0): windows of MFCC, the emotion in the name, a folder a person.

    <person>/MFCC/<emotion>_<n>/<i>.npy          28 rows of 13 MFCC, 100 a second, a window each 4 rows; 0.12 s of
                                                 silence before and behind
    <person>/train_M030.pkl, val_M030.pkl        lists of <emotion>_<n>/<i>.npy

Take one person's folder: `dataset_dir` is its MFCC, and the two lists, called so by the code whoever it is, lie above
the working folder. The windows are pickles in spite of their suffix: the authors' script saves by NumPy what their
loader unpickles. They name NumPy's modules as before its version 2, so that old ones read them. Clips for validation,
else those for the test, are in the second list.

Emotions come from the annotation `emotion` of a clip: angry, contempt, disgusted, fear, happy, neutral, sad, surprised.
The later stages read 106 landmarks reduced to the authors' own components, which are not written.
"""

import io
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, whole_folder
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.headpose import float_mfcc

HZ, SILENCE = 16000, 1920
ROWS, STEP = 28, 4  # of a window, and between two
EMOTIONS = ("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")
_ALSO = {"anger": "angry", "disgust": "disgusted", "happiness": "happy", "sadness": "sad", "surprise": "surprised"}
# What a pickled array or list is made of, in old and new versions of NumPy; nothing else is ever made.
_PLAIN = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class EVP(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `no_emotion`, and those of the decoder.
        """
        told = clip.annotations.get("emotion", "")
        emotion = _ALSO.get(told, told)
        if emotion not in EMOTIONS:
            raise Drop("no_emotion", detail=f"the annotation is {told!r}")
        cepstra = float_mfcc(np.pad(clip.samples(HZ), SILENCE))
        name = f"{emotion}_{clip.number}"
        count = (len(cepstra) - ROWS) // STEP + 1
        with whole_folder(to / clip.person / "MFCC" / name) as folder:
            for number in range(count):
                (folder / f"{number}.npy").write_bytes(old_pickle(cepstra[STEP * number :][:ROWS]))
        return {"name": name, "windows": count, "frames": clip.frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for person in {clip.person for clip in written}:
            ours = [clip for clip in written if clip.person == person]
            held = [clip for clip in ours if clip.split == "val"] or [clip for clip in ours if clip.split == "test"]
            for name, clips in (("train", [clip for clip in ours if clip.split == "train"]), ("val", held)):
                windows = [
                    f"{clip.note['name']}/{number}.npy" for clip in clips for number in range(clip.note["windows"])
                ]
                with whole_file(to / person / f"{name}_M030.pkl") as part:
                    part.write_bytes(old_pickle(windows))

    def validate(self, folder: Path) -> Iterator[str]:
        people = sorted(path for path in folder.iterdir() if path.is_dir())
        for person in people:
            for name in ("train_M030.pkl", "val_M030.pkl"):
                try:
                    windows = unpickled((person / name).read_bytes())
                except (OSError, ValueError) as error:
                    yield f"{person.name}/{name}: does not read ({error})"
                    continue
                for window in windows:
                    if window.split("_")[0] not in EMOTIONS:
                        yield f"{person.name}/{name}: {window} begins with no emotion the loader knows"
                    if problem := _window_problem(person / "MFCC" / window):
                        yield f"{person.name}/MFCC/{window}: {problem}"
        if not people:
            yield "there is no folder of a person"


def old_pickle(value: Any) -> bytes:
    """A pickle that Python 2 and 3 read, with NumPy of before and after version 2."""
    return pickle.dumps(value, protocol=2).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def unpickled(content: bytes) -> Any:
    """What a pickle of lists, texts, numbers and arrays holds.

    Raises:
        ValueError: for any other, and for what is none.
    """
    try:
        return _Plain(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, ImportError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


class _Plain(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in _PLAIN:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} is no plain data")
        return super().find_class(module_name, global_name)


def _window_problem(path: Path) -> str:
    try:
        window: NDArray[np.float64] = unpickled(path.read_bytes())
    except (OSError, ValueError) as error:
        return f"does not unpickle ({error})"
    if not isinstance(window, np.ndarray) or window.shape != (ROWS, 13):
        return f"is no array of ({ROWS}, 13)"
    return "" if np.isfinite(window).all() else "holds what is no finite number"
