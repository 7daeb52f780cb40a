"""The commands, one file each; they import click."""

from polyattr.cli.commands.backends import backends
from polyattr.cli.commands.demo import demo
from polyattr.cli.commands.describe import describe
from polyattr.cli.commands.explain import explain
from polyattr.cli.commands.report import report
from polyattr.cli.commands.show import show

COMMANDS = (explain, show, report, describe, backends, demo)
"""In the order in which a user meets them."""

__all__ = ["COMMANDS"]
