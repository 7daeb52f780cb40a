"""Shards: written beside their place, moved there whole, and known by their checksums."""
