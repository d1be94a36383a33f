"""The board as a page: tables, and players side by side, in a folder that opens from disk. Other people's text is
escaped.
"""

import html
import math
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from manifests.cache import media_cache
from manifests.media import MediaStore
from manifests.tables import Pair, Render
from operators.media.frames import VideoFrames
from operators.metrics.base import Metric
from pipeline.scoring.board import Board, BoardCell, BoardRow

PLAYERS = 24  # pairs shown: those on which systems differ most
ARROWS = {"higher": "↑", "lower": "↓", "": ""}

STYLE = """
:root{color-scheme:light dark;--line:#8884;--dim:#8889}
body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem auto;max-width:90rem;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.3rem 0;max-width:75ch}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
thead th{white-space:normal!important;min-width:5rem}
th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:Canvas}
th small,td small{display:block;font-weight:normal;color:GrayText;font-size:.75rem}
tbody.apart td{color:GrayText}tr.recording td:first-child{font-weight:600}
.pair{border-top:1px solid var(--line);padding:.8rem 0}
.pair header{display:flex;gap:1rem;align-items:baseline;flex-wrap:wrap}
.pair code{font-size:.8rem;color:GrayText;overflow-wrap:anywhere}
.players{display:flex;gap:.6rem;overflow-x:auto;padding:.5rem 0}figure{margin:0;flex:0 0 11rem}
video{width:11rem;height:11rem;object-fit:contain;background:#000;display:block}figcaption{font-size:.8rem;overflow-wrap:anywhere}
figcaption span{color:GrayText;display:block}button{font:inherit;padding:.1rem .8rem}
"""

SCRIPT = """
for (const pair of document.querySelectorAll('.pair')) {
  const players = [...pair.querySelectorAll('video')], button = pair.querySelector('button');
  button.onclick = () => {
    const playing = players.some(one => !one.paused && !one.ended);
    button.textContent = playing ? 'play all' : 'pause';
    for (const one of players) { if (playing) one.pause(); else { one.currentTime = 0; one.play(); } }
  };
  players.forEach(one => one.onended = () => {
    if (players.every(p => p.paused || p.ended)) button.textContent = 'play all';
  });
}
"""


def write_board(found: Board, folder: Path, players: int = PLAYERS) -> Path:
    """Writes `index.html` and the videos it shows into the folder, which is made. Returns the page.

    Args:
        players: pairs that are shown with their videos.
    """
    (folder / "media").mkdir(parents=True, exist_ok=True)
    shown = found.pairs[:players]
    body = [_head(found), _table(found), _groups(found), "<h2>Pairs on which systems differ most</h2>"]
    body += [_pair(found, pair, folder) for pair in shown]
    if len(found.pairs) > len(shown):
        body.append(f"<p>{len(found.pairs) - len(shown)} more pairs are in the table, and not shown.</p>")
    page = folder / "index.html"
    title = html.escape(f"{Path(found.corpus).name}: {found.protocol}")
    page.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport"'
        f' content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>{''.join(body)}<script>{SCRIPT}</script></body></html>\n",
        encoding="utf-8",
    )
    return page


def _head(found: Board) -> str:
    corpus, protocol = html.escape(Path(found.corpus).name), html.escape(found.protocol)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in found.notes)
    lost = "".join(
        f"<p>{html.escape(variant)} is withheld: {html.escape(why)}.</p>" for variant, why in found.withheld.items()
    )
    return (
        f"<h1>{corpus}: {protocol}</h1><p>{len(found.pairs)} pairs of {found.persons} persons. Mean over pairs; in"
        " small print the 95 % interval by bootstrap over persons. Floors are no contenders: a system that does not"
        f" pass them has shown nothing.</p>{notes}{lost}"
    )


def _table(found: Board) -> str:
    head = "".join(
        f"<th title='{html.escape(metric.definition.what, quote=True)}'>{_metric(metric)}</th>"
        for metric in found.metrics
    )
    parts = [f"<tbody>{''.join(_row(found, row) for row in found.complete)}</tbody>"]
    if found.partial:
        cells = len(found.metrics) + 1
        parts.append(
            f"<tbody class='apart'><tr><td colspan='{cells}'>not comparable: without a render of every pair</td></tr>"
        )
        parts.append("".join(_row(found, row) for row in found.partial) + "</tbody>")
    return f"<div class='scroll'><table><thead><tr><th>made by</th>{head}</tr></thead>{''.join(parts)}</table></div>"


def _metric(metric: Metric) -> str:
    mark = f"v{metric.version} {metric.fingerprint()[:6]}"
    name = html.escape(metric.variant).replace("_", "_<wbr>")
    return f"{name} {ARROWS[metric.definition.better]}<small>{mark}</small>"


