"""More mutants of `benchmarks/mutants.py`: engine and storage.

They were written from the code alone, before a look at what its tests hold.
"""

from benchmarks.mutant_list import ENGINE, of

ENGINES = [
    *of(
        "pipeline/engine/agenda.py",
        (ENGINE + "late_answers.py", ENGINE + "agenda.py"),
        commits_before_what_it_read=(
            "return all(before in shard.committed for before in self.after[stage] if before in shard.steps)",
            "return True",
        ),
        clash_is_nothing=(
            "        if clashes:\n            self.anew(job)",
            "        if False:\n            self.anew(job)",
        ),
        neighbours_deaths=(
            "+= 1 if alone.sources == unit.sources and alone.rows == unit.rows else 0",
            "+= 1",
        ),
        pieces_lose_a_row=(
            "rows * (part + 1) // parts)",
            "rows * (part + 1) // parts - (part + 1 < parts))",
        ),
        handles_let_go_early=("in shard.steps.keys() - shard.committed:", "in ():"),
        waits_for_one_of_two=(
            "for before in self.after[stage])\n        if waits",
            "for before in sorted(self.after[stage])[:1])\n        if waits",
        ),
        all_begun_at_once=("self.waiting and self._flying() < self.in_flight:", "self.waiting:"),
        stale_answer_taken=(
            "is None or shard.tries != unit.tries:\n            return\n        cost_s",
            "is None:\n            return\n        cost_s",
        ),
        killed_commit_begins_anew=(
            "            self.again(unit)\n            return\n",
            "            self.anew(unit)\n            return\n",
        ),
        retried_sources_all=(
            "everyone & found.again.get(v, everyone)}",
            "everyone}",
        ),
    ),
    *of(
        "pipeline/engine/units.py",
        (ENGINE + "agenda.py",),
        stages_go_together=(
            "(other.stage, other.shard, other.tries, other.steps) == (self.stage, self.shard, self.tries, self.steps)",
            "(other.shard, other.tries) == (self.shard, self.tries)",
        ),
    ),
    *of(
        "pipeline/engine/outcome.py",
        (ENGINE + "step_log.py", ENGINE + "outcome.py"),
        lost_row_unseen=("    if lost:\n", "    if False:\n"),
        failure_is_final=(
            "        detail,\n        True,\n        True,\n",
            "        detail,\n        True,\n        False,\n",
        ),
        proposed_not_counted=(
            "            if drop.subject != row.row_id:\n",
            "            if drop.subject == row.row_id:\n",
        ),
        paths_told=("{without_paths(str(error))[:1000]}", "{str(error)[:1000]}"),
        old_drops_stay=("shard) if not self.wants(drop)]", "shard)]"),
        drop_ids_clash=("while (Dropped, key) in self._keys:", "while False:"),
        taken_down_answers=('{"answered": -1, "dropped": 1}', '{"dropped": 1}'),
    ),
    *of(
        "pipeline/engine/outcome.py",
        (ENGINE + "agenda.py::test_a_row_that_kills_is_found_and_given_up_and_nothing_else",),
        dies_once=("MAX_DEATHS = 2", "MAX_DEATHS = 1"),
    ),
    *of(
        "pipeline/engine/worker.py",
        (ENGINE + "step_log.py", ENGINE + "retry_rules.py", ENGINE + "late_answers.py", ENGINE + "not_done.py"),
        evicts_what_is_kept=(" and not step.operator.keep_sources:", ":"),
        retried_rows_read=("row for row in rows if row.source_id not in again.get(version, ())", "row for row in rows"),
        retry_committed_twice=("            if again is None and version in job.retried:\n", "            if False:\n"),
        note_of_retry_stays=("            if log.again is not None:\n", "            if log.again is None:\n"),
        failures_before_forgotten=(
            "                if drop.source_id not in again.get(version, ()):\n",
            "                if drop.source_id in again.get(version, ()):\n",
        ),
    ),
    *of(
        "pipeline/engine/worker.py",
        (ENGINE + "terminal.py", ENGINE + "worker.py"),
        terminal_is_input=("    os.dup2(null, 0)\n", "    os.dup2(null, null)\n"),
        many_threads=('    "OMP_NUM_THREADS": "1",\n', '    "OMP_NUM_THREADS": "4",\n'),
    ),
    *of(
        "pipeline/engine/fan_out.py",
        (ENGINE + "fan_out.py",),
        error_is_the_end=(
            "            raise item.error\n        return item",
            "            raise StopIteration\n        return item",
        ),
        first_to_stop_ends_all=("if all(lane.stopped", "if any(lane.stopped"),
        waits_for_stopped=("while not self.stopped.is_set():", "while True:"),
    ),
    *of(
        "pipeline/engine/not_done.py",
        (ENGINE + "not_done.py",),
        spans_that_touch=("max(span[0] for span in spans) < min(", "max(span[0] for span in spans) <= min("),
        any_source=("    if drop.source_id != row.source_id:\n", "    if False:\n"),
        cause_of_the_cause=("return drop.detail if drop.reason == NOT_DONE else ", "return "),
    ),
    *of(
        "pipeline/engine/retry.py",
        (ENGINE + "retry_rules.py",),
        readers_keep_receipts=("for behind in _behind(step.version, readers):", "for behind in {step.version}:"),
        all_is_retried=("if reasons else drop.retryable)", "if reasons else True)"),
        taken_back_from_the_start=("in reversed([*order.static_order()]):", "in [*order.static_order()]:"),
        any_operator=('and operator in ("", step.operator):', "and True:"),
    ),
    *of(
        "pipeline/engine/row_media.py",
        (ENGINE + "step_log.py", ENGINE + "row_media.py"),
        track_of_the_last=("_last_audio[0][0] != (path, track)", "_last_audio[0][0][0] != path"),
        scratch_shared=("os.path.abspath(self.store.root).encode()", "b''"),
        frames_of_the_whole=("span_of(self.row) or (None, None)", "(None, None)"),
    ),
    *of(
        "pipeline/engine/secrets.py",
        (ENGINE + "secrets.py",),
        secret_replaces=("os.environ.setdefault(name, value)", "os.environ[name] = value"),
        secrets_for_all=("0o600)", "0o644)"),
    ),
    *of(
        "pipeline/engine/travel.py",
        (ENGINE + "secrets.py",),
        secret_by_value=("if name in PLAIN and not holds_secret(value)}", "if name in PLAIN}"),
    ),
]

