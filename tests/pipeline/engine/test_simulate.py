"""The simulation against runs that are worked out on paper."""

from dataclasses import replace

import pytest

from pipeline.engine.costs import Rates
from pipeline.engine.simulate import (
    BY_PIECE,
    BY_POOLS,
    BY_ROWS,
    BY_SOURCE,
    Machines,
    StageCost,
    film_lengths,
    pool_sizes,
    simulate,
    stage_costs,
)
from pipeline.recipe import recipe_named
from pipeline.views.simulation import simulation

ONE = [StageCost("look", 1.0, 0.0, ())]
CHAIN = [StageCost("look", 1.0, 0.0, ()), StageCost("cut", 2.0, 0.0, (0,))]
EXACT = Machines(2, spread=0.0)


def test_equal_sources_keep_all_cores_busy() -> None:
    told = simulate(ONE, [10.0] * 4, EXACT, BY_SOURCE)
    assert (told.seconds, told.ideal_s, told.ratio, told.cores_busy, told.first_s) == (20.0, 20.0, 1.0, 1.0, 10.0)
    assert told.bottleneck == "cores"


def test_one_long_source_is_what_a_run_waits_for_unless_it_is_cut() -> None:
    lengths = [600.0] * 2 + [6000.0]
    whole = simulate(ONE, lengths, EXACT, BY_SOURCE)
    assert whole.seconds == 6600.0
    assert "the longest source" in whole.bottleneck
    assert simulate(ONE, lengths, EXACT, BY_PIECE).seconds == 3600.0


def test_rows_are_divided_by_the_minute_and_what_reads_a_source_is_not() -> None:
    rows = [CHAIN[0], replace(CHAIN[1], whole=False)]
    assert simulate(rows, [6000.0], EXACT, BY_SOURCE).seconds == 18000.0
    assert simulate(rows, [6000.0], EXACT, BY_ROWS).seconds == 12000.0
    assert simulate(rows, [6000.0], EXACT, BY_PIECE).seconds == 9000.0


def test_the_longest_source_of_a_shard_goes_first_once_its_length_is_known() -> None:
    probed = [StageCost("probe", 0.1, 0.0, (), blind=True), replace(ONE[0], after=(0,))]
    told = simulate(probed, [10.0, 10.0, 10.0, 30.0], EXACT, BY_ROWS)
    assert told.seconds == 42.0, "a core that is free at 12 s takes it, and leaves what was listed before it"


def test_at_the_end_the_longest_chain_goes_first() -> None:
    chain = [StageCost("probe", 0.0, 0.0, (), blind=True), replace(ONE[0], after=(0,)), replace(ONE[0], after=(1,))]
    told = simulate(chain, [10.0] * 16 + [100.0], EXACT, BY_ROWS)
    assert told.seconds <= 270.0, "the last in the list is begun while others are: its two stages alone take 200 s"
    assert simulate(chain, [10.0] * 320 + [100.0], EXACT, BY_ROWS).first_s == 30.0, "not before"


def test_a_source_that_is_on_its_way_goes_first() -> None:
    told = simulate(CHAIN, [10.0] * 50, Machines(1, spread=0.0), BY_SOURCE)
    assert told.first_s == 40.0, "two looks, of which one was about to begin when the other was done, and a cut"


def test_stages_that_do_not_read_each_other_go_side_by_side() -> None:
    apart = [replace(CHAIN[0], core_s=2.0), replace(CHAIN[1], after=())]
    assert simulate(apart, [10.0], EXACT, BY_SOURCE).seconds == 20.0
    assert simulate(CHAIN, [10.0], EXACT, BY_SOURCE).seconds == 30.0


def test_a_shard_goes_whole_through_a_pool_and_the_next() -> None:
    told = simulate(CHAIN, [10.0] * 32, EXACT, BY_POOLS)
    assert told.seconds == 160 + 2 * 320, (
        "the second pool's one actor has two shards of 16 to do, the first of them after 160 s"
    )
    assert told.first_s == 160 + 320
    assert "the pool of cut" in told.bottleneck


def test_a_gpu_is_shared_and_may_be_what_holds_it_up() -> None:
    told = simulate([StageCost("look", 0.1, 1.0, ())], [10.0] * 20, Machines(20, gpus=1, spread=0.0), BY_SOURCE)
    assert told.seconds == pytest.approx(201.0)
    assert told.bottleneck == "GPUs"


def test_what_lost_nodes_held_is_done_again() -> None:
    calm, stormy = (
        simulate(ONE, [3600.0] * 20, replace(EXACT, losses_per_core_h=rate), BY_SOURCE) for rate in (0.0, 0.5)
    )
    assert calm.lost_s == 0
    assert stormy.lost_s > 0
    assert stormy.seconds > calm.seconds


def test_pools_get_what_is_left_by_cost() -> None:
    assert pool_sizes(CHAIN, Machines(32), 100) == [11, 21]
    assert pool_sizes(CHAIN, Machines(1), 100) == [1, 1]


def test_lengths_are_heavy_tailed_and_add_up() -> None:
    lengths = film_lengths(1000, 223)
    assert sum(lengths) == pytest.approx(223 * 3600, rel=0.02)
    assert sum(sorted(lengths)[-100:]) > 0.35 * sum(lengths)


def test_the_stages_of_a_recipe_know_what_they_wait_for() -> None:
    plan = recipe_named("talking_head").plan()
    costs = stage_costs(plan, Rates({"DetectFaces": 0.1, "DiarizeSpeakers": 0.3}, ""), on_gpu=False)
    by_name = {cost.name: number for number, cost in enumerate(costs)}
    assert costs[by_name["DiarizeSpeakers"]].core_s == 0.3
    assert costs[by_name["DiarizeSpeakers"]].whole
    assert not costs[by_name["TrackFaces"]].whole
    assert [cost.name for cost in costs if cost.blind] == ["DownloadVideo", "ProbeSource"]
    assert by_name["PlanClips"] not in costs[by_name["TrackFaces"]].after
    assert by_name["TrackFaces"] in costs[by_name["PlanClips"]].after
    assert all(before < number for number, cost in enumerate(costs) for before in cost.after)
    own = Rates({"DiarizeSpeakers": 0.3}, "rates of a test", error=0.25, bytes=1e6)
    told = simulation(plan, [60.0] * 8, own, Machines(2, spread=0.0), dollars_per_hour=50.0)
    assert "8 sources, 8 min 00 s, on 2 cores" in str(told)
    assert told.runs[0].seconds == pytest.approx(4 * 18.0)
    assert "$1.00 and 480.0 MB of tables and renders" in str(told)
    assert "the last run took 25% more work than was foretold" in str(told)
    unknown = simulation(plan, [60.0] * 8, Rates({"DiarizeSpeakers": 0.3}, "rates of a test"), Machines(2, spread=0.0))
    assert (unknown.dollars, unknown.bytes) == (None, None)
