"""What the tests of listing ask a listing for."""

import hashlib
from collections import Counter

from pipeline.listing import Listing


def ids(listing: Listing) -> list[str]:
    return [source.source_id for source in listing.sources]


def reasons(listing: Listing) -> dict[str, int]:
    return dict(Counter(drop.reason for drop in listing.dropped))


def file_id(content: bytes) -> str:
    return f"file-{hashlib.sha256(content).hexdigest()[:12]}"
