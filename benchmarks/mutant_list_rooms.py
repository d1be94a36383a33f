"""More mutants of `benchmarks/mutants.py`: takedown, listing, commands.

They were written from the code alone, before a look at what its tests hold.
"""

from benchmarks.mutant_list import of


def _tests(room: str, names: str) -> tuple[str, ...]:
    return tuple(f"tests/{room}/test_{name}.py" for name in names.split())


_REMOVAL, _TAKEN, _RELEASES = (
    f"tests/pipeline/takedown/test_{name}.py" for name in ("removal", "takedown", "releases")
)
_TAKEDOWN = [
    *of(
        "pipeline/takedown/naming.py",
        ("tests/pipeline/takedown/test_naming.py",),
        pair_ids_stay=('"[#@=].*$"', '"[#@].*$"'),
        pair_of_source_stays=('for mark in "/="', 'for mark in "/"'),
        longer_name_goes=('f"{source}{mark}"', "source"),
    ),
    *of(
        "pipeline/takedown/removal.py",
        (f"{_REMOVAL}::test_what_killed_writers_left_is_deleted",),
        parts_unswept=('sorted(Path(self.manifest.root).rglob("*.part"))', "()"),
    ),
    *of(
        "pipeline/takedown/removal.py",
        (f"{_REMOVAL}::test_conditions_no_longer_name_what_is_gone", _RELEASES, _TAKEN),
        conditions_as_before=(
            "where = forget(chosen.where, self.sources | self.clips, self.names)",
            "where = chosen.where",
        ),
        seconds_as_before=('pc.sum(left["seconds"])', 'pc.sum(rows["seconds"])'),
    ),
    *of(
        "pipeline/takedown/removal.py",
        (f"{_REMOVAL}::test_what_another_run_rendered_is_deleted_and_its_receipt_with_it", _REMOVAL),
        unknown_receipt_stays=(
            "            self.manifest.forget(step, shard)\n            return",
            "            return",
        ),
        killed_one_forgotten=(" or noted & self.sources)", ")"),
    ),
    *of(
        "pipeline/takedown/removal.py",
        (_TAKEN, _REMOVAL),
        file_of_person_stays=(
            "            if table is Source\n            else cut\n",
            "            if table is None\n            else cut\n",
        ),
        identity_of_killed=('row["track_id"] not in left for row', 'row["track_id"] in self.ids for row'),
    ),
    *of(
        "pipeline/takedown/takedown.py",
        (_TAKEN, _REMOVAL),
        earlier_regions_lost=(
            "[*(before.regions if before else []), *_regions(manifest, rows)]",
            "_regions(manifest, rows)",
        ),
        content_not_noted=("{source_id: sha256}, [], [])", '{source_id: ""}, [], [])'),
        catalog_stays=('        "catalog/iceberg"\n', '        "catalog/none"\n'),
        copies_untold=("_copies(manifest, set(demand.sources)) if demand.sources else []", "[]"),
        voice_unknown=('voices = {clip.speaker for clip in mine} - {""}', "voices = set[str]()"),
        clips_not_noted=("sorted({*demand.clips, *plan.clips})", "demand.clips"),
    ),
    *of(
        "manifests/takedowns.py",
        ("tests/manifests/test_takedowns.py",),
        no_crop_no_face=(
            "        if not self.times_s or any(side is None for side in sides):\n            return True",
            "        if not self.times_s or any(side is None for side in sides):\n            return False",
        ),
        box_stands_still=("side[a] + share * (side[b] - side[a])", "side[a]"),
        turns_stay=("return isinstance(row, Turn) and any(", "return isinstance(row, Turn) and not any("),
        between_looks_unseen=("            *(t for t in self.times_s if clip.start_s <= t < clip.end_s),\n", ""),
    ),
    *of(
        "pipeline/takedown/releases.py",
        (_RELEASES,),
        unfinished_shards_stay=("        for shard in begun:\n", "        for shard in ():\n"),
        release_unswept=("            place.sweep()\n", "            place.begun()\n"),
        unfinished_described=('        if facts.get("finished"):\n', "        if True:\n"),
    ),
    *of(
        "pipeline/takedown/face_search.py",
        _tests("pipeline/takedown", "face_search"),
        any_network=("return model in NETWORKS and NETWORKS[model].weight.obtainable()", "return True"),
        best_look=(
            "FaceMatch(source_id, track_id, float(np.median(cosines))",
            "FaceMatch(source_id, track_id, float(np.max(cosines))",
        ),
        guessed_looks=("if confidence > 0]", "if confidence >= 0]"),
    ),
]

