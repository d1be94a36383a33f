"""The command line: `headset run talking_head VIDEO... --out corpus/`, and what one asks about the result."""

import argparse
import atexit
import importlib
import os
import pkgutil
import sys
import tempfile
import traceback
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from manifests.cache import cache_folder
from manifests.errors import HeadsetError

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
os.environ.setdefault("GLOG_minloglevel", "2")  # MediaPipe warns of what it does every time
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its notes on actors that may restart alarm people for nothing

from rich.text import Text

import pipeline.commands
from pipeline.engine.secrets import load_secrets
from pipeline.session import STOPPED
from pipeline.views.console import console

# The headings of the help, each with the commands that come first in it (all others follow by name) and its examples.
GROUPS = {
    "make": ("Make a corpus", ("plan", "run", "retry", "import", "rebuild"), (
        "headset run talking_head videos/ more.txt --out corpus/   # run it again to go on after a stop",
        "headset run talking_head videos/ --out corpus/ --set PlanClips.min_face_px=192",
    )),
    "look": ("Look at it", ("status", "explore", "explain", "sheet", "sql", "columns", "reasons"), (
        "headset status corpus/                      # where it stands, and the funnel",
        "headset explore corpus/                     # every clip in a browser, brushed by every score",
        "headset explain corpus/ interview.mp4       # the story of one source, or of one clip by its id",
    )),
    "choose": ("Choose and release", ("yield", "select", "split", "release", "export"), (
        'headset select corpus/ --where "dnsmos_ovrl > 3 and face_px >= 256" --name hq',
        "headset release corpus/ --out hq/ --format webdataset --selection hq",
    )),
    "cluster": ("Run on a cluster", ("check-cluster", "submit", "jobs", "logs", "cancel"), (
        "headset submit talking_head list.parquet --out s3://bucket/corpus --cluster infra/clusters/ray/local.yaml",
    )),
    "judge": ("Generate and judge", ("pairs", "score", "compare"), (
        "headset pairs corpus/ ; headset score corpus/ --metrics psnr,ssim ; headset compare corpus/",
    )),
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0 done, 1 something does not add up, 2 cannot be done as asked, 130 stopped; see
        `pipeline.environment`.
    """
    options = parser_of_all().parse_args(arguments)
    try:
        load_secrets()
        return options.command(options)
    except KeyboardInterrupt:
        console(stderr=True).print(STOPPED)
        return 130
    except BrokenPipeError:
        sys.stdout = None  # the reader, such as `head`, has what it wanted
        return 0
    except Exception as error:
        if os.environ.get("HEADSET_DEBUG"):
            raise
        return _told(error)


def _told(error: Exception) -> int:
    """One sentence for people, and the exit status. The traceback of what nobody foresaw is kept."""
    if isinstance(error, HeadsetError):
        text, status = str(error), error.exit_code
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        text, status = where + (error.strerror or " ".join(str(error).split())), 2
    else:
        text = (
            f"this is a bug of ours: {type(error).__name__}: {' '.join(str(error).split())[:300]}. Its traceback is in"
            f" {_kept(error)}"
        )
        status = 1
    console(stderr=True).print(Text("headset: ", style="red") + Text(text), soft_wrap=True)
    return status


def _kept(error: Exception) -> Path:
    """The file that the traceback is written to."""
    name = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    for folder in (cache_folder() / "tracebacks", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{' '.join(sys.argv)}\n{''.join(traceback.format_exception(error))}")
        except OSError:
            continue
        return folder / name
    return Path("no file: neither the cache nor the temporary folder can be written; set HEADSET_DEBUG=1")


def commands() -> dict[str, ModuleType]:
    """The commands there are, by name: the files of `pipeline/commands`."""
    names = sorted(module.name for module in pkgutil.iter_modules(pipeline.commands.__path__))
    return {name.rstrip("_").replace("_", "-"): importlib.import_module(f"pipeline.commands.{name}") for name in names}


def parser_of_all(*, listed: bool = False) -> argparse.ArgumentParser:
    """The command line, with the commands in the help under four headings.

    Args:
        listed: whether argparse lists the commands itself, as what makes completions asks for.
    """
    there = commands()
    parser = argparse.ArgumentParser(
        prog="headset",
        usage="headset COMMAND ...",
        description="Turns lists of videos into talking-head corpora.",
        epilog=_headings(there),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"headset {_version()}")
    made_of = parser.add_subparsers(required=True, metavar="COMMAND", help=None if listed else argparse.SUPPRESS)
    for name, module in there.items():
        what, _, more = (module.__doc__ or "").strip().partition("\n")
        made = made_of.add_parser(
            name,
            prog=f"headset {name}",
            help=what,
            description=f"{what}\n{more}".rstrip(),
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.arguments(made)
        made.set_defaults(command=module.main)
    return parser


def _headings(there: dict[str, ModuleType]) -> str:
    lines = []
    for group, (heading, first, examples) in GROUPS.items():
        mine = [name for name, module in there.items() if getattr(module, "GROUP", "look") == group]
        lines.append(f"{heading}:")
        for name in sorted(mine, key=lambda name: (first.index(name) if name in first else len(first), name)):
            what = (there[name].__doc__ or "").strip().partition("\n")[0]
            lines.append(f"  {name:<15}{what[:1].lower()}{what[1:].rstrip('.')}")
        lines += [*(f"    {example}" for example in examples), ""]
    return "\n".join(
        [
            *lines,
            "headset COMMAND --help tells more of each; headset help environment: variables, exit status, completion",
        ]
    )


def _version() -> str:
    try:
        return version("headset")
    except PackageNotFoundError:
        return "of a checkout that is not installed"


def program() -> None:
    """Runs the command line as a process of its own, and ends that.

    What was registered first at exit runs last, and leaves nothing to the destructors of libraries: threads of Arrow or
    DuckDB that are still about would abort a process that has done all its work.
    """
    status = [1]  # of a traceback that was asked for

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with suppress(OSError, ValueError):
                    stream.flush()
        os._exit(status[0])

    atexit.register(leave)
    try:
        status[0] = main()
    except SystemExit as stop:
        status[0] = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 2
        raise


if __name__ == "__main__":
    program()
