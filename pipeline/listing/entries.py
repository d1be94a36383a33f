"""What listing hands on: entries as they were read, why one is no source, and the count of what an argument held."""

from collections import Counter
from dataclasses import dataclass, field

from manifests.errors import Inconsistent

Range = tuple[float, float]  # start and end in seconds, half-open


@dataclass(frozen=True)
class Problem:
    """Why something listed gives no source. `reason` is a word to count by."""

    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Entry:
    """One thing listed, and where it was."""

    text: str
    where: str = ""  # "list.csv line 7"; "" for the command line and for a folder
    base: str = ""  # the folder relative paths start from
    sha256: str = ""  # as the list has it
    licence: str = ""
    list_path: str = ""
    seconds: float | None = None  # of the whole recording, as the list has it
    ranges: tuple[Range, ...] = ()  # the clips the list asks for; () for the whole recording
    problem: Problem | None = None  # where it is known already


@dataclass
class Tally:
    """How a list or a folder was used up: every line or file of it ends in one of these counts."""

    name: str
    what: str  # lines, files or objects
    total: int = 0  # read
    whole: int = 0  # entries that are about all of it: empty, unreadable
    # lines: header, comment, blank; files: those passed over, by suffix
    rest: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)  # folders that were not searched, with the reason
    notes: Counter[str] = field(default_factory=Counter)  # sentences about what was not read, with how often
    sources: int = 0  # entries that were the first to name a source
    clip_lines: int = 0  # entries that only add clips to a source that another entry named
    clips: int = 0  # clip ranges listed here, each once
    refused: Counter[str] = field(default_factory=Counter)  # by reason, duplicates among them

    def check(self) -> None:
        """
        Raises:
            Inconsistent: where something was read that ended nowhere, or twice.
        """
        ended = self.sources + self.clip_lines + self.refused.total() + self.rest.total()
        if ended != self.total + self.whole:
            raise Inconsistent(
                f"{self.name}: {self.total} {self.what} were read and {ended} accounted for; please report this"
            )

    def told(self) -> str:
        """One line for people: "list.csv: 120 lines, 118 sources, 1 duplicate, 1 refused (missing_file 1)"."""
        duplicates = self.refused["duplicate"]
        refused = Counter({reason: count for reason, count in self.refused.items() if reason != "duplicate"})
        parts = [_counted(self.total, self.what.removesuffix("s")), _counted(self.sources, "source")]
        parts += [_counted(self.clips, "clip")] if self.clips else []
        parts += [_counted(duplicates, "duplicate")] if duplicates else []
        parts += [f"{refused.total()} refused ({_by_count(refused)})"] if refused else []
        if self.what == "lines":
            parts += [
                f"{count} blank" if kind == "blank" else _counted(count, kind)
                for kind, count in sorted(self.rest.items())
            ]
        elif self.rest:
            parts.append(f"{_counted(self.rest.total(), 'other')} passed over ({_by_count(self.rest)})")
        notes = [f"{note} ({count} times)" if count > 1 else note for note, count in sorted(self.notes.items())]
        return "; ".join([f"{self.name}: {', '.join(parts)}", *self.left_out, *notes])


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _by_count(counts: Counter[str], most: int = 8) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = ", ".join(f"{name} {count}" for name, count in ordered[:most])
    more = sum(count for _, count in ordered[most:])
    return f"{told}, others {more}" if more else told
