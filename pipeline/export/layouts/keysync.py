"""KeySync, both models (antonibigata/keysync cfff7cf1): parallel folders of video, sound, points and features.

    video_crop/<clip>.mp4                                   512x512 at 25 frames a second
    audio/<clip>.wav                                        16 kHz
    landmarks_crop/<clip>.npy                               (frames, 68, 2) pixels of the video
    video_crop_emb/<clip>_video_512_latent.safetensors      latents (frames, 4, 64, 64)
    audio_emb/<clip>_hubert_emb.safetensors                 audio (frames, ...)
    filelist.txt, filelist_{val,test}.txt                   absolute paths of videos, one a line

The folders are those of `train_keyframe.sh` and `train_interpolation.sh`. Latents and features come from the authors'
scripts, over such an export or any other; give them by `--with latents=DIR` and `--with audio_emb=DIR`, named as here.
Points are of MediaPipe's mesh.

The loader makes each path out of the video's, by replacing folder names wherever they are in it and cutting it at the
first dot. A clip that fails is replaced by another one, by a call within the call, so a list of short clips ends in a
RecursionError. Key frames are 13 apart, so a clip holds 171 frames at least.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from operators.base import Drop
from pipeline.export.checks import array_problem, listed, video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_lines, write_mp4, write_wav
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.tensors import safetensors_shape

SIZE, FPS, HZ = 512, 25, 16000
LEAST = 171  # 14 key frames, 12 between two of them, and one to choose a start by
_LATENT = (4, 64, 64)
_BRIDGED = 5
_VIDEO = "video_crop"
_FEATURES = {  # by need: folder, end of the name, key
    "latents": ("video_crop_emb", "_video_512_latent.safetensors", "latents"),
    "audio_emb": ("audio_emb", "_hubert_emb.safetensors", "audio"),
}
_AT_60_FPS = ("AA_processed", "1000actors_nsv")  # the loader takes paths with these words for other data
_LISTS = {"train": "filelist.txt", "val": "filelist_val.txt", "test": "filelist_test.txt"}


class KeySync(Layout):
    version = 1
    needs: ClassVar = {
        "latents": "<clip>_video_512_latent.safetensors files of the authors' VAE script, latents (frames, 4, 64, 64)",
        "audio_emb": "<clip>_hubert_emb.safetensors files of the authors' script, audio (frames, ...)",
    }

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than 171 frames; `<need>_missing`, `<need>_differs`; `not_square`; `no_face`,
                `no_face`; those of the decoder.
        """
        if (frames := clip.count(FPS)) < LEAST:
            raise Drop("too_short", detail=f"{frames} frames, {LEAST} are needed")
        files = {need: given.file(need, f"{clip.name}{end}") for need, (_, end, _) in _FEATURES.items()}
        for need, file in files.items():
            if problem := _feature_problem(need, file, frames):
                raise Drop(f"{need}_differs", detail=f"{file.name} {problem}")
        points = clip.faces(FPS).bridged(_BRIDGED).landmarks_68 * (SIZE / clip.width)
        for need, file in files.items():
            with whole_file(to / _FEATURES[need][0] / file.name) as part:
                shutil.copyfile(file, part)
        with whole_file(to / f"landmarks_crop/{clip.name}.npy") as part:
            np.save(part, points)
        with whole_file(to / f"audio/{clip.name}.wav") as part:
            write_wav(part, clip.samples(HZ), HZ)
        with whole_file(to / f"{_VIDEO}/{clip.name}.mp4") as part:
            write_mp4(part, clip.pictures(SIZE, FPS), FPS)
        return {"name": clip.name, "frames": frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split, name in _LISTS.items():
            paths = [(to / f"{_VIDEO}/{clip.note['name']}.mp4").resolve() for clip in written if clip.split == split]
            write_lines(to / name, map(str, paths))

    def validate(self, folder: Path) -> Iterator[str]:
        for split, name in _LISTS.items():
            lines, problems = listed(
                folder, name, "names no video, and the loader opens its first" if split == "train" else ""
            )
            yield from problems
            for line in lines:
                yield from (f"{line}: {problem}" for problem in [*_path_problems(line), *_problems(line)])


def beside(video: str, folder: str, end: str) -> str:
    """Where the loader looks for what belongs to a video: folder names are replaced wherever they are."""
    if folder == "video_crop_emb":
        return video.replace(".mp4", end).replace(_VIDEO, folder)
    if folder == "audio_emb":
        return video.replace(_VIDEO, "audio").replace(".mp4", ".wav").replace("audio", folder).split(".")[0] + end
    return video.replace(_VIDEO, folder).replace(".mp4", end)


def _path_problems(video: str) -> Iterator[str]:
    if video.count(_VIDEO) > 1:
        yield f"its path holds {_VIDEO!r} {video.count(_VIDEO)} times, and the loader replaces each"
    if "audio" in video:
        yield "its path holds 'audio', which the loader replaces by 'audio_emb'"
    if "." in video.removesuffix(".mp4"):
        yield "its path holds a dot, at which the loader cuts it"
    if word := next((word for word in _AT_60_FPS if word in video), ""):
        yield f"its path holds {word!r}, and the loader takes it for video of 60 frames a second"


def _problems(video: str) -> Iterator[str]:
    facts = video_facts(Path(video))
    if isinstance(facts, str):
        yield facts
        return
    frames, width, height, fps = facts
    if (width, height, fps) != (SIZE, SIZE, FPS):
        yield f"is {width}x{height} at {fps:g} frames a second, not {SIZE}x{SIZE} at {FPS}"
    if frames < LEAST:
        yield f"has {frames} frames, {LEAST} are needed"
    marks = Path(beside(video, "landmarks_crop", ".npy"))
    if problem := array_problem(marks, lambda shape: shape == (frames, 68, 2), f"({frames}, 68, 2)"):
        yield f"its points, {marks.name}, {problem}"
    sound = wav_facts(Path(beside(video, "audio", ".wav")))
    if isinstance(sound, str):
        yield f"its wav {sound}"
    elif sound[0] != HZ or sound[1] < frames * HZ // FPS:
        yield f"its wav takes {sound[1] / sound[0]:.3f} s at {sound[0]} Hz, the pictures {frames / FPS:.3f} s"
    for need, (folder, end, _) in _FEATURES.items():
        if problem := _feature_problem(need, Path(beside(video, folder, end)), frames):
            yield f"its {need} {problem}"


def _feature_problem(need: str, path: Path, frames: int) -> str:
    shape = safetensors_shape(path, _FEATURES[need][2])
    if isinstance(shape, str):
        return shape
    fits = shape == (frames, *_LATENT) if need == "latents" else len(shape) >= 2 and shape[0] == frames
    wanted = f"({frames}, 4, 64, 64)" if need == "latents" else f"({frames}, ...)"
    return "" if fits else f"has the shape {shape}, not {wanted}"