def _row(found: Board, row: BoardRow) -> str:
    what = "" if row.kind == "system" else row.kind
    count = "" if row.renders == len(found.pairs) else f"{row.renders} of {len(found.pairs)} pairs"
    small = ", ".join(filter(None, (what if what != row.maker else "", count)))
    cells = "".join(f"<td>{_cell(row.cells.get(metric.variant), len(found.pairs))}</td>" for metric in found.metrics)
    return f"<tr class='{row.kind}'><td>{html.escape(row.maker)}<small>{small}</small></td>{cells}</tr>"


def _cell(cell: BoardCell | None, pairs: int) -> str:
    if cell is None:
        return "–"
    spread = "" if math.isnan(cell.low) else f"{cell.low:.3g} to {cell.high:.3g}"
    count = "" if cell.pairs == pairs else f"n={cell.pairs}"
    return f"{cell.value:.4g}<small>{', '.join(filter(None, (spread, count)))}</small>"


def _groups(found: Board) -> str:
    if not found.groups:
        return ""
    head = "".join(f"<th>{_metric(metric)}</th>" for metric in found.metrics)
    lines = []
    for group in found.groups:
        for row in found.rows:
            values = [group.cells.get((row.maker, metric.variant)) for metric in found.metrics]
            if any(value is not None for value in values):
                cells = "".join(f"<td>{'–' if value is None else f'{value:.4g}'}</td>" for value in values)
                lines.append(
                    f"<tr><td>{html.escape(group.name)},"
                    f" n={group.pairs}<small>{html.escape(row.maker)}</small></td>{cells}</tr>"
                )
    table = f"<table><thead><tr><th>driving clips</th>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f"<h2>By group</h2><div class='scroll'>{table}</div>"


def _pair(found: Board, pair: Pair, folder: Path) -> str:
    videos = [
        ("source", found.recordings.get(pair.source_clip_id)),
        ("driving", found.recordings.get(pair.driving_clip_id)),
    ]
    if pair.source_clip_id == pair.driving_clip_id:
        videos = [("recording", videos[1][1])]
    videos += [
        (row.maker, found.renders.get((pair.pair_id, row.maker))) for row in found.rows if row.kind != "recording"
    ]
    figures = "".join(_figure(found, name, render, folder) for name, render in videos)
    return (
        f"<section class='pair'><header><button>play all</button><code>{html.escape(pair.pair_id)}</code></header><div"
        f" class='players'>{figures}</div></section>"
    )


def _figure(found: Board, name: str, render: Render | None, folder: Path) -> str:
    if render is None:
        return f"<figure><figcaption>{html.escape(name)}<br><span>no render</span></figcaption></figure>"
    file, poster = f"media/{render.sha256[:24]}.mp4", f"media/{render.sha256[:24]}.jpg"
    _copied(MediaStore(found.corpus).fetch(render.media, render.sha256, media_cache()), folder / file)
    _pictured(folder / file, folder / poster)
    muted = "" if name in ("driving", "recording") else " muted"  # one sound is enough: it is the same in all
    size = f"{render.width}×{render.height}, {render.fps:g} fps"
    return (
        f"<figure><video src='{file}' poster='{poster}' controls"
        f" preload='none'{muted}></video><figcaption>{html.escape(name)} <span>{size}</span></figcaption></figure>"
    )


def _copied(path: Path, place: Path) -> None:
    if not place.exists():
        part = place.with_suffix(".part")
        shutil.copyfile(path, part)
        os.replace(part, place)


def _pictured(video: Path, place: Path) -> None:
    """The first frame, shown until the video is played: a page of a hundred videos that loads them all is slow."""
    from PIL import Image

    if not place.exists():
        first = next(iter(VideoFrames(video)))
        Image.fromarray(first.rgb(height=352)).save(place, quality=85)


def board_lines(found: Board) -> Iterable[list[str]]:
    """The table as strings, its head first, a metric a row: for the terminal, which is narrow."""
    rows = found.rows
    apart = {row.maker: f" ({row.renders} of {len(found.pairs)} pairs)" for row in found.partial}
    yield ["metric", *(row.maker + apart.get(row.maker, "") for row in rows)]
    for metric in found.metrics:
        cells = [row.cells.get(metric.variant) for row in rows]
        counts = ["" if cell is None or cell.pairs == len(found.pairs) else f" (n={cell.pairs})" for cell in cells]
        values = [
            "–" if cell is None else f"{cell.value:.4g}{count}" for cell, count in zip(cells, counts, strict=True)
        ]
        yield [f"{metric.variant} {ARROWS[metric.definition.better]}".strip(), *values]
