"""What tests ask of the rows of an import."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from manifests.tables import Annotation, Dropped, Published, Source
from pipeline.importing import Imported


class Sorted:
    """The rows of an import by their table. Made twice from the same reader, so that a reader that is not deterministic
    fails.
    """

    def __init__(self, read, folder: Path):
        self.rows: list[Imported] = list(read(folder))
        assert list(read(folder)) == self.rows
        self.sources = [row for row in self.rows if isinstance(row, Source)]
        self.clips = [row for row in self.rows if isinstance(row, Published)]
        self.notes = [row for row in self.rows if isinstance(row, Annotation)]
        self.drops = [row for row in self.rows if isinstance(row, Dropped)]
        for table in (self.sources, self.clips, self.notes, self.drops):
            assert len({row.row_id for row in table}) == len(table), "keys are unique"
        listed = {source.source_id for source in self.sources}
        assert {row.source_id for row in (*self.clips, *self.notes)} == listed, (
            "each source has a clip, and each clip its source"
        )
        assert {note.subject for note in self.notes} <= {clip.published_id for clip in self.clips}
        assert {drop.subject_table for drop in self.drops} <= {"published"}
        assert not {drop.subject for drop in self.drops} & {clip.published_id for clip in self.clips}

    @property
    def traps(self) -> dict[str, int]:
        """By word."""
        return dict(Counter(note.value.split()[0] for note in self.notes if note.name == "trap"))

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(drop.reason for drop in self.drops))

    def clip(self, name: str) -> Published:
        (found,) = (clip for clip in self.clips if clip.name == name)
        return found

    def drop(self, name: str) -> Dropped:
        (found,) = (drop for drop in self.drops if drop.subject.partition("/")[2] == name)
        return found

    def said(self, name: str, note: str = "trap") -> list[str]:
        """What the list says of a clip."""
        return [row.value for row in self.notes if row.subject == self.clip(name).published_id and row.name == note]


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def box(clip: Published) -> tuple[float, ...]:
    return clip.left, clip.top, clip.right, clip.bottom


def hours(clips: Iterable[Published]) -> float:
    from pipeline.commands.import_ import length_s

    return sum(length_s(clip) or 0.0 for clip in clips) / 3600
