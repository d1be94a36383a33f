# ruff: noqa: S608 - the queries are of this file and of the user, over tables that DuckDB cannot change
"""The datasheet of a release: what is in it, what was left out, and for whom that differs."""

import hashlib
import io
import json
from typing import Any

from manifests.manifest import Manifest
from manifests.tables import Dropped
from pipeline.query.balance import ANNOTATED, balance
from pipeline.query.fates import proposes_clips
from pipeline.query.selection import Selection
from pipeline.release.catalog.croissant import of_release
from pipeline.views.facts import clock

GROUPS = ("language", *ANNOTATED)  # that filters are compared by, where they are known
HEIGHTS = (144, 240, 360, 480, 720, 1080, 1440, 2160)
READ = {
    "webdataset": (
        'clips = datasets.load_dataset("webdataset", data_files={files})\nclips = clips.cast_column("mp4",'
        " datasets.Video(decode=False))  # the bytes; without this line, frames by torchcodec"
    ),
    "parquet": (
        'clips = datasets.load_dataset("parquet", data_files={files})\nloader ='
        ' torch.utils.data.DataLoader(clips["{first}"].with_format("torch"), batch_size=None)  # clip["video"]: the'
        " bytes of an mp4"
    ),
    "folder": (
        'rows = [json.loads(path.read_text()) for path in sorted(Path(".").glob("*-*/*.json"))]\n'
        'videos = sorted(Path(".").glob("*-*/*.mp4"))'
    ),
}
PLOTS = ("clips", "scores")
PATTERN = {"webdataset": "-*.tar", "parquet": "-*.parquet", "folder": "-*/*"}


def describe(
    place: Any, manifest: Manifest, name: str, form: str, chosen: Selection | None, shards: list[Any], rows: Any
) -> float:
    """Writes `README.md`, `plots/` and `release.json` beside the shards. Returns the seconds of all clips."""
    facts = gather(rows.connection, manifest)
    digest = digest_of(shards)
    run = manifest.run
    facts = {
        "name": name, "finished": True, "format": form, "sha256": digest, "shards": len(shards),
        "bytes": sum(shard.bytes for shard in shards),
        "selection": {"name": chosen.name, "version": chosen.version, "where": chosen.where} if chosen else None,
        "recipe": {"name": run.recipe, "changes": run.changes, "steps": [step.version for step in run.steps],
                   "stand_ins": {step.operator: step.stand_in for step in run.steps if step.stand_in}} if run else None,
        "takedowns": len(manifest.load("takedowns.json") or []), **facts,
    }  # fmt: skip
    drawn = plots(rows.connection, facts) if facts["clips"] else {}
    for plot in PLOTS:
        if plot in drawn:
            place.files.put(f"plots/{plot}.png", drawn[plot])
        else:
            place.files.delete(f"plots/{plot}.png")
    place.files.put("README.md", readme(facts).encode())
    place.files.save("croissant.json", of_release(facts, shards, rows.columns()))
    place.files.save("release.json", facts)
    return facts["seconds"]


# Numbers of a clip that say where it lies, not how good it is.
NO_SCORES = frozenset(
    ("start_s", "end_s", "left_px", "top_px", "right_px", "bottom_px", "fps", "source_fps", "source_seconds")
)


def digest_of(shards: list[Any]) -> str:
    """What the shards of a release hold together."""
    return hashlib.sha256("".join(f"{shard.name} {shard.sha256}\n" for shard in shards).encode()).hexdigest()


