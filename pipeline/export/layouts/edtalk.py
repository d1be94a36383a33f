"""EDTalk's training of motion (tanshuai0219/EDTalk 06a9a968): an lmdb of JPEG frames of 256x256, and lists.

    EDTalk_lmdb/                                      <clip>#<n>-length, <clip>#<n>-0000012 (JPEG), length
    lists/MEAD_HDTF_train.json, MEAD_HDTF_test.json   <clip>#<n>, and MEAD_HDTF_val.json, which the loader does not read

The lmdb is `path` of the options; put `lists` where training starts. Pieces have up to 125 frames at 25 a second, the 5
s of the authors' HDTF; all pieces of a clip are one person to the loader, which draws two frames of them. Its names of
four parts, `<person>#<emotion>#<take>#<n>`, are MEAD's, and want a neutral take of each person, so none is written. The
stage of sound reads features of the trained model's own, which its scripts make of such an export.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path

from operators.base import Drop
from pipeline.export.clip import ExportClip
from pipeline.export.files import write_text
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.pirender import SIZE, jpeg, key, opened, put

FPS = 25
LONGEST, LEAST = 125, 2  # frames of a piece; two are drawn
_STORE = "EDTalk_lmdb"
_LISTS = {split: f"lists/MEAD_HDTF_{split}.json" for split in ("train", "val", "test")}
_PARTS = (2, 4)  # of a name, parted by #


class EDTalk(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for a single frame; `not_square`; those of the decoder.
        """
        if (frames := clip.count(FPS)) < LEAST:
            raise Drop("too_short", detail=f"{frames} frames, {LEAST} are needed")
        names, pictures, values = [], clip.pictures(SIZE, FPS), {}
        for n, (first, end) in enumerate(clip.parts(LONGEST, frames)):
            name = f"{clip.name}#{n}"
            names.append(name)
            values[key(name, "length")] = f"{end - first:07d}".encode()
            for number, picture in enumerate(islice(pictures, end - first)):
                values[key(name, number)] = jpeg(picture)
        put(to / _STORE, values)
        return {"names": names, "frames": frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        names = {split: [n for clip in written if clip.split == split for n in clip.note["names"]] for split in _LISTS}
        put(to / _STORE, {key("length"): f"{sum(map(len, names.values())):07d}".encode()})
        for split, name in _LISTS.items():
            write_text(to / name, json.dumps(names[split], indent=1) + "\n")

    def validate(self, folder: Path) -> Iterator[str]:
        with opened(folder / _STORE) as stored:
            if stored is None:
                yield f"{_STORE}: is no lmdb"
                return
            for split in ("train", "test"):
                try:
                    names = json.loads((folder / _LISTS[split]).read_text())
                except (OSError, ValueError) as error:
                    yield f"{_LISTS[split]}: does not read ({error})"
                    continue
                if not names:
                    yield f"{_LISTS[split]}: names no video, and the loader draws from it"
                for name, count in Counter(names).items():
                    if count > 1:
                        yield f"{_LISTS[split]}: {name} is listed {count} times"
                    yield from (f"{name}: {problem}" for problem in _problems(stored, name, set(names)))


def _problems(stored, name: str, names: set[str]) -> Iterator[str]:
    from PIL import Image, UnidentifiedImageError

    parts = name.split("#")
    if len(parts) not in _PARTS:
        yield "is not of two parts, or four, parted by #"
    if len(parts) == 4 and not any(other.startswith(f"{parts[0]}#neutral#") for other in names):
        yield f"is of MEAD's form, and {parts[0]} has no neutral take, which the source is drawn from"
    length = stored(key(name, "length"))
    if length is None or not length.isdigit() or int(length) < LEAST:
        yield f"has no length, or one below {LEAST}"
        return
    for number in range(int(length)):
        try:
            with Image.open(BytesIO(stored(key(name, number)) or b"")) as picture:
                picture.load()
                if picture.mode != "RGB" or picture.size != (SIZE, SIZE):
                    yield f"frame {number} is {picture.mode} of {picture.size}, not RGB of {SIZE}x{SIZE}"
        except (UnidentifiedImageError, OSError) as error:
            yield f"frame {number} does not decode ({type(error).__name__})"
