"""Arrow tables in the forms that notebooks count in. What is not installed is asked for in a sentence."""

import importlib
from typing import Any

import pyarrow as pa

from manifests.errors import UsageError

PACKAGES = {"rerun": "rerun-sdk"}  # modules that come with a package of another name


def installed(module: str, wanted_for: str) -> Any:
    """A package that headset does without.

    Raises:
        UsageError: where it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name != top:
            raise
        raise UsageError(f"{wanted_for} needs {PACKAGES.get(top, top)}: pip install {PACKAGES.get(top, top)}") from None


def to_pandas(table: pa.Table) -> Any:
    installed("pandas", "a pandas data frame")
    return table.to_pandas()


def to_polars(table: pa.Table) -> Any:
    """
    Raises:
        UsageError: where polars is not installed.
    """
    return installed("polars", "a polars data frame").from_arrow(table)