def gather(connection: Any, manifest: Manifest) -> dict[str, Any]:
    """What is to be told of the clips that are released, as numbers."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    there = {name: kind for name, kind, *_ in ask("describe released")}
    connection.execute("create or replace view given as select * from released where media is not null")

    def counts(expression: str) -> dict[str, dict[str, float]]:
        found = ask(
            f"select coalesce(nullif(cast({expression} as varchar), ''), 'unknown') as what, count(*), sum(seconds)"
            " from given group by 1 order by 2 desc, 1"
        )
        return {what: {"clips": clips, "seconds": round(seconds, 3)} for what, clips, seconds in found}

    clips, seconds, sources, channels = ask(
        "select count(*), coalesce(sum(seconds), 0), count(distinct source_id), count(distinct nullif(channel, ''))"
        " from given"
    )[0]
    lines = " ".join(f"when source_height >= {height} then '{height} lines and more'" for height in reversed(HEIGHTS))
    scores = {}
    for name in [name for name, kind in there.items() if kind == "DOUBLE" and name not in NO_SCORES]:
        low, middle, high, known = ask(
            f'select quantile_disc("{name}", 0.05), quantile_disc("{name}", 0.5), quantile_disc("{name}", 0.95),'
            f' count("{name}") from given'
        )[0]
        if known:
            scores[name] = {"p5": low, "median": middle, "p95": high, "clips": known}
    moved, least_s, most_s = (
        ask(
            "select count(distinct source_id), min(abs(sound_late_s)), max(abs(sound_late_s)) from given where"
            " sound_late_s != 0"
        )[0]
        if "sound_late_s" in there
        else (0, None, None)
    )
    drops: dict[str, int] = {}
    for row in _drops(manifest):
        drops[row] = drops.get(row, 0) + 1
    return {
        "clips": clips, "seconds": round(seconds, 3), "sources": sources, "channels": channels,
        "sound_moved": {"sources": moved, "least_s": least_s, "most_s": most_s},
        "identities": (
            ask('select count(distinct nullif("identity", \'\')) from given')[0][0] if "identity" in there else None
        ),
        "not_rendered": ask("select count(*) from released where media is null")[0][0],
        "splits": counts("split"), "languages": counts("language"), "licences": counts("licence"),
        "source_resolution": counts(f"case {lines} else 'fewer than {HEIGHTS[0]} lines' end"),
        "clip_resolution": counts("width || ' x ' || height || ', ' || fps || ' frames a second'"),
        "columns": sorted(there), "scores": scores,
        "left_out": dict(sorted(drops.items(), key=lambda one: (-one[1], one[0]))),
        "groups": {group: shares for group in GROUPS if (shares := _shares(connection, manifest, group, there))},
        "costs": _costs(manifest),
    }  # fmt: skip


def _costs(manifest: Manifest) -> list[dict[str, Any]]:
    """The filters that surely cost one group more than the others, as `headset balance` tells them."""
    return [
        {"filter": f"{cost.operator}: {cost.reason}", "grouping": cost.grouping, "group": cost.group,
         "share": round(cost.share, 4), "others": round(cost.others, 4)}
        for cost in (balance(manifest).costs if proposes_clips(manifest) else ()) if cost.is_sure
    ]  # fmt: skip


def _drops(manifest: Manifest) -> list[str]:
    """Why rows of the corpus did not survive: `<table>: <operator>: <reason>`."""
    found = []
    table = manifest.dataset(Dropped)
    for batch in table.to_batches():
        for row in batch.select(["subject_table", "operator", "reason"]).to_pylist():
            found.append(f"{row['subject_table']}: {row['operator']}: {row['reason']}")  # noqa: PERF401 - batch by batch
    return found


def _shares(connection: Any, manifest: Manifest, group: str, there: dict[str, str]) -> dict[str, dict[str, float]]:
    """By group what share of the corpus came through to the release: of its sources by language, of its clips by what
    annotations say.
    """
    if group not in there:
        return {}
    if group == "language":
        from manifests.tables import Source

        connection.register(
            "everything",
            (
                manifest.dataset(Source).to_table(columns=["source_id", "language"])
                if manifest.files(Source)
                else manifest.table(Source)
            ),
        )
        connection.execute(
            "create or replace temp table all_of as select source_id as one, language as what from everything"
        )
        mine = "select distinct source_id as one from given"
    else:
        from pipeline.query.clip_view import see_wide
        from pipeline.query.database import connect

        inner = connect()
        see_wide(manifest, inner, group)
        connection.register("everything", inner.sql(f'select clip_id, "{group}" as what from wide').to_arrow_table())
        connection.execute("create or replace temp table all_of as select clip_id as one, what from everything")
        mine = "select clip_id as one from given"
    query = f"""select what, count(*), count(mine.one) from all_of left join ({mine}) as mine on mine.one = all_of.one
        where coalesce(what, '') != '' group by 1 order by 2 desc, 1"""  # fmt: skip
    return {
        what: {"in_corpus": total, "released": kept, "share": round(kept / total, 4)}
        for what, total, kept in connection.execute(query).fetchall()
    }


def readme(facts: dict[str, Any]) -> str:
    """The datasheet as Markdown, with the head that a dataset hub reads."""
    form, splits = facts["format"], facts["splits"]
    files = {split: f"{split}{PATTERN[form]}" for split in splits}
    head = [line for split, pattern in files.items() for line in (f"  - split: {split}", f'    path: "{pattern}"')]
    lines = ["---", "configs:", "- config_name: default", "  data_files:", *head, "---", ""] if files else []
    lines += [f"# {facts['name']}", ""]
    chosen = facts["selection"]
    what = (
        f"the selection {chosen['name']}:{chosen['version']} (`{chosen['where']}`)" if chosen else "all rendered clips"
    )
    recipe = f" The corpus was made by the recipe {facts['recipe']['name']} of headset." if facts["recipe"] else ""
    recipe += "".join(
        f" {operator}: {line}." for operator, line in (facts["recipe"] or {}).get("stand_ins", {}).items()
    )
    lines += [f"{facts['clips']} clips, {clock(facts['seconds'])}, of {facts['sources']} sources and"
              f" {facts['channels']} known channels"
              + (f", {facts['identities']} named identities" if facts["identities"] else "") + f": {what}.{recipe}",
              ""]  # fmt: skip
    lines += [
        (
            f"Format: {form}, {facts['shards']} shards, {facts['bytes'] / 1e6:.1f} MB; `index.jsonl` has their sha256."
            f" Shards together: {facts['sha256'][:16]}."
        ),
        "",
    ]
    lines += (
        _of_clips(facts, files)
        if facts["clips"]
        else ["It holds no clip: none is chosen, or all that were in it were taken down.", ""]
    )
    lines += ["## What the corpus left out, and why", "", "| row: operator: reason | rows |", "|---|---|"]
    lines += [f"| {why} | {count} |" for why, count in facts["left_out"].items()]
    if facts["not_rendered"]:
        lines += ["", f"{facts['not_rendered']} clips are not rendered, and so not released."]
    lines += ["", "## Whom the filters leave out", ""]
    if not facts["groups"]:
        lines += [
            "Neither languages nor any annotation that names a group are known of the corpus, so this cannot be told.",
            "",
        ]
    for group, shares in facts["groups"].items():
        lines += [f"| {group} | in the corpus | released | share |", "|---|---|---|---|"]
        lines += [
            f"| {what} | {of['in_corpus']} | {of['released']} | {of['share']:.1%} |" for what, of in shares.items()
        ] + [""]
    lines += _of_costs(facts["costs"])
    lines += ["## Takedowns", "",
              f"{facts['takedowns']} so far. Whoever wants to be taken out can ask whoever gave this release away; "
              "`headset takedown` removes every row, file and shard entry, here and in later runs.", ""]  # fmt: skip
    return "\n".join(lines)


def _of_costs(costs: list[dict[str, Any]]) -> list[str]:
    """What filters of the corpus cost whom, and what that is not."""
    lines = [
        "Groups are those that sites, lists and annotations name, and what was measured of films and faces: headset"
        " guesses nobody's age, gender or descent.", ""
    ]  # fmt: skip
    if not costs:
        return [*lines, "No filter surely cost one group more seconds than the others (`headset balance`).", ""]
    lines += ["Filters that surely cost one group more than the others, of the seconds that reached them:", "",
              "| filter | by | costs most | of it | of others |", "|---|---|---|---|---|"]  # fmt: skip
    lines += [
        f"| {one['filter']} | {one['grouping']} | {one['group']} | {one['share']:.1%} | {one['others']:.1%} |"
        for one in costs
    ]
    return [*lines, ""]


def _of_clips(facts: dict[str, Any], files: dict[str, str]) -> list[str]:
    """What is told of a release that holds some."""
    lines = ["What is not known of a clip is NaN or an empty text, in Parquet null.", ""]
    if (moved := facts["sound_moved"])["sources"]:
        lines += [
            f"Sources whose sound was off by headset's estimate and is moved in their clips: {moved['sources']}, by"
            f" {moved['least_s'] * 1000:.0f} to {moved['most_s'] * 1000:.0f} ms (`sound_late_s`).",
            "",
        ]
    lines += [
        "```python",
        READ[facts["format"]].format(files=json.dumps(files), first=next(iter(files))),
        "```",
        "",
    ]
    for title, key in (("Splits", "splits"), ("Languages, as the sites tell", "languages"),
                       ("Licences, as listed", "licences"),
                       ("Resolution of the sources", "source_resolution"),
                       ("Resolution of the clips", "clip_resolution")):  # fmt: skip
        lines += [f"## {title}", "", "| | clips | length |", "|---|---|---|"]
        lines += [f"| {what} | {of['clips']} | {clock(of['seconds'])} |" for what, of in facts[key].items()] + [""]
    lines += [
        "![](plots/clips.png)",
        "",
        "## Scores, size and pose",
        "",
        "| column | 5 % | median | 95 % | clips with a value |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {of['p5']:.4g} | {of['median']:.4g} | {of['p95']:.4g} | {of['clips']} |"
        for name, of in facts["scores"].items()
    ]
    return [*lines, "", "![](plots/scores.png)", ""]


def plots(connection: Any, facts: dict[str, Any]) -> dict[str, bytes]:
    """Two pictures: what the clips are, and how the scores are spread."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    def saved(figure: Any) -> bytes:
        # Margins that are known beforehand: to measure every label took half of the time of a small release.
        figure.subplots_adjust(0.04, 0.06, 0.98, 0.94, wspace=0.22, hspace=0.42)
        figure.savefig(sink := io.BytesIO(), dpi=100, metadata={"Software": None})
        plt.close(figure)
        return sink.getvalue()

    def histogram(panel: Any, column: str) -> None:
        low, high = connection.execute(f'select min("{column}"), max("{column}") from given').fetchall()[0]
        width = (high - low) / 30 or 1.0
        query = (
            f'select least(29, floor(("{column}" - {low!r}) / {width!r})) as bin, count(*) from given where "{column}"'
            " is not null group by 1 order by 1"
        )
        found = connection.execute(query).fetchall()
        panel.bar(
            [low + bin * width for bin, _ in found],
            [count for _, count in found],
            width=width,
            align="edge",
            color="#3a9d5d",
        )
        panel.set_title(column, fontsize=9)
        panel.locator_params(nbins=4)
        panel.tick_params(labelsize=7)

    figure, axes = plt.subplots(2, 2, figsize=(10, 6))
    for panel, key in zip(axes.flat, ("splits", "languages", "licences", "source_resolution"), strict=True):
        shown = list(facts[key].items())[:12]
        panel.barh(range(len(shown)), [of["clips"] for _, of in shown], color="#9fd3b1")
        for line, (what, _) in enumerate(shown):
            panel.text(0.01, line, what[:60], transform=panel.get_yaxis_transform(), va="center", fontsize=8)
        panel.set_yticks([])
        panel.invert_yaxis()
        panel.set_title(f"clips by {key.replace('_', ' ')}", fontsize=9)
    found = {"clips": saved(figure)}
    names = list(facts["scores"])[:24]
    figure, axes = plt.subplots(-(-len(names) // 4), 4, figsize=(12, 2.2 * -(-len(names) // 4)), squeeze=False)
    for panel in axes.flat[len(names) :]:
        panel.axis("off")
    for panel, name in zip(axes.flat, names, strict=False):
        histogram(panel, name)
    found["scores"] = saved(figure)
    return found