_LISTS = _tests("pipeline/listing", "lists listing lists_of_entries ranges")
_LISTING = [
    *of(
        "pipeline/listing/listing.py",
        _LISTS,
        poorest_first=(
            "return not source.sha256, not source.licence, source.uri,",
            "return source.uri, not source.sha256, not source.licence,",
        ),
        twice_refused=("        if times[subject] > 1:\n", "        if times[subject] > 2:\n"),
        last_seconds=("entry.seconds if known is None else known", "entry.seconds"),
        clip_twice=("        if name not in asked:\n", "        if True:\n"),
    ),
    *of(
        "pipeline/listing/sources.py",
        _LISTS,
        id_before_file=(
            "        if not os.path.lexists(path):\n            if addresses",
            "        if True:\n            if addresses",
        ),
        prefix_is_a_video=(r'r"(?i)s3://([^/]+|.*/)"', r'r"(?i)s3://([^/]+)"'),
    ),
    *of(
        "pipeline/listing/lists.py",
        _LISTS,
        capitals_in_sum=("row.text, where, base, sha256.lower(),", "row.text, where, base, sha256,"),
    ),
    *of(
        "pipeline/listing/hashes.py",
        _LISTS,
        changed_is_same=("and changed_ns = ?", "and changed_ns >= 0 * ?"),
        just_changed_is_kept=("if time.time_ns() - found.st_ctime_ns > self.SETTLED_NS:", "if True:"),
    ),
    *of(
        "pipeline/listing/ranges.py",
        _LISTS,
        empty_range=("and start_s < end_s\n", "and start_s <= end_s\n"),
        length_is_end=("float(Decimal(repr(start_s)) + Decimal(repr(length_s)))", "length_s"),
        npt_unread=('value.removeprefix("npt:")', "value"),
    ),
    *of(
        "pipeline/listing/forms.py",
        _LISTS,
        blanks_in_cells=(
            "reader = csv.reader(closed(), delimiter=separator, skipinitialspace=True)",
            "reader = csv.reader(closed(), delimiter=separator)",
        ),
        quote_swallows=("        if cells and cells[-1].endswith(_END):\n", "        if False:\n"),
        lines_of_cells=("        line = reader.line_num + 1\n", "        line += 1\n"),
        comment_is_header=("if len(cells) == width > 1 and told & columns.HEADER:", "if told & columns.HEADER:"),
        two_addresses=('if named and text.count("://") == 1 else text', "if named else text"),
    ),
    *of(
        "pipeline/listing/folders.py",
        _tests("pipeline/listing", "folders"),
        link_gives_the_name=("(links if entry.is_symlink() else pending)", "pending"),
        own_output_searched=(
            '"what --out writes" if os.path.realpath(here) in skipped else made_by_us(here)',
            "made_by_us(here)",
        ),
        hidden_searched=('            elif entry.name.startswith("."):\n', "            elif False:\n"),
    ),
    *of("pipeline/listing/text_files.py", _LISTS, utf32_as_utf16=('(codecs.BOM_UTF32_LE, "utf-32"), ', "")),
    *of(
        "pipeline/listing/columns.py",
        _LISTS,
        last_column=("(values.count(2), values.count(1), -number)", "(values.count(2), values.count(1), number)"),
    ),
]

_COMMANDS = [
    *of(
        "pipeline/commands/run.py",
        (*_tests("pipeline/commands", "run"), *_tests("pipeline", "main"), *_tests("pipeline/listing", "folders")),
        nothing_is_run=("    if options.videos and not listing.sources:\n", "    if False:\n"),
        clips_lost=("    if left and Published in recipe.given:\n", "    if False:\n"),
    ),
    *of(
        "pipeline/commands/retry.py",
        _tests("pipeline/commands", "retry"),
        foreign_recipe_runs=("    if not file and last.origin not in recipe_names():\n", "    if False:\n"),
        foreign_text_set=("        if _is_plain(assignment) and ", "        if "),
        other_steps=("    if _versions(plan) != [step.version for step in last.steps]:\n", "    if False:\n"),
    ),
    *of(
        "pipeline/commands/gc.py",
        (*_tests("pipeline", "main"), *_tests("pipeline/commands", "command_line"), "tests/manifests/test_checking.py"),
        dry_run_deletes=("        if options.dry_run:\n", "        if False:\n"),
        unasked=("            if not sys.stdin.isatty():\n", "            if False:\n"),
    ),
    *of(
        "pipeline/commands/takedown.py",
        _tests("pipeline/commands", "takedown"),
        nobody_asked=("    if not (options.dry_run or options.yes or sys.stdin.isatty()):\n", "    if False:\n"),
        undone_is_done=("    return 0 if found.done else 1\n", "    return 0\n"),
    ),
    *of(
        "pipeline/commands/check.py",
        (*_tests("pipeline", "main"), *_tests("pipeline/commands", "command_line"), "tests/manifests/test_checking.py"),
        faults_are_fine=('--repair")\n        return 1\n', '--repair")\n        return 0\n'),
    ),
    *of(
        "pipeline/commands/export.py",
        _tests("pipeline/commands", "export"),
        problems_are_fine=("    return 1 if problems else 0\n", "    return 0\n"),
    ),
]
ROOMS = [*_TAKEDOWN, *_LISTING, *_COMMANDS]
