"""A Google-style docstring, taken apart."""

import inspect
import re
from dataclasses import dataclass, field

SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Example")


@dataclass(frozen=True)
class Docstring:
    """What stands before the first section, and the sections by name."""

    body: str
    sections: dict[str, str] = field(default_factory=dict)

    @property
    def text(self):
        """All of it but the examples, whose code is no prose."""
        return "\n".join([self.body, *(t for n, t in self.sections.items() if n != "Example")])

    def entries(self, section):
        """The ``name: description`` entries of a section; stars of ``**name`` are left out."""
        found = re.split(r"^(\**\w+): ", self.sections.get(section, ""), flags=re.MULTILINE)
        return {
            name.lstrip("*"): described
            for name, described in zip(found[1::2], found[2::2], strict=True)
        }


def parse(text):
    """Takes a docstring apart at its section headers; None has an empty body."""
    parts = re.split(rf"^({'|'.join(SECTIONS)}):$\n?", inspect.cleandoc(text or ""), flags=re.M)
    sections = {
        name: inspect.cleandoc("\n" + indented)
        for name, indented in zip(parts[1::2], parts[2::2], strict=True)
    }
    return Docstring(parts[0].strip(), sections)
