"""Diffused Heads (MStypulkowski/diffused-heads 2838e57a): videos of 128x128, sound, landmarks, audio embeddings.

    data/video/<person>/<clip>.mp4, data/audio/<person>/<clip>.wav (16 kHz), data/lmks/<person>/<clip>.npy
    (frames, 68, 2; pixels)
    data/file_list_train.txt, data/file_list_test.txt    <person>/<clip>.mp4, and file_list_val.txt, which the loader
                                                         does not read
    audio_emb/<person>/<clip>.pth                        a tensor (frames, D)

`data_dir` is the folder data, which must not be called vox or avspeech, where the loader looks for other names;
`audio_emb_dir` is audio_emb. 25 frames a second. Landmarks by MediaPipe stand for those of the authors' detector; gaps
of up to 5 frames are filled.

The embeddings come from the authors' audio encoder: give them by `--with audio_emb=DIR`, as <person>/<clip>.pth. The
substitute is four rows of 13 MFCC a frame, D = 52.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import array_problem, listed, video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_lines, write_mp4, write_wav
from pipeline.export.layout import Given, Layout, Note, Written

SIZE, FPS, HZ = 128, 25, 16000
BRIDGED = 5
_SPLITS = ("train", "val", "test")


class DiffusedHeads(Layout):
    version = 2  # the points of the inner lips, the nose's base and the jaw lie nearer to iBUG's
    needs: ClassVar = {
        "audio_emb": (
            "<person>/<clip>.pth files of the authors' audio encoder, a tensor (frames, D) at 25 frames a second"
        )
    }
    substitutes: ClassVar = {"audio_emb": "13 MFCC, four rows a frame (frames, 52)"}

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for a single frame, since two are drawn; `no_face`, `not_square`,
                `audio_emb_missing`, `audio_emb_differs`; those of the decoder.
        """
        import torch

        frames = clip.count(FPS)
        if frames < 2:
            raise Drop("too_short", detail=f"{frames} frames, 2 are needed")
        name = f"{clip.person}/{clip.name}"
        found = clip.faces(FPS)
        faces, samples = found.bridged(BRIDGED), clip.samples(HZ)
        if "audio_emb" in given.substitutes:
            embedding = torch.from_numpy(embedded(samples, frames))
        else:
            embedding = _given_embedding(given.file("audio_emb", f"{name}.pth"), frames)
        with whole_file(to / f"audio_emb/{name}.pth") as part:
            torch.save(embedding, part)
        with whole_file(to / f"data/audio/{name}.wav") as part:
            write_wav(part, samples, HZ)
        with whole_file(to / f"data/lmks/{name}.npy") as part:
            np.save(part, faces.landmarks_68 * (SIZE / clip.width))
        with whole_file(to / f"data/video/{name}.mp4") as part:
            write_mp4(part, clip.pictures(SIZE, FPS), FPS)
        return {"name": name, "frames": frames, "bridged": int((~found.seen).sum())}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split in _SPLITS:
            write_lines(
                to / f"data/file_list_{split}.txt",
                [f"{clip.note['name']}.mp4" for clip in written if clip.split == split],
            )

    def validate(self, folder: Path) -> Iterator[str]:
        for split in ("train", "test"):
            lines, problems = listed(
                folder, f"data/file_list_{split}.txt", "names no clip, and the loader opens the first one"
            )
            yield from problems
            for line in lines:
                if not line.endswith(".mp4"):
                    yield (
                        f"data/file_list_{split}.txt: {line!r} does not end in .mp4, and the loader cuts that many"
                        " characters off"
                    )
                    continue
                yield from _clip_problems(folder, line.removesuffix(".mp4"))


def embedded(samples: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """(frames, 52): the four rows of MFCC that begin in a frame."""
    from operators.models.mfcc import mfcc

    cepstra = mfcc(np.pad(samples, (0, HZ // 10)))[: 4 * frames]
    return cepstra.reshape(frames, 52).astype(np.float32)


def _given_embedding(path: Path, frames: int):
    import pickle

    import torch

    try:
        tensor = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise Drop("audio_emb_differs", detail=f"{path.name} does not read: {error}") from None
    if not isinstance(tensor, torch.Tensor) or tensor.ndim != 2 or len(tensor) != frames:
        raise Drop(
            "audio_emb_differs", detail=f"{path.name}: {getattr(tensor, 'shape', type(tensor))} for {frames} frames"
        )
    return tensor


def _clip_problems(folder: Path, name: str) -> Iterator[str]:
    import pickle

    import torch

    facts = video_facts(folder / f"data/video/{name}.mp4")
    if isinstance(facts, str):
        yield f"data/video/{name}.mp4: {facts}"
        return
    frames = facts[0]
    if frames < 2:
        yield f"data/video/{name}.mp4: has {frames} frames, 2 are drawn"
    if problem := array_problem(folder / f"data/lmks/{name}.npy", lambda s: s == (frames, 68, 2), f"({frames}, 68, 2)"):
        yield f"data/lmks/{name}.npy: {problem}"
    sound = wav_facts(folder / f"data/audio/{name}.wav")
    if isinstance(sound, str):
        yield f"data/audio/{name}.wav: {sound}"
    try:
        embedding = torch.load(folder / f"audio_emb/{name}.pth", map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        yield f"audio_emb/{name}.pth: does not read ({type(error).__name__})"
        return
    if not isinstance(embedding, torch.Tensor) or embedding.ndim != 2 or len(embedding) < 2:
        yield f"audio_emb/{name}.pth: is no tensor (frames, D)"
    elif abs(len(embedding) - frames) > 1:
        yield f"audio_emb/{name}.pth: has {len(embedding)} rows for {frames} frames"
