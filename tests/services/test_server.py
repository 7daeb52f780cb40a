"""examples/server.py, asked by clients: `nox -s services` has what it needs; skipped elsewhere."""

import json
import os
import re
import sys
import threading
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import polyattr

ROOT = Path(__file__).parents[2]
NEEDED = ("fastapi", "torch", "uvicorn")
ASKED = os.environ.get("POLYATTR_TEST_LIBRARIES", "").split(",")
pytestmark = pytest.mark.skipif(
    "fastapi" not in ASKED and not all(map(find_spec, NEEDED)),
    reason=f"needs {', '.join(NEEDED)}: nox -s services installs them",
)
ROW = {"age": 0.4, "income": -1.2, "debts": 0.8, "years": 0.1}
ROW |= {"children": -0.5, "rent": 1.7, "savings": -0.3, "inquiries": 0.9}


@pytest.fixture(scope="module")
def server():
    sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
    from examples import server

    yield server
    del sys.path[:2]


@pytest.fixture
def client(server):
    from fastapi.testclient import TestClient

    with TestClient(server.app) as client:
        yield client


def asked(client, **question):
    return client.post("/explain", json={"features": ROW, **question})


def test_an_answer_is_named_sorted_and_says_how_exact_it_is(client, server):
    found = asked(client, budget_ms=100).json()
    named = {part["feature"]: part["contribution"] for part in found["contributions"]}
    sizes = [abs(part["contribution"]) for part in found["contributions"]]
    assert sizes == sorted(sizes, reverse=True)
    assert set(named) == set(server.FEATURES)
    import torch

    model, row = server.load_model(), torch.tensor([[ROW[name] for name in server.FEATURES]])
    truth = polyattr.IntegratedGradients(model, rule="exact").attribute(row).to_numpy()
    values = np.array([named[name] for name in server.FEATURES])
    size = np.abs(truth.values).sum()
    # The stated error is an expectation; the truth is within a few of it.
    assert np.abs(values - truth.values[0]).sum() < 3 * found["relative_error"] * size + 1e-6
    assert found["score"] == pytest.approx(float(truth.scores[0]), rel=1e-5)
    assert found["baseline_score"] == pytest.approx(float(truth.baseline_scores[0]), rel=1e-5)
    assert found["class"] == server.CLASSES[int(model(row).argmax())]
    assert found["converged"] == (found["relative_error"] <= server.TOLERANCE)
    assert found["evaluations"] >= 9


def test_what_was_answered_can_be_made_again(client, server):
    """With the evaluations an answer names, whatever the machine was doing then."""
    import torch

    found = asked(client, budget_ms=5).json()
    row = torch.tensor([[ROW[name] for name in server.FEATURES]])
    settings = {"steps": "auto", "tolerance": server.TOLERANCE}
    again = polyattr.IntegratedGradients(
        server.load_model(), **settings, max_steps=found["evaluations"]
    ).attribute(row)
    values = dict(zip(server.FEATURES, again.to_numpy().values[0], strict=True))
    for part in found["contributions"]:
        assert part["contribution"] == pytest.approx(values[part["feature"]], rel=1e-4, abs=1e-6)


def test_wrong_questions_are_told(client):
    for question, said in (
        ({"features": {"age": 1.0}}, "missing or unknown"),
        ({"features": ROW | {"shoe": 43.0}}, "shoe"),
        ({"features": ROW, "budget_ms": 7}, "budget_ms of [5, 20, 100]"),
        ({"features": ROW | {"age": 1e300}}, "age"),
        ({"features": ROW, "budget": 5}, "budget"),
        ({"features": ROW | {"age": "old"}}, "age"),
    ):
        answer = client.post("/explain", json=question)
        assert answer.status_code == 422, question
        assert said in answer.text or "inputs" in answer.text


def test_a_real_server_answers_eight_clients_at_once():
    from serve import served

    def ask(port, age):
        body = json.dumps({"features": ROW | {"age": age}, "budget_ms": 100}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/explain", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    with served() as port:
        alone = [ask(port, age / 10) for age in range(8)]
        found, threads = {}, []
        for age in range(8):

            def work(age=age):
                found[age] = [ask(port, age / 10) for _ in range(3)]

            threads.append(threading.Thread(target=work))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        with pytest.raises(urllib.error.HTTPError, match="422"):
            urllib.request.urlopen(
                urllib.request.Request(
                    f"http://127.0.0.1:{port}/explain",
                    b'{"features": {}}',
                    {"Content-Type": "application/json"},
                ),
                timeout=60,
            )
    assert len(found) == 8
    for age, answers in found.items():
        for answer in answers:  # whoever asks at the same time, it is the answer to this row
            assert answer["score"] == pytest.approx(alone[age]["score"], rel=1e-6)
            assert re.match("granted|refused", answer["class"])
    assert len({round(answer["score"], 6) for answer in alone}) == 8
