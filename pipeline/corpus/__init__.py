"""A corpus as people hold it: in a notebook, in a command, behind a page.

    corpus = headset.open("corpus/")
    corpus.funnel()                                     # shows itself
    corpus.clips.where("dnsmos_ovrl > 3").table()       # an Arrow table
    corpus.story("interview.mp4")

Nothing here computes or changes anything: a corpus is made by `headset run`, and this is what it says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pyarrow as pa

from manifests.errors import NotFound, UsageError
from manifests.manifest import Manifest, table_named
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Row, tables

if TYPE_CHECKING:
    from pipeline.views.funnel import Funnel
    from pipeline.views.status import Status
    from pipeline.views.story import ClipStory, Story


def existing(root: str, *, check: bool = True) -> Manifest:
    """The manifest that lies there.

    Args:
        check: False for a corpus of which not even the listing may be whole.

    Raises:
        NotFound: where there is none.
        StorageError: where its bucket cannot be reached.
    """
    MediaStore(root).check()
    manifest = Manifest(root)
    if not manifest.exists() and (check or not manifest.names("receipts", folders=True)):
        raise NotFound(f"{root} holds no corpus; `headset run RECIPE VIDEO... --out {root}` makes one")
    return manifest


@dataclass(frozen=True)
class Corpus:
    """A folder of tables and media that `headset run` made, here or in a bucket. It shows how it stands now, also while
    a run goes on.
    """

    root: str  # a folder, or s3://bucket/prefix

    def __post_init__(self) -> None:
        """
        Raises:
            NotFound: where there is no corpus.
            StorageError: where its bucket cannot be reached.
        """
        object.__setattr__(self, "root", str(self.root))
        existing(self.root)

    @property
    def manifest(self) -> Manifest:
        """The tables and receipts, read anew: what a manifest remembers may be old when a run goes on meanwhile."""
        return Manifest(self.root)

    @property
    def tables(self) -> dict[str, int]:
        """The current rows of each table that has any."""
        manifest = self.manifest
        return {name: count for name, table in tables().items() if (count := manifest.count_rows(table))}

    def table(self, name: str | type[Row]) -> pa.Table:
        """The current rows of a table, by its name or its row type.

        Raises:
            NotFound: for a table that there is not, with those there are.
        """
        return self.manifest.table(table_named(name) if isinstance(name, str) else name)

    def sql(self, query: str) -> pa.Table:
        """What a DuckDB query over the current rows gives: each table goes by its name, and `wide` is all of them, a
        row a clip.

        Raises:
            UsageError: with DuckDB's own words when the query cannot run, or gives no rows.
        """
        from pipeline.query.clip_view import select_rows

        if (rows := select_rows(self.manifest, query)) is None:
            raise UsageError(f"this query gives no rows: {query}")
        return rows.to_arrow_table()

    def funnel(self) -> "Funnel":
        """What each step made of what it read, and the sums by table.

        Raises:
            Inconsistent: when the sums of a table do not add up.
        """
        from pipeline.views.funnel import funnel

        return funnel(self.manifest)

    def status(self) -> "Status":
        """Where the corpus stands: how far each step is, the funnel, the share that was had of each list."""
        from pipeline.views.status import status

        return status(self.manifest)

    def story(self, wanted: str) -> "Story | ClipStory":
        """What was seen in a source, or what became of a clip, and why.

        Args:
            wanted: a source id, a clip id, a file name, an address, or a part of one that fits no other.

        Raises:
            NotFound: when nothing of that name is there, or several are.
        """
        from pipeline.views.story import story

        return story(self.manifest, wanted)

    def drops(self, reason: str = "") -> pa.Table:
        """The rows that were given up, of one reason or of all: `drops` as in `manifests/tables.py`."""
        import pyarrow.dataset as dataset

        rows = self.table(Dropped)
        return rows.filter(dataset.field("reason") == reason) if reason else rows

    @property
    def clips(self) -> "Clips":
        """The kept clips."""
        return Clips(self)

    def _repr_html_(self) -> str:
        return self.status()._repr_html_()


@dataclass(frozen=True)
class Clips:
    """The clips of a corpus for which all conditions hold. Nothing is read before it is asked for."""

    corpus: Corpus
    conditions: tuple[str, ...] = ()

    def where(self, condition: str) -> "Clips":
        """Those of them for which a condition holds too, in SQL on the columns of `headset columns CORPUS --of
        wide`.
        """
        return Clips(self.corpus, (*self.conditions, condition))

    def table(self, columns: Sequence[str] = ()) -> pa.Table:
        """A row a clip, sorted by id, with these columns of the clip view, or with all of them.

        Raises:
            UsageError: for a column or a condition that cannot be, with what can.
        """
        shown = ", ".join(f'"{name}"' for name in columns) or "*"
        return self.corpus.sql(f"select {shown} from wide{self._where()} order by clip_id")  # noqa: S608 - the user's own, over their own tables

    def __len__(self) -> int:
        return self.corpus.sql(f"select count(*) as n from wide{self._where()}")["n"][0].as_py()  # noqa: S608 - as above

    def __iter__(self) -> Iterator[Clip]:
        for row in self.table([f.name for f in fields(Clip)]).to_pylist():
            yield Clip(**row)

    def _where(self) -> str:
        return " where " + " and ".join(f"({condition})" for condition in self.conditions) if self.conditions else ""
