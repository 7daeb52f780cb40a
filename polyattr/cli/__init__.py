"""The `polyattr` command."""

from polyattr.cli.command import main

__all__ = ["main"]
