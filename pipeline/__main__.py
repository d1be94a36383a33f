"""The command line: `headset run talking_head VIDEO... --out corpus/`, and what one asks about the result."""

import argparse
import importlib
import os
import pkgutil
import sys

from manifests.errors import HeadsetError

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its notes on actors that may restart alarm people for nothing

from rich.text import Text

import pipeline.commands
from pipeline.session import STOPPED
from pipeline.views.console import console

FIRST = ("run", "plan", "status", "retry", "explain", "sql")  # in the help; all others follow by name

EXAMPLES = """\
examples:
  headset run talking_head interview.mp4 --out corpus/     one video, on this machine
  headset run talking_head videos/ more.txt --out corpus/  a folder and a list; run it again to go on after a stop
  headset run talking_head videos/ --out corpus/ --set DetectShots.threshold=4
  headset plan talking_head videos/                        what would run, with which models, for how long
  headset status corpus/                                   where it stands, and the funnel
  headset retry corpus/ --reason rate_limited              another try for what was dropped so, and nothing else
  headset explain corpus/ interview.mp4                    the story of one source, or of one clip by its id
  headset sql corpus/ "select reason, count(*) from drops group by 1"
  headset import hdtf lists/HDTF --out hdtf/               a published list, as it is; nothing is downloaded
  headset rebuild hdtf/ --out corpus/                      its clips, or those of a manifest, and what became of each
  headset select corpus/ --where "dnsmos_ovrl > 3" --name hq
  headset release corpus/ --to hq/ --format webdataset --selection hq
  headset export corpus/ --layout wav2lip --to wav2lip/    what a trainer's loader reads
  headset COMMAND --help                                   more of each, with an example
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command. Returns the exit status: 0 done, 1 something does not add up, 2 cannot be done as asked, 130 stopped; see `manifests.errors`."""
    options = _parser().parse_args(arguments)
    errors = console(stderr=True)
    try:
        return options.command(options)
    except KeyboardInterrupt:
        errors.print(STOPPED)
        return 130
    except HeadsetError as error:
        errors.print(Text("headset: ", style="red") + Text(str(error)), soft_wrap=True)
        return error.exit_code
    except BrokenPipeError:
        sys.stdout = None  # the reader, such as `head`, has what it wanted
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headset",
        description="Turns lists of videos into talking-head corpora.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    names = sorted(module.name for module in pkgutil.iter_modules(pipeline.commands.__path__))
    for name in sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST)):
        module = importlib.import_module(f"pipeline.commands.{name}")
        what, _, more = (module.__doc__ or "").strip().partition("\n")
        made = commands.add_parser(
            name.rstrip("_"),
            help=what[:1].lower() + what[1:].rstrip("."),
            description=f"{what[:1].upper()}{what[1:].rstrip('.')}.\n{more}".rstrip(),
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.arguments(made)
        made.set_defaults(command=module.main)
    return parser


if __name__ == "__main__":
    sys.exit(main())
