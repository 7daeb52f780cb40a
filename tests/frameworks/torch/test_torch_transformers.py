"""Language models of the transformers library, with random weights: nothing is downloaded."""

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
)

import polyattr
from polyattr import IntegratedGradients, ModelOutputError

SIZES = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
EMBEDDING = "bert.embeddings.word_embeddings"
PAD = 0


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    config = BertConfig(**SIZES, intermediate_size=32, max_position_embeddings=12, num_labels=3)
    return BertForSequenceClassification(config).double().eval()


@pytest.fixture
def text():
    """Three sentences of 7, 5 and 2 tokens."""
    ids = torch.randint(1, 40, (3, 7), generator=torch.Generator().manual_seed(1))
    mask = (torch.arange(7) < torch.tensor([[7], [5], [2]])).long()
    return {"input_ids": ids * mask, "attention_mask": mask}


def _embedded(classifier, text):
    embed = classifier.get_input_embeddings()
    embeds, pads = embed(text["input_ids"]), embed(torch.full_like(text["input_ids"], PAD))
    return embeds.detach(), pads.detach()


def _score(classifier, embeds, mask, target):
    return classifier(inputs_embeds=embeds, attention_mask=mask).logits[:, target]


def _path_integral(classifier, text, target, steps):
    """Integrated gradients from PAD embeddings by the midpoint rule, from autograd alone."""
    embeds, pads = _embedded(classifier, text)
    total = torch.zeros_like(embeds)
    for alpha in (np.arange(steps) + 0.5) / steps:
        leaf = (pads + alpha * (embeds - pads)).requires_grad_()
        score = _score(classifier, leaf, text["attention_mask"], target)
        total += torch.autograd.grad(score.sum(), leaf)[0] / steps
    return (embeds - pads) * total


@pytest.mark.parametrize("layer", ["name", "object"])
def test_token_attributions_are_those_through_inputs_embeds(classifier, text, layer, untouched):
    embeds, pads = _embedded(classifier, text)
    common = {"output": "logits", "steps": 12, "rule": "midpoint", "batch_size": 5}
    chosen = EMBEDDING if layer == "name" else classifier.get_input_embeddings()
    tokens = IntegratedGradients(classifier, input_layer=chosen, **common)
    with untouched(classifier, *text.values()):
        result = tokens.attribute(text, 2, baselines={"input_ids": np.full((3, 7), PAD, np.int64)})
    expected = _path_integral(classifier, text, 2, 12)
    torch.testing.assert_close(result.values, expected, rtol=1e-10, atol=1e-13)
    given = {"inputs_embeds": embeds, "attention_mask": text["attention_mask"]}
    through = IntegratedGradients(classifier, **common).attribute(
        given, 2, baselines={"inputs_embeds": pads}
    )
    assert through.values["attention_mask"] is None
    torch.testing.assert_close(through.values["inputs_embeds"], result.values)
    np.testing.assert_allclose(through.scores, result.scores, rtol=1e-12)


