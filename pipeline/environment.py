"""What headset reads from its environment, and what its exit status says."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.views.facts import BLANK, Cell, Fact, Grid, Line, Part


@dataclass(frozen=True)
class Environment(Fact):
    """The variables by name, and each exit status."""

    variables: dict[str, str]
    exit_status: dict[str, str]

    def parts(self) -> Iterator[Part]:
        yield Grid.of(
            ("variable", "what it does"), ([Cell(name, "name"), what] for name, what in self.variables.items())
        )
        yield BLANK
        yield Grid.of(
            ("exit", "what it says"), ([Cell(number, "name"), what] for number, what in self.exit_status.items())
        )
        yield BLANK
        yield Line.of('Complete commands by Tab: eval "$(headset completion bash)", in ~/.bashrc to have it always.')


ENVIRONMENT = Environment(
    variables={
        "HEADSET_CACHE": (
            "folder for model files, copies of remote media, measured speeds and tracebacks (default:"
            " XDG_CACHE_HOME/headset, else ~/.cache/headset)"
        ),
        "HEADSET_CACHE_BYTES": (
            "how much of it copies of remote media may take (default: a tenth of what the disk has room for)"
        ),
        "HEADSET_WEIGHTS": "folder of model files that is looked into first, for machines without internet",
        "HEADSET_LISTS": "folder of published lists, for the model files that one of them carries",
        "HEADSET_PROXIES": "proxies to download through: a list with commas between, or a file with one a line",
        "HEADSET_YTDLP": "options of yt-dlp in its own words, such as --cookies FILE",
        "HEADSET_SYSTEMS": "folders of further generation systems, beside headset's own (infra/systems)",
        "HEADSET_SYSTEM": (
            "set by headset for a generation system's process: the folder of its environment, checkout and weights"
        ),
        "HEADSET_SECRETS": (
            "a file of NAME=value lines, or a folder with a file a name: variables to set as headset starts"
        ),
        "HEADSET_DEBUG": "1 shows the traceback of an error, which is else one sentence",
        "RAY_ADDRESS": "the cluster to run on (default: this machine)",
        "AWS_*": "credentials and region for s3://, by AWS's own chain",
        "TMPDIR": "where the sound of long sources lies meanwhile: 230 MB an hour at 16 kHz",
        "COLUMNS": "how wide the output is (default: the terminal; a file or pipe is not wrapped)",
        "NO_COLOR": "anything: no colours",
    },
    exit_status={
        "0": "done",
        "1": (
            "something does not add up: counts, a layout that its loader would not read, a store out of reach in a"
            " takedown; or a bug of ours"
        ),
        "2": "cannot be done as asked: the text says what can",
        "130": "stopped by Ctrl-C: the same command goes on",
    },
)
