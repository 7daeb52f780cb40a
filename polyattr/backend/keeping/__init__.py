"""What a call changes of the user's objects, and how it is put back."""

from polyattr.backend.keeping.guard import Guard
from polyattr.backend.keeping.keeper import FrameworkObjects, Keeper
from polyattr.backend.keeping.kept_state import KeptState

__all__ = ["FrameworkObjects", "Guard", "Keeper", "KeptState"]
