"""Arrow does without pandas until somebody asks for it."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from manifests.arrow import leave_pandas_out
leave_pandas_out()
import pyarrow as pa
from manifests.table_files import content_of
from manifests.tables import Shot
content = content_of(Shot, [Shot("s", "s/0", 0.0, 1.0)])
assert "pandas" not in sys.modules
import pyarrow.parquet as pq
frame = pq.read_table(pa.BufferReader(content)).to_pandas()
import pandas as pd
assert frame.shot_id.tolist() == ["s/0"]
assert pa.array(pd.Series([1.0, float("nan")])).null_count == 1, "Arrow knows a series for one again"
leave_pandas_out()
assert sys.modules["pandas"] is pd
"""


def test_pandas_is_imported_where_it_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
