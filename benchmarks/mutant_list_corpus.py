"""More mutants of `benchmarks/mutants.py`: what is kept of a corpus, what is chosen of it, and what is taken down."""

from benchmarks.mutant_list import Mutant

MANIFESTS, QUERY, TAKEDOWN, RELEASE = (
    f"tests/{name}/" for name in ("manifests", "pipeline/query", "pipeline/takedown", "pipeline/release")
)
OF = {"manifests": MANIFESTS, "pipeline/query": QUERY, "pipeline/takedown": TAKEDOWN, "pipeline/release": RELEASE}


def _of(file: str, name: str, old: str, new: str, *more: str) -> Mutant:
    return Mutant(name, file, old, new, (OF[file.rpartition("/")[0]], *more))


CORPUS = [
    # The ledger and the tables.
    _of(
        "manifests/ledger.py",
        "sum_ignores_failed",
        "read != answered + dropped + failed or",
        "read < answered + dropped or",
    ),
    _of("manifests/ledger.py", "sum_ignores_reasons", "if self.drops != sum(self.reasons.values()):", "if False:"),
    _of("manifests/ledger.py", "duplicate_counts_twice", "if drop.reason == DUPLICATE_KEY:", "if not drop.reason:"),
    _of("manifests/ledger.py", "failed_as_dropped", '"failed" if drop.failed else "dropped"', '"dropped"'),
    _of(
        "manifests/ledger.py",
        "take_back_forgets_noted",
        'sources, receipt = {*sources, *noted["sources"]}, receipt',
        "sources, receipt = {*sources}, receipt",
    ),
    _of("manifests/manifest.py", "receipt_unchecked", "        receipt.check(where, found={", "        dict(found={"),
    _of("manifests/manifest.py", "late_takedown_unseen", "!= (asked or Takedowns(())):", "!= gone:"),
    _of(
        "manifests/manifest.py",
        "struck_keeps_media",
        "MediaStore(self.root).delete(place)",
        "MediaStore(self.root).has(place)",
    ),
    _of("manifests/manifest.py", "refined_beside", "if table in step.refines else", "if table in () else"),
    _of(
        "manifests/manifest.py",
        "attached_on_stale_rows",
        "if read and shard in",
        "if shard in",
        "tests/pipeline/scoring/",
    ),
    _of(
        "manifests/manifest.py",
        "current_without_receipt",
        "            if shard not in self._committed[step.version]:",
        "            if False:",
    ),
    _of(
        "manifests/listing.py",
        "number_used_again",
        '_numbers(self.names(f"{Dropped.table}/{LISTED}"))], default=-1)',
        "-1], default=-1)",
    ),
    _of("manifests/listing.py", "shard_without_end", "SHARD_SOURCES = 16", "SHARD_SOURCES = 16000"),
    _of(
        "manifests/listing.py",
        "sources_first",
        "            rows[Source] = mine  # last",
        "            rows = {Source: mine, **rows}  # last",
    ),
    _of("manifests/listing.py", "taken_down_listed_again", "if gone and gone.gone(source)}", "if gone and not gone}"),
    _of("manifests/listing.py", "moved_though_there", " and not os.path.exists(uri)", ""),
    _of("manifests/schema.py", "newer_read", "    if of > VERSION:", "    if of > VERSION + 1:"),
    _of("manifests/schema.py", "down_loses", "if lost := sum(", "if lost := 0 * sum("),
    _of(
        "manifests/renames.py",
        "reasons_do_not_add_up",
        'renamed[name] + made if name in renamed and under == "reasons"',
        'made if name in renamed and under == "reasons"',
    ),
    _of(
        "manifests/renames.py",
        "parameters_renamed",
        'made = inner if key == "parameters" else',
        'made = inner if key == "" else',
    ),
    _of("manifests/migration.py", "old_receipts_stay", "for name in [*stale, *moves]:", "for name in [*moves]:"),
    _of(
        "manifests/takedowns.py",
        "content_comes_back",
        "or (source.sha256 and source.sha256 in one.sources.values())",
        "or False",
    ),
    _of("manifests/takedowns.py", "face_is_any", "bool(alike) and median(alike) > SAME_FACE", "bool(alike)", TAKEDOWN),
    _of("manifests/takedowns.py", "heard_is_not_shown", "            > HEARD_S\n", "            > 1e9\n", TAKEDOWN),
    _of(
        "manifests/takedowns.py",
        "bytes_not_cut",
        "value[i * each : (i + 1) * each] for i in kept",
        "value[i * each : (i + 1) * each] for i in range(len(sides))",
        TAKEDOWN,
    ),
    _of(
        "manifests/takedowns.py",
        "half_of_a_turn",
        "(turn.end_s - turn.start_s) / 2",
        "(turn.end_s - turn.start_s) * 2",
        TAKEDOWN,
    ),
    # Takedowns.
    _of(
        "pipeline/takedown/removal.py",
        "driven_shards_stay",
        "            self.driven.add(shard)",
        "            self.driven.discard(shard)",
    ),
    _of(
        "pipeline/takedown/removal.py",
        "plan_writes",
        "        if not self.dry:\n            sink",
        "        if True:\n            sink",
    ),
    _of("pipeline/takedown/removal.py", "retries_keep_names", "if name not in self.sources]) !=", "if name]) !="),
    _of(
        "pipeline/takedown/removal.py",
        "fingerprint_of_person_stays",
        "        if table is Fingerprint:",
        "        if table is None:",
    ),
    _of("pipeline/takedown/removal.py", "shared_media_goes", "sorted(self.media - shared)", "sorted(self.media)"),
    _of(
        "pipeline/takedown/removal.py",
        "cache_keeps_copy",
        "(media_cache() / Path(place).name).unlink(missing_ok=True)",
        "(media_cache() / Path(place).name)",
    ),
    _of(
        "pipeline/takedown/removal.py",
        "scratch_stays",
        "                    shutil.rmtree(scratch)",
        "                    scratch.exists()",
    ),
    _of(
        "pipeline/takedown/removal.py",
        "notes_of_pairs_stay",
        "                            self.manifest.delete(name)",
        "                            self.manifest.load(name)",
        "tests/pipeline/corpus_steps/test_generation.py",
    ),
    _of(
        "pipeline/takedown/removal.py",
        "receipts_as_before",
        "            self.manifest.commit(step, shard, new)",
        "            self.manifest.receipt(step, shard)",
    ),
    _of(
        "pipeline/takedown/removal.py",
        "box_of_person_stays",
        "            if not fewer:\n",
        "            if fewer is not None:\n",
    ),
    _of(
        "pipeline/takedown/takedown.py",
        "demand_not_kept",
        "    manifest.save(takedowns.FILE, [*others, asdict(demand)])",
        "    manifest.load(takedowns.FILE)",
    ),
    _of("pipeline/takedown/takedown.py", "earlier_demands_lost", "[*others, asdict(demand)]", "[asdict(demand)]"),
    _of(
        "pipeline/takedown/takedown.py",
        "taken_without_consent",
        "    if not agree(plan.report):",
        "    if not agree(plan.report) and False:",
        "tests/pipeline/commands/test_takedown.py",
    ),
    _of(
        "pipeline/takedown/takedown.py",
        "lists_name_it",
        "    manifest.forget_sources(demand.sources)",
        "    manifest.lists()",
    ),
    _of(
        "pipeline/takedown/releases.py",
        "empty_shard_stays",
        "            place.delete(shard.name)\n            place.files.delete",
        "            place.files.delete",
    ),
    _of(
        "pipeline/takedown/releases.py",
        "clip_of_source_stays",
        'any(clip.startswith(f"{source}/") for source in self.sources)',
        "False",
    ),
    _of(
        "pipeline/takedown/releases.py",
        "index_as_before",
        "            place.write_index(left)",
        "            place.shards()",
    ),
    _of("pipeline/takedown/releases.py", "another_s_release", 'facts.get("name") not in names:', "facts is names:"),
    # What is chosen.
    _of(
        "pipeline/query/selection.py",
        "version_without_query",
        'hashlib.sha256(f"{text}\\n".encode())',
        "hashlib.sha256()",
    ),
    _of(
        "pipeline/query/selection.py",
        "name_is_a_path",
        "    if not NAME.fullmatch(name):",
        "    if not name:",
        "tests/pipeline/commands/test_selecting.py",
    ),
    _of(
        "pipeline/query/selection.py",
        "foreign_record",
        "    if (found.name, found.version) != (name, version):",
        "    if False:",
    ),
    _of("pipeline/query/selection.py", "first_digits_of_many", "    if len(found) != 1:", "    if not found:"),
    _of(
        "pipeline/query/predicates.py",
        "between_is_one",
        '("COMPARE_LESSTHANOREQUALTO", "upper")):',
        "):",
        "tests/pipeline/commands/test_selecting.py",
    ),
    _of(
        "pipeline/query/predicates.py",
        "not_turned",
        "right, left, TURNED[sign]",
        "right, left, sign",
        "tests/pipeline/commands/test_selecting.py",
    ),
    # What is given away.
    _of(
        "pipeline/release/release.py",
        "paths_of_the_machine",
        "then uri else regexp_extract(uri, '[^/]*$') end",
        "then uri else uri end",
    ),
    _of("pipeline/release/release.py", "copies_named", '"exclude (duplicate_of) " if', '"" if'),
    _of(
        "pipeline/release/release.py",
        "full_is_over_full",
        'row["split"] != at or held + row["bytes"] > shard_bytes',
        'row["split"] != at',
    ),
    _of("pipeline/release/release.py", "splits_mixed", 'row["split"] != at or held', "held"),
    _of(
        "pipeline/release/release.py",
        "same_key_twice",
        '            if (key := key_of(row["clip_id"])) in keys:',
        '            if (key := key_of(row["clip_id"])) in ():',
    ),
    _of(
        "pipeline/release/release.py",
        "stale_shard_stays",
        "            place.delete(one)",
        "            place.has(before[one])",
    ),
    _of(
        "pipeline/release/release.py",
        "foreign_folder_taken",
        "    if not ours and (place.files.names",
        "    if False and (place.files.names",
    ),
    _of("pipeline/release/release.py", "whole_shard_again", "before.plan == planned and place.holds(before)", "False"),
    _of("pipeline/release/formats.py", "dot_in_key", 'r"[^A-Za-z0-9_-]"', 'r"[^A-Za-z0-9_.-]"'),
    _of(
        "pipeline/release/formats.py",
        "taken_down_stays_in_tar",
        'if member.name.rpartition(".")[0] not in keys:',
        "if member.name not in keys:",
        TAKEDOWN,
    ),
    _of(
        "pipeline/release/formats.py",
        "taken_down_stays_in_parquet",
        "rows.filter(pc.invert(pc.is_in(rows",
        "rows.filter(pc.is_valid(pc.is_in(rows",
        TAKEDOWN,
    ),
]
