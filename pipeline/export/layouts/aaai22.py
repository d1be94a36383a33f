"""FuxiVirtualHuman/AAAI22-one-shot-talking-face 48cd3c61: an image, sound and phonemes with their times.

    image/<clip>.png (256x256, the first frame), audio/<clip>.wav (16 kHz), phoneme/<clip>.json

Give the three files of a clip to `test_script.py`; it runs OpenFace on the image. No training code was released. A
phoneme file is a list of words, each with its `phones`: `ph` of the 41 the code knows, `bg` and `ed` in hundredths of a
second from the clip's beginning. Pictures are made up to the last `ed`, 25 a second.

Phonemes are asked for: `--with phones=DIR`, as <clip>.TextGrid with the tiers `words` and `phones`, as the Montreal
Forced Aligner writes them for English (ARPA) of an export's `audio`: wav files for it come from any layout that has
them, such as `pc_avs`.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from operators.base import Drop
from pipeline.export.checks import listed, picture_problem, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_lines, write_picture, write_text, write_wav
from pipeline.export.layout import Given, Layout, Note, Written

SIZE, HZ = 256, 16000
PHONES = frozenset(
    [
        "AA",
        "AE",
        "AH",
        "AO",
        "AW",
        "AY",
        "B",
        "CH",
        "D",
        "DH",
        "EH",
        "ER",
        "EY",
        "F",
        "G",
        "HH",
        "IH",
        "IY",
        "JH",
        "K",
        "L",
        "M",
        "N",
        "NG",
        "NSN",
        "OW",
        "OY",
        "P",
        "R",
        "S",
        "SH",
        "SIL",
        "T",
        "TH",
        "UH",
        "UW",
        "V",
        "W",
        "Y",
        "Z",
        "ZH",
    ],
)
_SILENT, _NOISE = {"", "SIL", "SP"}, {"SPN", "NSN"}
_INTERVAL = re.compile(r'xmin = ([\d.]+)\s+xmax = ([\d.]+)\s+text = "((?:[^"]|"")*)"')
_SPLITS = ("train", "val", "test")


class AAAI22(Layout):
    version = 1
    needs: ClassVar = {"phones": "<clip>.TextGrid files of a forced aligner, with the tiers words and phones (ARPA)"}

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `phones_missing`, `phones_differs`, `not_square`; those of the decoder.
        """
        path = given.file("phones", f"{clip.name}.TextGrid")
        try:
            words = timed(path.read_text())
        except ValueError as error:
            raise Drop("phones_differs", detail=f"{path.name}: {error}") from None
        if problem := _words_problem(words, clip.frames / clip.fps):
            raise Drop("phones_differs", detail=f"{path.name}: {problem}")
        samples = clip.samples(HZ)
        with whole_file(to / f"image/{clip.name}.png") as part:
            write_picture(part, next(clip.pictures(SIZE)))
        with whole_file(to / f"audio/{clip.name}.wav") as part:
            write_wav(part, samples, HZ)
        write_text(to / f"phoneme/{clip.name}.json", json.dumps(words, indent=1) + "\n")
        return {"name": clip.name, "frames": clip.frames, "words": len(words)}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split in _SPLITS:
            write_lines(to / f"{split}.txt", [clip.note["name"] for clip in written if clip.split == split])

    def validate(self, folder: Path) -> Iterator[str]:
        for split in _SPLITS:
            names, problems = listed(folder, f"{split}.txt")
            yield from problems
            for name in names:
                if problem := picture_problem(folder / f"image/{name}.png", (SIZE, SIZE)):
                    yield f"image/{name}.png: {problem}"
                sound = wav_facts(folder / f"audio/{name}.wav")
                if isinstance(sound, str):
                    yield f"audio/{name}.wav: {sound}"
                    continue
                try:
                    words = json.loads((folder / f"phoneme/{name}.json").read_text())
                except (OSError, ValueError) as error:
                    yield f"phoneme/{name}.json: does not read ({error})"
                    continue
                if problem := _words_problem(words, sound[1] / sound[0]):
                    yield f"phoneme/{name}.json: {problem}"


def timed(grid: str) -> list[dict[str, Any]]:
    """The words of a TextGrid in its long form, each with its phones; a pause is a word too.

    Raises:
        ValueError: where a tier is missing, or a phone is none of ARPA's.
    """
    tiers = {
        name: _INTERVAL.findall(body)
        for name, body in re.findall(r'name = "(\w+)"(.*?)(?=name = "|\Z)', grid, re.DOTALL)
    }
    if not tiers.get("words") or not tiers.get("phones"):
        raise ValueError("has no tiers `words` and `phones`")
    phones = [(float(start), float(end), _arpa(text)) for start, end, text in tiers["phones"]]
    words = []
    for start, end, text in tiers["words"]:
        ours = [phone for phone in phones if float(start) <= (phone[0] + phone[1]) / 2 < float(end)]
        made = [{"ph": ph, "bg": round(100 * bg), "ed": round(100 * ed)} for bg, ed, ph in ours]
        words.append(
            {
                "word": text,
                "phones": made or [{"ph": "SIL", "bg": round(100 * float(start)), "ed": round(100 * float(end))}],
            }
        )
    return words


def _arpa(text: str) -> str:
    name = text.strip().upper().rstrip("012")
    name = "SIL" if name in _SILENT else "NSN" if name in _NOISE else name
    if name not in PHONES:
        raise ValueError(f"{text!r} is none of the 41 phones")
    return name


def _words_problem(words: Any, seconds: float) -> str:
    if (
        not isinstance(words, list)
        or not words
        or not all(isinstance(word, dict) and word.get("phones") for word in words)
    ):
        return "is no list of words that have phones each"
    phones = [phone for word in words for phone in word["phones"]]
    if unknown := [phone.get("ph") for phone in phones if phone.get("ph") not in PHONES]:
        return f"{unknown[0]!r} is none of the 41 phones"
    last = 0
    for phone in phones:
        if not (
            isinstance(phone.get("bg"), int) and isinstance(phone.get("ed"), int) and last <= phone["bg"] <= phone["ed"]
        ):
            return f"{phone} does not follow the phone before it, which ends at {last}, in whole hundredths"
        last = phone["ed"]
    return "" if abs(last / 100 - seconds) <= 0.1 else f"ends at {last / 100:.2f} s, the clip at {seconds:.2f} s"
