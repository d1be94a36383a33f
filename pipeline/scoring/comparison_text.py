"""A comparison for papers and pages: Markdown, LaTeX, HTML with one plot a metric."""

import base64
import html
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pipeline.scoring.compare import Cell, Comparison

ARROWS = {"higher": "↑", "lower": "↓", "": ""}


def rows_of(found: Comparison, plain: bool = False) -> list[list[str]]:
    """The table as strings, its head first: a metric a row, a maker a column."""
    head = ["metric", *found.makers]
    rows = [[f"{metric.variant} {ARROWS[metric.definition.better]}".strip()] for metric in found.metrics]
    for row, metric in zip(rows, found.metrics, strict=True):
        row += [told(found.cells.get((metric.variant, maker))) for maker in found.makers]
    return [head, *rows]


def told(cell: Cell | None) -> str:
    """A cell in one line: value, interval, clips, refusals."""
    if cell is None:
        return ""
    counts = [f"n={cell.clips}"] if cell.clips else []
    counts += [f"{number} {reason}" for reason, number in sorted(cell.refused.items())]
    if cell.value is None:
        what = cell.withheld or ("no value" if counts else "")
        return f"{what} ({', '.join(counts)})" if counts else what
    spread = "" if np.isnan(cell.low) else f" [{cell.low:.4g}, {cell.high:.4g}]"
    return f"{cell.value:.4g}{spread} ({', '.join(counts)})"


def markdown(found: Comparison) -> str:
    """The table in Markdown, with what its values are below."""
    head, *rows = rows_of(found)
    lines = [_line(head), _line(["---"] * len(head)), *(_line(row) for row in rows), "", *footnotes(found)]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def latex(found: Comparison) -> str:
    """The table for a paper, by booktabs; notes are comments."""
    head, *rows = rows_of(found)

    def escaped(text: str) -> str:
        for sign in "&%$#_{}":
            text = text.replace(sign, f"\\{sign}")
        return text.replace("↑", r"$\uparrow$").replace("↓", r"$\downarrow$")

    lines = [r"\begin{tabular}{l" + "r" * (len(head) - 1) + "}", r"\toprule"]
    lines += [
        " & ".join(escaped(cell) for cell in row) + r" \\" + (r" \midrule" if row is head else "")
        for row in (head, *rows)
    ]
    lines += [r"\bottomrule", r"\end{tabular}", *(f"% {note}" for note in footnotes(found))]
    return "\n".join(lines) + "\n"


def footnotes(found: Comparison) -> list[str]:
    """What the numbers are: how averaged, under which protocols, and what is withheld."""
    notes = [
        (
            "Mean over clips, [95 % interval by resampling clips], (clips, refusals by reason). Metrics of sets are of"
            " all clips together."
        ),
    ]
    for metric in found.metrics:
        under = "; ".join(found.protocols.get(metric.variant, []))
        notes.append(f"{metric.variant}: {metric.definition.what}." + (f" {under}." if under else ""))
    return notes + found.notes


def page(found: Comparison) -> str:
    """One HTML file with the table, the plots and the notes in it."""
    head, *rows = rows_of(found)
    table = "".join(
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for tag, part in (("th", [head]), ("td", rows))
        for row in part
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in footnotes(found))
    style = (
        "body{font:15px/1.5"
        " system-ui,sans-serif;margin:2rem;max-width:75rem}table{border-collapse:collapse}td,th{padding:.3rem"
        " .8rem;text-align:right;border-bottom:1px solid"
        " #ddd}td:first-child,th:first-child{text-align:left}li{color:#555}img{max-width:100%}"
    )
    plot = base64.b64encode(picture(found)).decode()
    return (
        '<!doctype html><html lang="en"><head><meta'
        f' charset="utf-8"><title>{html.escape(found.corpus)}</title><style>{style}</style></head>'
        f"<body><h1>{html.escape(Path(found.corpus).name)}</h1><table>{table}</table><img"
        ' alt="Each metric: the clips of each maker, their mean and its interval"'
        f' src="data:image/svg+xml;base64,{plot}"><ul>{notes}</ul></body></html>\n'
    )


def picture(found: Comparison) -> bytes:
    """One small plot a metric, as SVG: every clip a dot, the mean and its interval beside them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    shown = [
        metric
        for metric in found.metrics
        if any(found.cells.get((metric.variant, maker), Cell()).value is not None for maker in found.makers)
    ]
    wide = 4
    high = max(1, -(-len(shown) // wide))
    figure = Figure(figsize=(3.2 * wide, 0.9 * high + 0.32 * len(found.makers) * high), layout="constrained")
    axes = np.atleast_1d(figure.subplots(high, wide, squeeze=False)).ravel()
    for ax in axes[len(shown) :]:
        ax.axis("off")
    for ax, metric in zip(axes, shown, strict=False):
        for place, maker in enumerate(found.makers):
            cell = found.cells.get((metric.variant, maker), Cell())
            if cell.value is None:
                continue
            ax.plot(cell.values, [place] * len(cell.values), "|", color="#9bb", markersize=9)
            if not np.isnan(cell.low):
                ax.plot([cell.low, cell.high], [place, place], "-", color="#264653", linewidth=2)
            ax.plot([cell.value], [place], "o", color="#264653", markersize=5)
        ax.set_yticks(range(len(found.makers)), found.makers, fontsize=7)
        ax.set_ylim(len(found.makers) - 0.5, -0.5)
        ax.tick_params(axis="x", labelsize=7)
        ax.set_title(f"{metric.variant} {ARROWS[metric.definition.better]}", fontsize=9)
    made = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "headset"}):
        figure.savefig(made, format="svg", metadata={"Date": None})
    return made.getvalue()