def test_they_sum_to_the_score_difference(classifier, text):
    embeds, pads = _embedded(classifier, text)
    explainer = IntegratedGradients(
        classifier, input_layer=EMBEDDING, output="logits", steps=24, rule="gauss-legendre"
    )
    result = explainer.attribute(text, 1, baselines={"input_ids": torch.full((7,), PAD)})
    mask = text["attention_mask"]
    difference = _score(classifier, embeds, mask, 1) - _score(classifier, pads, mask, 1)
    sums = result.values.sum((1, 2))
    torch.testing.assert_close(sums, difference.detach(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(result.scores - result.baseline_scores, difference.detach())
    assert result.error.max() < 1e-8
    # The third sentence has five masked tokens, and PAD stands for itself: nothing to attribute.
    assert torch.equal(result.values[2, 2:], torch.zeros(5, 16, dtype=torch.float64))


def test_the_mask_may_come_by_name_beside_the_ids(classifier, text):
    common = {"input_layer": EMBEDDING, "output": "logits", "steps": 6}
    together = IntegratedGradients(classifier, **common).explain(text, 2)
    beside = IntegratedGradients(classifier, **common).explain(
        text["input_ids"], 2, forward_kwargs={"attention_mask": text["attention_mask"]}
    )
    assert torch.equal(beside, together)
    unmasked = IntegratedGradients(classifier, **common).explain(text["input_ids"], 2)
    assert (unmasked - together).abs().max() > 1e-6
    arrays = {name: tensor.numpy() for name, tensor in text.items()}
    assert torch.equal(IntegratedGradients(classifier, **common).explain(arrays, 2), together)


@pytest.mark.parametrize("output", ["logits", 0, lambda found: found.logits])
def test_a_model_output_needs_a_selector(classifier, text, output):
    with pytest.raises(ModelOutputError, match=r"SequenceClassifierOutput with keys \['logits'\]"):
        polyattr.GradientInput(classifier, input_layer=EMBEDDING).explain(text)
    result = polyattr.GradientInput(classifier, input_layer=EMBEDDING, output=output).attribute(
        text
    )
    logits = classifier(**text).logits.detach()
    assert result.targets.tolist() == logits.argmax(1).tolist()
    np.testing.assert_allclose(result.scores, logits.max(1).values, rtol=1e-12)


def test_a_layer_that_returns_a_model_output(classifier, text):
    """From the encoder's states on, the model is its pooler and a linear layer."""
    explainer = IntegratedGradients(
        classifier, input_layer="bert.encoder", output="logits", steps=5, batch_size=4
    )
    values = explainer.explain(text, 2)
    assert set(values) == {"last_hidden_state"}
    encoded = classifier.bert(**text)
    states = encoded.last_hidden_state.detach()
    total = torch.zeros_like(states)
    for alpha, weight in zip(np.linspace(0, 1, 5), [0.125, 0.25, 0.25, 0.25, 0.125], strict=True):
        leaf = (alpha * states).requires_grad_()
        score = classifier.classifier(classifier.bert.pooler(leaf))[:, 2]
        total += weight * torch.autograd.grad(score.sum(), leaf)[0]
    torch.testing.assert_close(values["last_hidden_state"], states * total)


def test_the_output_of_a_sentence_encoder(text):
    torch.manual_seed(0)
    config = BertConfig(**SIZES, intermediate_size=32, max_position_embeddings=12)
    model = BertModel(config).double().eval()
    mask = text["attention_mask"]

    def mean(found):
        weights = mask[: len(found.last_hidden_state), :, None]
        return (found.last_hidden_state * weights[:1]).sum(1)

    explainer = polyattr.GradientInput(model, input_layer="embeddings.word_embeddings", output=mean)
    first = {name: tensor[:1] for name, tensor in text.items()}
    values = explainer.explain(first, 3)
    leaf = model.get_input_embeddings()(first["input_ids"]).detach().requires_grad_()
    states = model(inputs_embeds=leaf, attention_mask=first["attention_mask"]).last_hidden_state
    gradient = torch.autograd.grad(states[:, :, 3].sum(), leaf)[0]
    torch.testing.assert_close(values, (leaf * gradient).detach())


def test_the_next_token_of_a_language_model(text):
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=2, n_positions=12)
    model = GPT2LMHeadModel(config).double().eval()
    ids = text["input_ids"].clamp(min=1)
    explainer = polyattr.GradientInput(model, input_layer="transformer.wte", output="logits")
    values = explainer.explain({"input_ids": ids}, (6, 17))  # token 17 after the last of seven
    leaf = model.transformer.wte(ids).detach().requires_grad_()
    score = model(inputs_embeds=leaf).logits[:, 6, 17]
    gradient = torch.autograd.grad(score.sum(), leaf)[0]
    torch.testing.assert_close(values, (leaf * gradient).detach())


OPERATORS = {
    "by name": lambda model, inputs, targets: model(**inputs).logits[:, 1],
    "in one": lambda model, inputs, targets: model(inputs).logits[:, 1],
    "as a tuple": lambda model, inputs, targets: model(**inputs, return_dict=False)[0][:, 1],
    "its settings": lambda model, inputs, targets: model(**inputs).logits[
        :, model.config.num_labels - 2
    ],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_calls_the_model_as_everyone_does(classifier, text, name):
    embeds, _ = _embedded(classifier, text)
    method = polyattr.GradientInput(classifier, operator=OPERATORS[name], batch_size=2)
    mask = text["attention_mask"]
    found = method.explain({"inputs_embeds": embeds, "attention_mask": mask})["inputs_embeds"]
    leaf = embeds.clone().requires_grad_()
    (slope,) = torch.autograd.grad(_score(classifier, leaf, mask, 1).sum(), leaf)
    torch.testing.assert_close(found, embeds * slope)
    tokens = polyattr.GradientInput(
        classifier, operator=OPERATORS[name], batch_size=2, input_layer=EMBEDDING
    )
    torch.testing.assert_close(tokens.explain(text), found)
