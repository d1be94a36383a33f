"""A corpus as people hold it: in a notebook, in a command, behind a page.

    corpus = headset.open("corpus/")
    corpus.funnel()                                     # shows itself
    corpus.clips.where("dnsmos_ovrl > 3").head(12)      # players, side by side
    corpus.clips[0].timeline()
    corpus.drops("face_small")                          # pictures of what was given up
    corpus.table("clips")                               # Arrow; .pandas, .polars and .duckdb are the same rows

Nothing here computes or changes anything: a corpus is made by `headset run`, and this is what it says.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from manifests.errors import NotFound, UsageError
from manifests.manifest import Manifest, table_named
from manifests.media import MediaStore
from manifests.tables import Row, tables
from pipeline.corpus.clip import KeptClip
from pipeline.corpus.clips import Clips
from pipeline.corpus.drops import Drops
from pipeline.corpus.frames import to_pandas, to_polars
from pipeline.query.database import quoted

__all__ = ["Clips", "Corpus", "Drops", "KeptClip", "existing"]

if TYPE_CHECKING:
    from pipeline.views.balance import BalanceView
    from pipeline.views.comparison import ComparisonView
    from pipeline.views.dictionary import Dictionary
    from pipeline.views.drift import Drift
    from pipeline.views.funnel import Funnel
    from pipeline.views.players import Players
    from pipeline.views.status import Status
    from pipeline.views.story import ClipStory, Story
    from pipeline.views.yield_curves import YieldCurves


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

    def pandas(self, name: str | type[Row]) -> Any:
        """The same as a pandas data frame."""
        return to_pandas(self.table(name))

    def polars(self, name: str | type[Row]) -> Any:
        """The same as a polars data frame.

        Raises:
            UsageError: where polars is not installed.
        """
        return to_polars(self.table(name))

    def duckdb(self, name: str | type[Row]) -> Any:
        """The same as a DuckDB relation, which reads the files when its rows are asked for: `.filter`, `.aggregate`,
        `.df()`.
        """
        from pipeline.query.clip_view import select_rows

        table = table_named(name) if isinstance(name, str) else name
        return select_rows(self.manifest, f"select * from {quoted(table.table)}")  # noqa: S608 - a name of ours

    def columns(self, of: str = "wide") -> "Dictionary":
        """What columns hold: type, unit, range, which way is better, meaning. Of the clip view, of a table, or of all
        that a text is in.
        """
        from pipeline.views.dictionary import dictionary

        return dictionary(self.manifest, of)

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

    def drops(self, reason: str = "") -> Drops:
        """What was given up, for one reason or for all: to look at, and as a table."""
        return Drops(self.root, reason)

    def yields(self, where: str = "", metric: str = "") -> "YieldCurves":
        """What each part of a condition costs, and what other thresholds would leave.

        Args:
            where: a condition in SQL on the columns of the clip view.
            metric: a column to sweep beside those that the condition compares.

        Raises:
            UsageError: for a condition that cannot be, with the columns there are.
        """
        from pipeline.query.yields import yields
        from pipeline.views.yield_curves import YieldCurves

        return YieldCurves(yields(self.manifest, where, metric))

    def balance(self, *by: str) -> "BalanceView":
        """What came in, was dropped and was kept, by group, and which group each filter costs most.

        Args:
            by: names of groupings, such as `language`, `face_px` or an annotation's; none for all that tell two groups
                apart.

        Raises:
            UsageError: where the last run proposes no clips, or no grouping has such a name.
        """
        from pipeline.views.balance import balance_view

        return balance_view(self.manifest, by)

    def compare(self, protocol: str = "") -> "ComparisonView":
        """Systems beside each other and beside recordings: means, intervals, refusals.

        Args:
            protocol: of scores; only where values of several protocols are there.

        Raises:
            UsageError: where nothing is scored.
        """
        from pipeline.scoring.compare import compare
        from pipeline.views.comparison import ComparisonView

        return ComparisonView(compare(self.manifest, protocol=protocol))

    def side_by_side(self, pair_id: str, *, video: str = "link") -> "Players":
        """What each system made of a pair, behind the recording that drives it; `video` as in `Clips.players`.

        Raises:
            NotFound: where nothing was made of a pair of this id.
        """
        from pipeline.corpus.systems import side_by_side

        return side_by_side(self.manifest, pair_id, video)

    def drift(self) -> "Drift":
        """Of a corpus that `headset rebuild` made: which clips are the same, and what became of the others."""
        from pipeline.views.drift import drift_of

        return drift_of(self.manifest)

    def clip(self, clip_id: str) -> KeptClip:
        """
        Raises:
            NotFound: where no kept clip has this id.
        """
        return KeptClip.of(self.root, clip_id)

    @property
    def clips(self) -> "Clips":
        """The kept clips."""
        return Clips(self.root)

    def _repr_html_(self) -> str:
        return self.status()._repr_html_()
