"""ViCo (dc3ea9f/vico_challenge_baseline 16424c07): a speaker's and a listener's video, the sound, lists of pairs.

    videos/<uuid>.speaker.mp4, videos/<uuid>.listener.mp4     256x256 at 30 frames a second, without sound
    audios/<uuid>.wav                                         the speaker's, 44.1 kHz
    train.csv, val.csv, test.csv                              video_id, uuid, speaker_id, listener_id
    unpaired.csv                                              clip, uuid, reason: of what is written and in no list

This is the form in which the challenge's data came: the folder is `data/listening_head`, and the README's steps 3 to 8
make the features that the loader reads (Deep3DFaceReconstruction, MFCC) and take `train.csv` as `metadata/data.csv`.
The model takes 45 numbers of sound a frame, and the authors' script gives as many at 44.1 kHz, fewer at 16 kHz.

Who speaks to whom is not guessed. It comes from two annotations of a clip: `role`, which is speaker or listener, and
`partner`, the id of the other one's clip. Both must name each other, be in one split, and begin at one time where they
are of one source; the listener's clip must not be the shorter one, whose frames are read by the speaker's numbers.
"""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from operators.base import Drop
from pipeline.export.checks import listed, video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_mp4, write_text, write_wav
from pipeline.export.layout import Given, Layout, Note, Written

SIZE, FPS, HZ = 256, 30, 44100
COLUMNS = ("video_id", "uuid", "speaker_id", "listener_id")
_ROLES = ("speaker", "listener")
_SPLITS = ("train", "val", "test")
_HEARD = range(
    1024, 1536
)  # samples a frame of which the authors' script makes 45 numbers: 39 of MFCC, 3 of loudness and 3 of zero crossings


class ViCo(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `no_role`, `no_partner`; `too_short` for a single frame, since the first one is given and the rest
                predicted; `not_square`; those of the decoder.
        """
        role, partner = (clip.annotations.get(name, "") for name in ("role", "partner"))
        if role not in _ROLES:
            raise Drop("no_role", detail=f"the annotation role is {role!r}, not speaker or listener")
        if partner in ("", clip.clip_id):
            raise Drop(
                "no_partner", detail=f"the annotation partner is {partner!r}, not the id of the other one's clip"
            )
        frames = clip.count(FPS)
        if frames < 2:
            raise Drop("too_short", detail=f"{frames} frames, 2 are needed")
        uuid = _uuid(clip.clip_id, partner) if role == "speaker" else _uuid(partner, clip.clip_id)
        if role == "speaker":
            samples = clip.samples(HZ)
            with whole_file(to / f"audios/{uuid}.wav") as part:
                write_wav(part, samples, HZ)
        with whole_file(to / f"videos/{uuid}.{role}.mp4") as part:
            write_mp4(part, clip.pictures(SIZE, FPS), FPS)
        return {"uuid": uuid, "role": role, "frames": frames, "video": clip.video, "start_s": clip.start_s}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        pairs: dict[str, dict[str, Written]] = defaultdict(dict)
        for clip in written:
            pairs[clip.note["uuid"]][clip.note["role"]] = clip
        rows: dict[str, list[Sequence[str]]] = {split: [] for split in _SPLITS}
        alone: list[Sequence[str]] = []
        for uuid, pair in sorted(pairs.items()):
            if reason := _unpaired(pair):
                alone += [(clip.clip_id, uuid, reason) for clip in pair.values()]
                continue
            speaker, listener = (pair[role] for role in _ROLES)
            rows[speaker.split].append((speaker.note["video"], uuid, speaker.person, listener.person))
        for split, lines in rows.items():
            _write_csv(to / f"{split}.csv", COLUMNS, lines)
        _write_csv(to / "unpaired.csv", ("clip", "uuid", "reason"), alone)

    def validate(self, folder: Path) -> Iterator[str]:
        found: set[str] = set()
        for split in _SPLITS:
            lines, problems = listed(folder, f"{split}.csv")
            yield from problems
            if lines and set(COLUMNS) - set(lines[0].split(",")):
                yield f"{split}.csv: has the columns {lines[0]}, not {','.join(COLUMNS)}"
                continue
            for row in csv.DictReader(lines):
                uuid = row["uuid"] or ""
                if uuid in found:
                    yield f"{split}.csv: {uuid} comes again"
                if not uuid or uuid.isdigit():
                    yield (
                        f"{split}.csv: the uuid {uuid!r} is nothing to pandas, or a number, and the file's name is lost"
                    )
                found.add(uuid)
                yield from _pair_problems(folder, uuid)
        if not found:
            yield (
                "train.csv, val.csv, test.csv: name no pair; who speaks to whom comes from the annotations role and"
                " partner, see unpaired.csv"
            )


def _uuid(speaker: str, listener: str) -> str:
    """A letter and eleven hexadecimal digits: of digits alone, pandas would make a number."""
    return "v" + hashlib.sha256(f"{speaker} {listener}".encode()).hexdigest()[:11]


def _unpaired(pair: dict[str, Written]) -> str:
    if len(pair) < len(_ROLES):
        return "partner_missing"
    speaker, listener = (pair[role] for role in _ROLES)
    if speaker.split != listener.split:
        return "splits_differ"
    if (
        speaker.note["video"] == listener.note["video"]
        and abs(speaker.note["start_s"] - listener.note["start_s"]) > 0.5 / FPS
    ):
        return "not_together"
    return "listener_shorter" if listener.note["frames"] < speaker.note["frames"] else ""


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows([columns, *rows])
    write_text(path, stream.getvalue())


def _pair_problems(folder: Path, uuid: str) -> Iterator[str]:
    frames = []
    for role in _ROLES:
        facts = video_facts(folder / f"videos/{uuid}.{role}.mp4")
        if isinstance(facts, str):
            yield f"videos/{uuid}.{role}.mp4: {facts}"
            continue
        frames.append(facts[0])
        if facts[0] < 2 or facts[3] != FPS:
            yield f"videos/{uuid}.{role}.mp4: has {facts[0]} frames at {facts[3]:g} a second, not 2 or more at {FPS}"
    if len(frames) == 2 and frames[1] < frames[0]:
        yield (
            f"videos/{uuid}.listener.mp4: has {frames[1]} frames, and the loader reads {frames[0]}, as many as the"
            " speaker's"
        )
    sound = wav_facts(folder / f"audios/{uuid}.wav")
    if isinstance(sound, str):
        yield f"audios/{uuid}.wav: {sound}"
    elif sound[0] // FPS not in _HEARD:
        yield (
            f"audios/{uuid}.wav: is at {sound[0]} Hz, which does not give the 45 numbers a frame that the model takes;"
            f" {HZ} does"
        )
    elif frames and sound[1] < (frames[0] - 1) * sound[0] // FPS:
        yield f"audios/{uuid}.wav: ends before the speaker's video, and the rest would be silence"