STORAGE = [
    *of(
        "manifests/lease.py",
        ("tests/manifests/test_lease.py",),
        process_number_again=("return _born(holder.pid) != holder.born", 'return _born(holder.pid) == ""'),
        not_watched=("- first >= WATCH_S", "- first >= 0"),
        stays_held=("        self._say(over=True)\n", "        self._say()\n"),
        slow_taker=("        if self._last()[0] != number:\n", "        if False:\n"),
        waits_unasked=("                if not self.wait:\n", "                if False:\n"),
    ),
    *of(
        "manifests/folder.py",
        ("tests/manifests/test_storage.py",),
        folder_unsynced=(
            "        if durable:\n            _sync_folder(os.path",
            "        if False:\n            _sync_folder(os.path",
        ),
        file_unsynced=(
            "                if durable:\n                    stream.flush()",
            "                if False:\n                    stream.flush()",
        ),
        parts_are_files=(" and not entry.name.endswith(PART):", ":"),
        other_disk=("if error.errno != errno.EXDEV:", "if True:"),
        part_is_told=("where = path if where.endswith(PART) else where", "where = where"),
    ),
    *of(
        "manifests/bucket.py",
        ("tests/manifests/test_storage.py", "tests/manifests/test_media.py"),
        mark_unread=('return self._head(name).get("Metadata", {}).get(MARK) == mark', "return False"),
        made_over_another=('IfNoneMatch="*", ', ""),
        body_read_once=("READ_TRIES = 5", "READ_TRIES = 1"),
        parts_left=('s3_client().abort_multipart_upload(**self._where(name), UploadId=upload["UploadId"])', "pass"),
        silence_for_ever=("        raise ReadTimeoutError(endpoint_url=request.url)", "        return"),
    ),
    *of(
        "manifests/cache.py",
        ("tests/manifests/test_cache.py",),
        all_are_held=("while len(_held) > HELD:", "while len(_held) > HELD + 99:"),
        newest_go=("in sorted(copies):", "in sorted(copies, reverse=True):"),
        no_room_for_it=("if total + needed <= budget:", "if total <= budget:"),
    ),
    *of(
        "manifests/media.py",
        ("tests/manifests/test_media.py",),
        touched_is_same=("stat.st_size, stat.st_mtime_ns, sha256)", "stat.st_size, 0, sha256)"),
        half_a_file_is_there=("if self._bytes(place) != path.stat().st_size:", "if self._bytes(place) is None:"),
    ),
    *of(
        "manifests/names.py",
        ("tests/manifests/test_names.py",),
        sibling_is_inside=('.startswith(os.path.join(real, ""))', ".startswith(real)"),
        flag_is_a_number=(
            "isinstance(value, (int, float)) and not isinstance(value, bool)",
            "isinstance(value, (int, float))",
        ),
    ),
    *of(
        "manifests/checking.py",
        ("tests/manifests/test_checking.py",),
        larger_is_right=(
            "if told.bytes and told.bytes != sizes[place]:",
            "if told.bytes and told.bytes > sizes[place]:",
        ),
        content_unread=("if deep and told.sha256 and", "if not deep and told.sha256 and"),
        taken_back_whole=(
            "manifest.take_back(fault.step, fault.shard, fault.sources)",
            "manifest.forget(fault.step, fault.shard)",
        ),
    ),
]
ENGINE_ROOMS = [*ENGINES, *STORAGE]
