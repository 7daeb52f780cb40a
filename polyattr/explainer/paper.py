"""What a method says of itself: where it comes from, and when to take it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """The paper that introduced a method.

    Attributes:
        key: BibTeX key.
        authors: Names joined by " and ".
        title: Its title.
        year: When it appeared.
        arxiv: Its arXiv number.

    Example:
        >>> import polyattr
        >>> polyattr.Paper("doe2026maps", "Doe, Jane", "Maps", 2026, "2601.00001").year
        2026
    """

    key: str
    authors: str
    title: str
    year: int
    arxiv: str

    def bibtex(self) -> str:
        """Returns the BibTeX entry.

        Example:
            >>> import polyattr
            >>> paper = polyattr.Paper("doe2026maps", "Doe, Jane", "Maps", 2026, "2601.00001")
            >>> print(paper.bibtex())
            @article{doe2026maps,
              author = {Doe, Jane},
              title = {Maps},
              year = {2026},
              eprint = {2601.00001},
              archivePrefix = {arXiv},
            }
        """
        entries = {
            "author": self.authors,
            "title": self.title,
            "year": str(self.year),
            "eprint": self.arxiv,
            "archivePrefix": "arXiv",
        }
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in entries.items())
        return f"@article{{{self.key},\n{lines}}}"


@dataclass(frozen=True)
class Guide:
    """What a reader wants to know of a method before taking it; `polyattr describe` prints it.

    Attributes:
        equation: The value of feature i, in plain characters.
        cost: How many gradients it takes.
        when: What it is good for.
        when_not: What it should not be taken for.

    Example:
        >>> import polyattr
        >>> polyattr.IntegratedGradients.guide.cost.split(",")[0]
        '`steps` gradients per sample'
    """

    equation: str
    cost: str
    when: str
    when_not: str
