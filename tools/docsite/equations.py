"""Equations: TeX in the sources, MathML on the site, so that a browser draws them by itself."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

from docsite.markdown import Block, change_blocks

# How an equation within a line stands in the generated pages of the reference.
INLINE = re.compile(r"\$`(.+?)`\$")


def drawn(text: str) -> str:
    """Replaces the blocks of `math`, and the equations within lines, by MathML."""
    return INLINE.sub(lambda match: _mathml(match[1], "inline"), change_blocks(text, _display))


def _display(block: Block) -> str | None:
    if block.language != "math":
        return None
    return f'<div class="equation">{_mathml(" ".join(block.code.split()), "block")}</div>'


def _mathml(tex: str, display: str) -> str:
    # Blank lines or indented ones would be read as Markdown.
    made: str = convert(tex, display=display)
    return made.replace("\n", "")
