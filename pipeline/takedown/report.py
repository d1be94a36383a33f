"""What a takedown touched, or would touch, and what it could not do."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from manifests.errors import HeadsetError
from pipeline.takedown.face_search import FaceMatch

# of one file; all others are looked at all the same
TROUBLE = (HeadsetError, OSError, pa.ArrowInvalid, tarfile.TarError)


@dataclass
class Report:
    """What a takedown touched, or would touch."""

    takedown_id: str
    sources: list[str] = field(default_factory=list)  # taken down as a whole
    regions: int = 0  # of sources, in which a person is seen or heard
    clips: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # by table
    files: int = 0  # of tables, that were rewritten
    media: list[str] = field(default_factory=list)  # deleted from the store
    shared: list[str] = field(default_factory=list)  # kept, since rows of others name the same content
    selections: dict[str, int] = field(default_factory=dict)  # clips taken out of each version
    conditions: list[str] = field(default_factory=list)  # selections whose condition names what is gone
    shards: dict[str, int] = field(default_factory=dict)  # clips taken out of each shard of a release
    releases: dict[str, str] = field(default_factory=dict)  # where the releases lie that are touched, by name
    # releases that are not where they were written to, and where that was
    unreachable: dict[str, str] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)  # other sources that show the same, as `headset duplicates` found
    receipts: int = 0  # counted anew
    notes: int = 0  # of pairs that a generation system was asked for
    matches: list[FaceMatch] = field(default_factory=list)  # of all faces that were looked at, the highest first
    unseen: list[str] = field(default_factory=list)  # sources with faces of which nothing is within reach to look at
    errors: list[str] = field(default_factory=list)  # what could not be done; the same command tries it again
    planned: bool = False  # nothing was changed

    @property
    def done(self) -> bool:
        """Whether nothing is left that the takedown covers."""
        return not (self.planned or self.errors or self.unreachable)

    def lines(self) -> list[str]:
        """For people, one thing a line."""
        would = "would be " if self.planned else ""
        told = [
            f"{self.takedown_id}: {len(self.sources)} sources whole, {self.regions} regions of others,"
            f" {len(self.clips)} clips."
        ]
        told += [f"  {count} rows of {table}" for table, count in sorted(self.rows.items())]
        receipts = "" if self.planned else f", {self.receipts} receipts counted anew"
        if self.notes:
            told.append(f"  {self.notes} notes of pairs that generation systems were asked for")
        told.append(f"  {self.files} files of tables {would}rewritten{receipts}")
        told += [f"  media {would}deleted: {place}" for place in self.media]
        told += [
            f"  media kept, since a source that is not taken down has the same content: {place}"
            for place in self.shared
        ]
        told += [f"  {count} clips out of the selection {name}" for name, count in self.selections.items()]
        told += [f"  the condition of the selection {name} names it: {would}rewritten" for name in self.conditions]
        told += [f"  the release {name} at {to}" for name, to in self.releases.items()]
        told += [f"  {count} clips out of {shard}" for shard, count in self.shards.items()]
        told += [
            f"  NOT REACHED: the release {name} is not at {to}; take it down where it is now"
            for name, to in self.unreachable.items()
        ]
        told += [
            f"  looked at {one.row_id}: cosine {one.cosine:.2f} over {one.looks} looks" for one in self.matches[:20]
        ]
        told += [f"  NOT LOOKED AT: {source}, whose file is out of reach, with no render" for source in self.unseen]
        told += [
            f"  shows the same, and is still here: {source}; headset takedown CORPUS --source {source}"
            for source in self.copies
        ]
        told += [f"  NOT DONE: {error}" for error in self.errors]
        if self.errors and not self.planned:
            told.append(
                f"{len(self.errors)} things are left to do: mend what is named above, and give the same command again."
            )
        return told

    def count(self, table: str, rows: int) -> None:
        self.rows[table] = self.rows.get(table, 0) + rows

    @contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Notes what goes wrong with one file, so that all others are looked at."""
        try:
            yield
        except TROUBLE as error:
            told = f"{what}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
            if told not in self.errors:
                self.errors.append(told)
