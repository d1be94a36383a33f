from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Manifest
from tests.pipeline.views.explorer.browser import Seen, address_of, chromium, opened
from tests.pipeline.views.explorer.made import explored


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The made corpus, for tests that only read it."""
    return explored(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="session")
def pages(corpus: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its page, with copies of all videos."""
    from pipeline.views.explorer.written import write_page

    out = tmp_path_factory.mktemp("page") / "out"
    write_page(corpus, out, media="all")
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


@pytest.fixture
def seen(browser: Any, pages: Path) -> Iterator[Seen]:
    with opened(browser, address_of(pages)) as found:
        yield found
        assert found.complaints == []
        assert found.elsewhere == []
