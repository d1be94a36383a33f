"""Arrow, without what it would import for nothing."""

import sys
from collections.abc import Sequence
from typing import Any

import pyarrow as pa


class _NoPandas:
    """A finder of modules that says there is no pandas."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not looked for", name=name)


def leave_pandas_out() -> None:
    """Has Arrow look for pandas now and not find it, in a process that is ours alone.

    Arrow imports pandas, half a second of a core, to see whether the first thing that is made an array is one of
    pandas' own, which none of ours is. What asks Arrow for pandas, as `to_pandas` does, has it import it then. Where
    pandas is there already nothing changes.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([], pa.null())
    finally:
        sys.meta_path.remove(finder)
