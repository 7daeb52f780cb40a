"""The first page says and shows all of it, and leads to what a newcomer asks for."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from docsite.markdown import blocks, headings, links
from docsite.navigation import ROOT

README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
# Down to the second picture: what is seen without looking for it.
FIRST = TEXT[: TEXT.index("docs/demo.png")]
ASKED = {
    "how to get logits": "docs/guide/logits-or-probabilities.md",
    "which steps": "docs/guide/choose-steps.md",
    "what error means": "docs/guide/how-exact-is-it.md",
    "how to write a method": "docs/write-a-method.md",
    "which method": "docs/guide/choose-a-method.md",
    "the reference of a method": "docs/methods/integrated-gradients.md",
    "a story on real data": "docs/gallery.md",
    "the tour": "docs/tour.md",
}


def clicked(path: Path) -> set[Path]:
    """The pages one click away."""
    text = FIRST if path == README else path.read_text(encoding="utf-8")
    found = {Path(os.path.normpath(path.parent / link.partition("#")[0])) for link in links(text)}
    return {there for there in found if there.suffix == ".md" and there.is_file()}


@pytest.mark.parametrize("asked", ASKED)
def test_two_clicks_lead_there(asked: str) -> None:
    once = clicked(README)
    twice = once.union(*(clicked(page) for page in once))
    assert ROOT / ASKED[asked] in twice


@pytest.mark.parametrize("asked", list(ASKED)[:4])
def test_one_click_does_for_what_is_asked_most(asked: str) -> None:
    assert ROOT / ASKED[asked] in clicked(README)


def test_the_first_screen_has_all_of_it() -> None:
    assert "how exact is that?" in FIRST
    code, install = blocks(FIRST)
    assert code.language == "python"
    body = [line for line in code.code.splitlines() if line and "import" not in line]
    assert len(body) <= 6
    assert {"attribute", "error", "plot"} <= set(re.findall(r"\w+", code.code))
    assert install.code.startswith("pip install ")
    # One picture before the code, in which grey is what is uncertain.
    assert FIRST.index("uncertainty.png") < FIRST.index("```python")
    assert FIRST.count("![") == 2
    assert len(FIRST.splitlines()) <= 45


def test_the_softmax_of_the_keras_example_is_fused_and_its_logits_are_explained() -> None:
    (code,) = (block.code for block in blocks(TEXT) if block.code.startswith("import keras"))
    assert 'Dense(3, "softmax")' in code
    assert 'output_layer="logits"' in code


def test_the_fused_softmax_is_cut(backend_name: str) -> None:
    """The scores of the README's Keras example are those of the layer without its softmax."""
    if backend_name != "tensorflow":
        return
    import keras
    import numpy as np

    (code,) = (block.code for block in blocks(TEXT) if block.code.startswith("import keras"))
    names: dict = {}
    exec(compile(code.rsplit("print", 1)[0], "README.md", "exec"), names)
    network, x, result = (names[name] for name in ("network", "x", "result"))
    first, last = network.layers
    logits = keras.ops.convert_to_numpy(first(x)) @ last.kernel.numpy() + last.bias.numpy()
    np.testing.assert_allclose(
        result.scores, logits[np.arange(8), np.arange(8) % 3], rtol=1e-5, atol=1e-6
    )


def test_the_tour_is_one_page() -> None:
    text = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    assert len([heading for heading in headings(text) if heading.level == 2]) <= 10
    assert len(text.splitlines()) <= 160
