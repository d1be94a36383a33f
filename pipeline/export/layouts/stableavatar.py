"""StableAvatar 1.3B and 14B (Francis-Rings/StableAvatar 46c04929): a folder a clip, pictures, masks of face and lips.

    talking_face_data/square/<category>/<5 digits>/sub_clip.mp4, audio.wav            512x512 at 25 frames a second; 16
    kHz .../images/frame_0.png, face_masks/frame_0.png, lip_masks/frame_0.png             numbers from 0, not padded;
    255 in the mask video_square_path.txt, video_square_path_{val,test}.txt                           the folders of
    clips, absolute, one a line

Give the list as `--train_data_square_dir`. The category is speech, or what the clip's annotation `activity` says:
singing or dancing. The loader looks for these words anywhere in a path, singing first, so a folder that holds one of
them gives its prompt to every clip.

Masks are drawn from MediaPipe's mesh: the oval of the face, and the outline of the lips, whose points are those of the
authors' own script. A mask that does not read is a mask of everything to the loader, without an error, and a clip of
fewer than 81 frames is stretched.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from operators.base import Drop
from pipeline.export.checks import listed, mask_problem, picture_problem, video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_folder, write_lines, write_mp4, write_picture, write_wav
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.masks import face_mask, lip_mask

SIZE, FPS, HZ = 512, 25, 16000
LEAST = 81  # frames of a sample
CATEGORIES = ("singing", "speech", "dancing")  # in the order in which the loader looks for them
_BRIDGED = 5
_LISTS = {"train": "video_square_path.txt", "val": "video_square_path_val.txt", "test": "video_square_path_test.txt"}


class StableAvatar(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than 81 frames; `no_category` for an activity that is none of the loader's;
                `not_square`; `no_face`; those of the decoder.
        """
        if (frames := clip.count(FPS)) < LEAST:
            raise Drop("too_short", detail=f"{frames} frames, {LEAST} are needed")
        category = clip.annotations.get("activity", "speech")
        if category not in CATEGORIES:
            raise Drop("no_category", detail=f"the annotation is {category!r}")
        points = clip.faces(FPS).bridged(_BRIDGED).points * (SIZE / clip.width)
        samples = clip.samples(HZ)
        name = f"talking_face_data/square/{category}/{clip.number:05d}"
        with whole_folder(to / name) as folder:
            for part in ("images", "face_masks", "lip_masks"):
                (folder / part).mkdir()
            for number, picture in enumerate(clip.pictures(SIZE, FPS)):
                write_picture(folder / f"images/frame_{number}.png", picture)
                write_picture(folder / f"face_masks/frame_{number}.png", face_mask(points[number], SIZE, SIZE))
                write_picture(folder / f"lip_masks/frame_{number}.png", lip_mask(points[number], SIZE, SIZE))
            write_wav(folder / "audio.wav", samples, HZ)
            write_mp4(folder / "sub_clip.mp4", clip.pictures(SIZE, FPS), FPS, samples, HZ)
        return {"name": name, "clip": clip.name, "frames": frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split, name in _LISTS.items():
            write_lines(to / name, [str((to / clip.note["name"]).resolve()) for clip in written if clip.split == split])

    def validate(self, folder: Path) -> Iterator[str]:
        for split, name in _LISTS.items():
            lines, problems = listed(
                folder, name, "names no clip, and the loader draws from it" if split == "train" else ""
            )
            yield from problems
            for line in lines:
                yield from (f"{line}: {problem}" for problem in _problems(Path(line)))


def _problems(clip: Path) -> Iterator[str]:
    read = next((word for word in CATEGORIES if word in str(clip)), "")
    if not read:
        yield f"its path holds none of {', '.join(CATEGORIES)}, and the loader divides by zero"
    elif read != clip.parent.name:
        yield (
            f"its path holds {read!r} before its category, {clip.parent.name!r}, and the loader takes that as the"
            " prompt"
        )
    facts = video_facts(clip / "sub_clip.mp4")
    if isinstance(facts, str):
        yield f"sub_clip.mp4 {facts}"
        return
    frames, width, height, fps = facts
    images = {path.name for path in (clip / "images").glob("*.*")}
    if images != {f"frame_{number}.png" for number in range(frames)}:
        yield f"has {len(images)} images, not frame_0.png to frame_{frames - 1}.png as its mp4 has frames"
    if frames < LEAST:
        yield f"has {frames} frames, and fewer than {LEAST} are stretched"
    for name in sorted(images):
        if problem := picture_problem(clip / "images" / name, (width, height)):
            yield f"images/{name} {problem}"
        for kind in ("face_masks", "lip_masks"):
            if problem := mask_problem(clip / kind / name, (width, height)):
                yield f"{kind}/{name} {problem}; the loader takes what it cannot read for a mask of everything"
    sound = wav_facts(clip / "audio.wav")
    if isinstance(sound, str):
        yield f"audio.wav {sound}"
    elif fps and sound[1] / sound[0] < frames / fps - 0.5 / sound[0]:
        yield f"audio.wav takes {sound[1] / sound[0]:.3f} s, the pictures {frames / fps:.3f} s"
