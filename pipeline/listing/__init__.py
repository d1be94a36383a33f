"""What the user typed, as rows: files, folders, lists and addresses.

`list_sources` is the door; the files beside it are what it is made of.
"""

from pipeline.listing.entries import Tally
from pipeline.listing.listing import VIDEOS, Listing, list_sources
from pipeline.listing.sources import missing

__all__ = ["VIDEOS", "Listing", "Tally", "list_sources", "missing"]
