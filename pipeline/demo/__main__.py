"""`python -m pipeline.demo FOLDER`."""

import os
import sys
from pathlib import Path

from pipeline.demo.sample import write_sample
from pipeline.engine.worker import WORKER_ENVIRONMENT

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pipeline.demo FOLDER")
    os.environ.update(WORKER_ENVIRONMENT)  # the libraries say nothing
    for written in write_sample(Path(sys.argv[1])):
        print(written)
