"""MEAD (Wang et al., ECCV 2020): a user's own copy, checked file by file, and the published lists of frames.

MEAD is given out under its own terms. The folder holds `<M|W>ddd/video/<view>/<emotion>/level_<n>/<3 digits>.mp4` and
`<M|W>ddd/audio/<emotion>/level_<n>/<3 digits>.m4a` of a copy, or the lists `video_list.txt`, `video_list_test.txt` and
`audio_demo.txt` of uniBruce/Mead, or both. The lists name frames of cuts that were never given out and that no released
file can be told to be, so each cut in them is a drop with its count of rows.

Emotions are kept as words: two orders of numbers circulate (the README's, and the alphabet in EVP), which differ for
five of eight.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from manifests.errors import UsageError
from operators.base import Drop
from pipeline.importing import Held, Imported, Rows, Trap, existing, lines, own_copy

TERMS = (
    "MEAD: lists MIT; the recordings are for research without commerce, given out under terms of their own. "
    "Only your own copy is checked and listed; nothing is downloaded."
)
README_ORDER = ("angry", "disgusted", "contempt", "fear", "happy", "sad", "surprised", "neutral")
EVP_ORDER = ("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")
VIEWS = ("front", "down", "top", "left_30", "left_60", "right_30", "right_60")
LISTS = {"video_list.txt": 6, "video_list_test.txt": 4, "audio_demo.txt": 2}  # fields of a row
LAST_FOR_TEST = {"neutral": 10}  # sentences of an actor, view, emotion and level; 6 of the others
SIZE, FPS = (1920, 1080), 30
CUT = re.compile(r"(?:([MW]\d{3})/)?([MW]\d{3})_(\d\d)_(\d)_output_(\d\d)/(\d+)\.(?:jpg|pickle)")


def read(folder: Path) -> Iterator[Imported]:
    """The clips of the copy sorted by path, then the cuts of the lists in their order.

    Drops: `unknown_emotion`, `unknown_view`, those of a file that is no video, `cut_not_given_out` (of the lists; the
    detail has the rows), `malformed_row`. Traps: `not_1080p`, `not_30_fps`, `views_missing`, `audio_missing`,
    `neutral_with_level`, `level_unknown`; in the details of the lists' drops: `numbers_of_readme`, `numbers_of_evp`,
    `numbers_of_neither`, `level_differs`.

    Raises:
        UsageError: where there is neither a copy nor a list.
    """
    videos = sorted(existing(folder).glob("[MW][0-9][0-9][0-9]/video/*/*/level_*/*.mp4"))
    lists = [name for name in LISTS if (folder / name).is_file()]
    if not videos and not lists:
        raise UsageError(
            f"{folder} holds neither M003/video/front/... of a copy of MEAD nor one of {', '.join(LISTS)}. {TERMS}"
        )
    rows = Rows("mead")
    views: dict[str, set[str]] = defaultdict(set)
    sentences: dict[Path, list[str]] = defaultdict(list)
    for video in videos:
        views[video.parts[-6]].add(video.parts[-4])
        sentences[video.parent].append(video.stem)
    for video in videos:
        yield from _clip(rows, folder, video, views[video.parts[-6]], sentences[video.parent])
    for name in lists:
        yield from _cuts(rows, folder / name, LISTS[name])


def _clip(rows: Rows, folder: Path, video: Path, views: set[str], sentences: list[str]) -> Iterator[Imported]:
    actor, _, view, emotion, level, _ = video.parts[-6:]
    name = "/".join((actor, view, emotion, level, video.stem))
    if emotion not in README_ORDER:
        yield rows.drop(name, "unknown_emotion", emotion)
        return
    if view not in VIEWS:
        yield rows.drop(name, "unknown_view", view)
        return
    try:
        held = Held.by(video)
    except Drop as drop:
        yield rows.drop(name, drop.reason, drop.detail)
        return
    traps: list[Trap] = []
    if (held.width, held.height) != SIZE:
        traps.append(("not_1080p", f"{held.width} x {held.height}"))
    if abs(held.fps - FPS) > 0.05:
        traps.append(("not_30_fps", f"{held.fps:.3f}"))
    if missing := [view for view in VIEWS if view not in views]:
        traps.append(("views_missing", f"{actor} has no {', '.join(missing)}"))
    if not (folder / actor / "audio" / emotion / level / f"{video.stem}.m4a").is_file():
        traps.append(("audio_missing", f"{actor}/audio/{emotion}/{level}/{video.stem}.m4a"))
    if emotion == "neutral" and level != "level_1":
        traps.append(("neutral_with_level", level))
    if not re.fullmatch(r"level_[123]", level):
        traps.append(("level_unknown", level))
    is_test = video.stem in sentences[-LAST_FOR_TEST.get(emotion, 6) :]
    notes = [("emotion", emotion), ("level", level.removeprefix("level_")), ("view", view), ("sentence", video.stem)]
    yield from rows.clip(
        own_copy(video),
        name,
        frames=(0, held.frames),
        identity=actor,
        split="test" if is_test else "train",
        traps=traps,
        notes=notes,
    )


@dataclass
class _Cut:
    rows: int = 0
    labels: set[tuple[str, str]] = field(default_factory=set)  # emotion and intensity, as numbers
    level: str = ""
    part: int = 0
    odd: dict[str, str] = field(default_factory=dict)


# Of the recordings of an actor, the numbers of an emotion's: seen in the published list, where all 545 cuts keep to
# them.
PARTS = {
    "angry": (1, 8),
    "disgusted": (9, 16),
    "contempt": (17, 24),
    "fear": (25, 33),
    "happy": (34, 43),
    "sad": (44, 52),
    "surprised": (53, 61),
}


def _cuts(rows: Rows, path: Path, width: int) -> Iterator[Imported]:
    """The cuts of a list. A row of one names a frame, its emotion and its intensity, and in the training list the
    neutral frame to reach.
    """
    cuts: dict[str, _Cut] = {}
    for number, (text, traps) in enumerate(lines(path), 1):
        fields = text.split()
        found = CUT.fullmatch(fields[0])
        if not found or len(fields) != width:
            yield rows.drop(f"{path.name}-line-{number}", "malformed_row", text, traps=traps)
            continue
        cut = cuts.setdefault(fields[0].rpartition("/")[0].rpartition("/")[2], _Cut())
        cut.rows += 1
        cut.level, cut.part = found[4], int(found[3])
        cut.odd |= dict(traps)
        if width > 2:
            cut.labels.add((fields[1], fields[2]))
    for name, cut in cuts.items():
        told = ", ".join(f"emotion {emotion} intensity {intensity}" for emotion, intensity in sorted(cut.labels))
        detail = ", ".join(filter(None, [f"{cut.rows} rows of {path.name}", told]))
        yield rows.drop(name, "cut_not_given_out", detail, traps=[*cut.odd.items(), *_of_labels(cut)])


def _of_labels(cut: _Cut) -> list[Trap]:
    meant = next((emotion for emotion, (first, last) in PARTS.items() if first <= cut.part <= last), "neutral")
    traps: Counter[Trap] = Counter()
    for emotion, intensity in cut.labels:
        number = int(emotion) if emotion.isdigit() and int(emotion) < len(README_ORDER) else -1
        orders = [
            name
            for name, order in (("readme", README_ORDER), ("evp", EVP_ORDER))
            if number >= 0 and order[number] == meant
        ]
        traps[
            "_or_".join(["numbers_of", *orders]).replace("of_or_", "of_") if orders else "numbers_of_neither",
            f"{meant} is {emotion}",
        ] += 1
        if intensity != str(int(cut.level) - 1):
            traps["level_differs", f"level {cut.level} is intensity {intensity}"] += 1
    return sorted(traps)
