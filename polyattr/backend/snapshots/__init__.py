"""What a function can reach, remembered, so that it can be told whether any of it has changed.

A compiled kernel freezes what the traced function read; it is as old as its trace. No list of
suspects is complete, so everything that can be reached is followed, and where something cannot be,
the snapshot says so.
"""

from polyattr.backend.snapshots.likeness import Likeness
from polyattr.backend.snapshots.snapshot import Snapshot
from polyattr.backend.snapshots.watched import Unfollowed, Watched

__all__ = ["Likeness", "Snapshot", "Unfollowed", "Watched"]
