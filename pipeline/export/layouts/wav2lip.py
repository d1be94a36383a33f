"""Wav2Lip, its SyncNet and discriminator (Rudrabha/Wav2Lip 5c90fa9b): the face cut out of each frame, audio.wav.

    preprocessed/<source>/<clip>/<frame number>.jpg   the box of the face, at 25 frames a second
    preprocessed/<source>/<clip>/audio.wav            16 kHz
    filelists/{train,val,test}.txt                    <source>/<clip>

Start the trainers with `--data_root preprocessed` in a checkout whose `filelists` are these. The number of a frame is
its time: a frame without a face leaves a hole. Where no clip is for validation, `val.txt` lists those for the test,
since training evaluates on it. txt2vid, SyncTalkFace and VideoReTalking train on the same files.

The box is that of MediaPipe's mesh, hairline to chin; the authors' comes from S3FD, which reaches about as far.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from operators.base import Drop
from pipeline.export.checks import listed, picture_problem, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_folder, write_lines, write_picture, write_wav
from pipeline.export.layout import Given, Layout, Note, Written

FPS, HZ = 25, 16000
_LEAST = 16  # pictures: the loader skips a video of 15, for ever where there is no other
_WINDOW = 5  # pictures in a row that make one sample
_MEL_HZ, _MEL_HOP, _MEL_WINDOW = 80, 200, 16  # spectra a second, samples apart, in one sample
_BATCH = 16  # of the training; SyncNet's is a multiple
_SPLITS = ("train", "val", "test")


class Wav2Lip(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short`, `no_window`, and those of the decoder.
        """
        faces = clip.faces(FPS)
        samples = clip.samples(HZ)
        seen = set(np.flatnonzero(faces.seen).tolist())
        name = f"{clip.video}/{clip.name}"
        if problem := _problem(seen, len(samples)):
            raise Drop(*problem[:1], detail=problem[1])
        with whole_folder(to / "preprocessed" / name) as folder:
            for number, frame in enumerate(clip.shown(FPS)):
                if number not in seen:
                    continue
                left, top = np.floor(faces.points[number].min(axis=0)).clip(0).astype(int).tolist()
                right, bottom = (
                    np.ceil(faces.points[number].max(axis=0)).clip(0, (clip.width, clip.height)).astype(int).tolist()
                )
                write_picture(
                    folder / f"{number}.jpg", frame.crop(left, top, right, bottom, (right - left, bottom - top))
                )
            write_wav(folder / "audio.wav", samples, HZ)
        return {"name": name, "frames": len(seen), "holes": clip.count(FPS) - len(seen)}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        names = {split: [clip.note["name"] for clip in written if clip.split == split] for split in _SPLITS}
        names["val"] = names["val"] or names["test"]
        for split, lines in names.items():
            # A batch of one cannot be normalized. The loader draws from the list anyway, so a second mention adds a
            # draw and nothing else.
            write_lines(to / "filelists" / f"{split}.txt", lines + lines[: len(lines) % _BATCH == 1])

    def validate(self, folder: Path) -> Iterator[str]:
        for split in _SPLITS:
            lines, problems = listed(folder, f"filelists/{split}.txt")
            yield from (problem for problem in problems if not problem.endswith("listed 2 times"))
            if split != "test" and not lines:
                yield f"filelists/{split}.txt: names no clip, and the loader draws from it"
            if len(lines) % _BATCH == 1:
                yield (
                    f"filelists/{split}.txt: {len(lines)} clips leave a batch of one, which batch normalization refuses"
                )
            for line in sorted(set(lines)):
                if " " in line:
                    yield f"filelists/{split}.txt: {line!r} holds a blank, and the loader reads up to it"
                yield from _clip_problems(folder / "preprocessed" / line, line)


def _clip_problems(clip: Path, line: str) -> Iterator[str]:
    if not clip.is_dir():
        yield f"preprocessed/{line}: there is no such folder"
        return
    numbers = set()
    for picture in clip.glob("*.jpg"):
        if not picture.stem.isdigit() or picture.stem != str(int(picture.stem)):
            yield f"preprocessed/{line}/{picture.name}: the name is no frame number, as the loader writes it"
            continue
        numbers.add(int(picture.stem))
        if problem := picture_problem(picture):
            yield f"preprocessed/{line}/{picture.name}: {problem}"
    facts = wav_facts(clip / "audio.wav")
    if isinstance(facts, str):
        yield f"preprocessed/{line}/audio.wav: {facts}"
        return
    hz, samples = facts
    if hz != HZ:
        yield f"preprocessed/{line}/audio.wav: is at {hz} Hz, not {HZ}"
    elif problem := _problem(numbers, samples):
        yield f"preprocessed/{line}: {problem[0]}, {problem[1]}"
    elif numbers and max(numbers) >= samples / HZ * FPS + 1:
        yield f"preprocessed/{line}: frame {max(numbers)} is beyond the {samples / HZ:.2f} s of sound"


def _problem(numbers: set[int], samples: int) -> tuple[str, str] | None:
    """Why the loader would draw for ever, and the numbers: None where it finds a window to learn from and another one
    to show beside it.
    """
    if len(numbers) < _LEAST:
        return "too_short", f"{len(numbers)} frames with a face, {_LEAST} are needed"
    starts = [number for number in numbers if all(number + n in numbers for n in range(_WINDOW))]
    spectra = 1 + samples // _MEL_HOP
    heard = [n for n in starts if n >= 1 and int(_MEL_HZ * (n + _WINDOW - 2) / FPS) + _MEL_WINDOW <= spectra]
    if len(starts) < 2 or not heard:
        return "no_window", f"{len(starts)} windows of {_WINDOW} frames in a row, {len(heard)} with sound"
    return None
