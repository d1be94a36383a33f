"""`python -m pipeline.demo FOLDER`."""

import sys
from pathlib import Path

from pipeline.demo.sample import write_sample
from pipeline.views.console import alone, console

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pipeline.demo FOLDER")
    out = console()
    out.print(f"making three videos in {sys.argv[1]}: a minute or so", soft_wrap=True, highlight=False)
    with alone(out):  # MediaPipe has much to say
        written = write_sample(Path(sys.argv[1]))
    for path in written:
        out.print(str(path), soft_wrap=True, highlight=False)
