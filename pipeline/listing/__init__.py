"""What the user typed, as rows: files, folders, lists and addresses. `list_sources` is the door."""

from pipeline.listing.listing import VIDEOS, Listing, list_sources

__all__ = ["VIDEOS", "Listing", "list_sources"]
