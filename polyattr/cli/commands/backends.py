"""`polyattr backends`: which frameworks are known, installed and usable."""

from __future__ import annotations

import json

import click

from polyattr.backend.registry import backends as known


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--devices", is_flag=True, help="Ask each framework, which imports it.")
def backends(as_json: bool, devices: bool) -> None:
    """List the backends: their frameworks, versions, and what is wrong with them."""
    infos = known()
    found = {name: info.devices for name, info in infos.items()} if devices else {}
    if as_json:
        rows = [
            {
                "name": info.name,
                "installed": info.installed,
                "version": info.version,
                "provider": info.provider,
                "problem": info.problem,
                **({"devices": found[info.name]} if devices else {}),
            }
            for info in infos.values()
        ]
        click.echo(json.dumps({"schema": 1, "command": "backends", "backends": rows}, indent=2))
        return
    click.echo(str(infos))
    for name, places in found.items():
        click.echo(f"{name:<12} {', '.join(places) or 'not installed'}")
