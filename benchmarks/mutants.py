"""Do the tests see it when the code is wrong? Each mutant is one small fault, with the tests that should turn red.

    python -m benchmarks.mutants                        all of the files `mutant_list*.py`
    python -m benchmarks.mutants lmd_points engine/     those whose name, or file, holds one of the words
    python -m benchmarks.mutants --list

It is put into a copy of the tree. It is killed where pytest reports a failed test, or one whose fixtures fail: the
test is shown. It survives where the tests pass. Whatever else happens (no test was collected, the time is up, every
test was skipped) is an error, and counts for neither. With `--first` each selection of tests is run without a mutant
before, once; a mutant whose tests are red already is an error then. Tests marked `slow` are left out unless `--slow` is
said.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from compileall import compile_dir
from functools import cache
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import NamedTuple

from benchmarks.mutant_list import MUTANTS as OPERATORS
from benchmarks.mutant_list import Mutant
from benchmarks.mutant_list_corpus import CORPUS
from benchmarks.mutant_list_engine import ENGINE_ROOMS
from benchmarks.mutant_list_media import MEDIA_ROOMS
from benchmarks.mutant_list_rooms import ROOMS

ROOT = Path(__file__).parents[1]
MUTANTS = [*OPERATORS, *CORPUS, *ENGINE_ROOMS, *ROOMS, *MEDIA_ROOMS]
LIMIT_S = 300


class Result(NamedTuple):
    """What became of a mutant."""

    word: str  # killed, survived or error
    told: str  # the test that failed, or what went wrong


def copied(to: Path) -> Path:
    """The files that git knows or would add, as they lie in the working tree."""
    asked = ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"]
    named = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, named.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    # Bytecode is looked up by time and size, which a mutant may share with what it was made from; by a hash here.
    for package in ("manifests", "operators", "pipeline"):
        compile_dir(to / package, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return to


def tested(tree: Path, tests: tuple[str, ...], slow: bool) -> Result:
    """What pytest says of some tests of a tree, up to the first failure."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(tree)}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--no-header", "-p", "no:cacheprovider"]
    command += ["-p", "pytest_timeout", *tests]
    command += [] if slow else ["-m", "not slow"]
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return Result("error", f"longer than {LIMIT_S} s")
    last = (done.stdout.strip().splitlines() or [done.stderr.strip()[-200:]])[-1]
    if done.returncode == 1 and (failed := re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", done.stdout, re.MULTILINE)):
        return Result("killed", failed[1].partition("[")[0].rpartition("/")[2])
    return Result("survived" if done.returncode == 0 and " passed" in done.stdout else "error", last)


def tried(tree: Path, mutant: Mutant, slow: bool) -> Result:
    """What the tests say of a mutant. The tree is as before afterwards."""
    path = tree / mutant.file
    text = path.read_text() if path.is_file() else ""
    if (times := text.count(mutant.old)) != 1:
        return Result("error", f"{mutant.file} holds the old text {times} times; bring the list up to date")
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        return tested(tree, mutant.tests, slow)
    finally:
        path.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="parts of names or of files; all where none is given")
    parser.add_argument("--list", action="store_true", help="show the mutants and run nothing")
    parser.add_argument("--first", action="store_true", help="run each selection of tests without a mutant first")
    parser.add_argument("--slow", action="store_true", help="run tests marked slow as well")
    options = parser.parse_args()
    names = options.names or [""]
    chosen = [mutant for mutant in MUTANTS if any(name in mutant.name or name in mutant.file for name in names)]
    if not chosen:
        parser.error(f"no mutant is called {' or '.join(options.names)}; --list shows them")
    if options.list:
        for mutant in chosen:
            print(f"{mutant.name:28} {mutant.file}: {mutant.old.strip()} -> {mutant.new.strip()}")
        return
    results: dict[str, list[Result]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = copied(Path(folder))
        plain = cache(lambda tests: tested(tree, tests, options.slow))
        for mutant in chosen:
            green = not options.first or plain(mutant.tests).word == "survived"
            red = Result("error", f"red without it: {plain(mutant.tests).told}") if not green else None
            result = red or tried(tree, mutant, options.slow)
            results[mutant.package].append(result)
            print(f"{result.word:9} {mutant.name:28} {result.told}", flush=True)
    print()
    every = [one for found in results.values() for one in found]
    for package, found in [*sorted(results.items()), ("all", every)]:
        words = [one.word for one in found]
        print(f"{package:24}", ", ".join(f"{words.count(word)} {word}" for word in ("killed", "survived", "error")))


if __name__ == "__main__":
    main()
