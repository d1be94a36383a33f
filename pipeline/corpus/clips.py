# ruff: noqa: S608 - the queries are of the user, over tables that DuckDB cannot change
"""The clips of a corpus for which some conditions hold, in some order: a table, and players side by side."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip
from pipeline.corpus.clip import KeptClip
from pipeline.corpus.frames import to_pandas, to_polars
from pipeline.query.database import quoted

if TYPE_CHECKING:
    from pipeline.corpus.live import Triage
    from pipeline.training import ClipDataset
    from pipeline.views.players import Players

SHOWN = ("dnsmos_ovrl", "av_confidence", "face_px", "yaw_deg")  # below a player, where the corpus has them
MOST = 12  # players of an answer that was not asked to be short
_FACTS = ("clip_id", "source_id", "seconds", "speaker")


@dataclass(frozen=True)
class Clips:
    """Nothing is read before it is asked for, and each time anew."""

    root: str
    conditions: tuple[str, ...] = ()
    order: str = "clip_id"
    most: int | None = None

    def where(self, condition: str) -> "Clips":
        """Those of them for which a condition holds too, in SQL on the columns that `corpus.columns()` tells."""
        return replace(self, conditions=(*self.conditions, condition))

    def sort(self, column: str, *, descending: bool = False) -> "Clips":
        """In the order of a column; those without a value come last."""
        return replace(self, order=f"{quoted(column)} {'desc' if descending else 'asc'} nulls last, clip_id")

    def sample(self, count: int, seed: int = 0) -> "Clips":
        """Some of them, the same for the same seed: a clip's place does not depend on what else the corpus holds."""
        return replace(self, order=f"md5(clip_id || '#{int(seed)}'), clip_id", most=count)

    def head(self, count: int = MOST) -> "Clips":
        """The first of them."""
        return replace(self, most=count if self.most is None else min(count, self.most))

    def table(self, columns: Sequence[str] = ()) -> pa.Table:
        """A row a clip with these columns of the clip view, or with all. Fields carry `unit`, `range` and `better` as
        metadata.

        Raises:
            UsageError: for a column or a condition that cannot be, with what can.
        """
        found = self.duckdb(columns).to_arrow_table()
        told = self._told()
        return found.cast(pa.schema([field.with_metadata(told.get(field.name)) for field in found.schema]))

    def pandas(self, columns: Sequence[str] = ()) -> Any:
        """The same as a pandas data frame, whose `attrs["columns"]` tells units, ranges and directions."""
        table = self.table(columns)
        frame = to_pandas(table)
        told = {
            field.name: {key.decode(): one.decode() for key, one in (field.metadata or {}).items()}
            for field in table.schema
        }
        frame.attrs["columns"] = {name: one for name, one in told.items() if one}
        return frame

    def polars(self, columns: Sequence[str] = ()) -> Any:
        """The same as a polars data frame.

        Raises:
            UsageError: where polars is not installed.
        """
        return to_polars(self.table(columns))

    def duckdb(self, columns: Sequence[str] = ()) -> Any:
        """The same as a DuckDB relation."""
        return self._ask(", ".join(map(quoted, columns)) or "*")

    def dataset(self, **options: Any) -> "ClipDataset":
        """Those of them that are rendered, for a training loop: the options are the fields of `headset.ClipDataset`."""
        from pipeline.training import ClipDataset

        if self.most is not None:
            raise UsageError(
                "a dataset is of all clips for which the conditions hold; give the condition that chooses what head or"
                " sample did"
            )
        return ClipDataset.of(
            self.root, where=" and ".join(f"({condition}\n)" for condition in self.conditions), **options
        )

    def __len__(self) -> int:
        limit = "" if self.most is None else f" limit {int(self.most)}"
        return self._rows(f"select count(*) as n from (select clip_id from wide{self._where()}{limit})").fetchall()[0][
            0
        ]

    def __iter__(self) -> Iterator[KeptClip]:
        for row in self.table([f.name for f in fields(Clip)]).to_pylist():
            yield KeptClip(self.root, Clip(**row))

    def __getitem__(self, place: int) -> KeptClip:
        """
        Raises:
            IndexError: where there are not so many.
        """
        if place < 0:
            place += len(self)
        names = [f.name for f in fields(Clip)]
        found = (
            self._rows(self._query(", ".join(map(quoted, names)), f"limit 1 offset {place}"))
            .to_arrow_table()
            .to_pylist()
            if place >= 0
            else []
        )
        if not found or (self.most is not None and place >= self.most):
            raise IndexError(f"{len(self)} clips, and none at {place}")
        return KeptClip(self.root, Clip(**found[0]))

    def clip(self, clip_id: str) -> KeptClip:
        """
        Raises:
            NotFound: where no kept clip has this id.
        """
        return KeptClip.of(self.root, clip_id)

    def players(self, columns: int = 4, *, video: str = "link") -> "Players":
        """Players side by side, `MOST` where `head` does not say how many.

        Args:
            columns: players in a row.
            video: `link` the files, where the corpus lies on this machine; put a small version `inside` the page, which
                takes a second and about 100 kB a clip; or `none`, the posters alone.

        Raises:
            UsageError: for another word.
        """
        from pipeline.views.players import Players

        if video not in ("link", "inside", "none"):
            raise UsageError(f"video is {video!r}; it is link, inside or none")
        asked = self if self.most is not None else self.head()
        rows = {row["clip_id"]: row for row in asked.table([*_FACTS, *self._columns_to_show()]).to_pylist()}
        made = [clip.player(_caption(rows[clip.clip_id]), video=video) for clip in asked]
        total = len(replace(self, most=None))
        return Players(f"{len(made)} of {total} clips{self._told_conditions()}", tuple(made), columns)

    def triage(self, file: str | Path = "reviews.json", *, reviewer: str = "") -> "Triage":
        """A player with keys, to keep, reject or flag them one after the other: `k`, `x`, `f`; `u` takes one back.

        Args:
            file: where each word is written as it is said, as the page of `headset explore` hands it over; one that is
                there is gone on with. `headset import-reviews` makes it a table.
            reviewer: as whoever looks calls themselves.

        Raises:
            UsageError: where anywidget is not installed, no clip is left, or the file is none of reviews, or holds
                those of somebody else.
        """
        from pipeline.corpus.live import Triage

        return Triage(self, Path(file), reviewer)

    def _repr_html_(self) -> str:
        return self.players()._repr_html_()

    def _columns_to_show(self) -> list[str]:
        from pipeline.query.clip_view import columns

        known = columns(Manifest(self.root))
        words = [word for text in (*self.conditions, self.order) for word in re.findall(r"\w+", text)]
        return [name for name in dict.fromkeys([*words, *SHOWN]) if name in known and name not in _FACTS][:6]

    def _told(self) -> dict[str, dict[bytes | str, bytes | str]]:
        from pipeline.views.dictionary import VIEW, dictionary

        found: dict[str, dict[bytes | str, bytes | str]] = {}
        for one in dictionary(Manifest(self.root), VIEW).columns:
            told = {"unit": one.unit, "range": one.range, "better": one.better, "meaning": one.meaning}
            found[one.name] = {name: value for name, value in told.items() if value}
        return found

    def _ask(self, shown: str) -> Any:
        return self._rows(self._query(shown, "" if self.most is None else f"limit {int(self.most)}"))

    def _query(self, shown: str, end: str) -> str:
        return f"select {shown} from wide{self._where()} order by {self.order} {end}"

    def _rows(self, query: str) -> Any:
        from pipeline.query.clip_view import select_rows

        if (rows := select_rows(Manifest(self.root), query)) is None:
            raise UsageError(f"this gives no rows: {query}")
        return rows

    def _where(self) -> str:
        return " where " + " and ".join(f"({condition}\n)" for condition in self.conditions) if self.conditions else ""

    def _told_conditions(self) -> str:
        return f" where {' and '.join(self.conditions)}" if self.conditions else ""


def _caption(row: dict[str, Any]) -> str:
    numbers = [
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in row.items()
        if name not in _FACTS and value is not None
    ]
    return "\n".join([row["clip_id"], f"{row['seconds']:.1f} s, {row['speaker']}", *numbers])
