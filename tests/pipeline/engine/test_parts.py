"""A corpus done by jobs that know nothing of each other."""

import pytest

from pipeline.engine.run import Part
from pipeline.session import part


@pytest.mark.parametrize("of", [1, 3, 7, 64])
def test_every_shard_is_in_one_part(of: int) -> None:
    parts = [Part(number, of) for number in range(1, of + 1)]
    assert all(sum(one.holds(shard) for one in parts) == 1 for shard in range(200))


@pytest.mark.parametrize("text", ["0/4", "5/4", "3", "a/b", "1/0", "-1/4"])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"is no part, such as 3/64"):
        part(text)
    assert part("4/4") == Part(4, 4)
