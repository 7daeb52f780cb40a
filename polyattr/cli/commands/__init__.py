"""The commands, one file each; they import click."""
