"""How far a run is."""

from rich.table import Table
from rich.text import Text

from pipeline.engine.progress import Progress
from pipeline.views.facts import clock


def table(lines: list[Progress]) -> Table:
    """One line a stage, for the live display."""
    shown = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stage", "sources", "", "kept", "dropped", "failed", "per minute", "left"):
        shown.add_column(name, justify="left" if name in ("stage", "") else "right")
    for line in lines:
        rate = line.sources_done / line.seconds * 60 if line.seconds and line.sources_done else 0.0
        left = "done" if line.done else clock((line.sources - line.sources_done) / rate * 60) if rate else "…"
        share = line.sources_done / line.sources if line.sources else 1.0
        bar = Text("━" * round(18 * share), style="green") + Text("━" * (18 - round(18 * share)), style="grey30")
        failed = Text(str(line.failed), style="red" if line.failed else "")
        numbers = str(line.kept), str(line.dropped), failed, f"{rate:.1f}" if rate else "…", left
        shown.add_row(line.stage, f"{line.sources_done}/{line.sources}", bar, *numbers)
    return shown
