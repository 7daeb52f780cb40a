"""A service that explains one row: ``uvicorn examples.server:app``, then POST to /explain.

    {"features": {"age": 41.0, "income": 2.5, ...}, "budget_ms": 20}

The answer names the features, the largest contribution first, and says how exact it is. A client
may ask for one of a few budgets: each has an explainer of its own, made and warmed at the start.
"""

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import torch
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from torch import nn

import polyattr

FEATURES = ("age", "income", "debts", "years", "children", "rent", "savings", "inquiries")
CLASSES = ("refused", "granted")
BUDGETS = (5, 20, 100)
TOLERANCE = 0.01


def load_model() -> nn.Module:
    """Stands for your own: a scorer of eight features, with weights drawn once."""
    torch.manual_seed(16)
    return nn.Sequential(
        nn.Linear(len(FEATURES), 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
    ).eval()


class Question(BaseModel):
    """One row; what is not asked for by name is refused."""

    model_config = ConfigDict(extra="forbid")
    features: dict[str, float]
    budget_ms: int = 20


explainers: dict[int, polyattr.IntegratedGradients] = {}


@asynccontextmanager
async def ready(_app: FastAPI) -> AsyncIterator[None]:
    """Loads, tries and compiles before the first request."""
    # What these would write into the log for every other row, the answers say themselves.
    for told in (polyattr.ConvergenceWarning, polyattr.BaselineWarning):
        warnings.simplefilter("ignore", told)
    model = load_model()
    for budget in BUDGETS:
        explainers[budget] = polyattr.IntegratedGradients(
            model, steps="auto", tolerance=TOLERANCE, budget_ms=budget
        )
        explainers[budget].warm(torch.zeros(1, len(FEATURES)) + 1)
    yield


app = FastAPI(lifespan=ready)


@app.post("/explain")
def explain(question: Question) -> dict[str, Any]:
    """Explains one row: FastAPI runs plain functions in threads, which share the explainers."""
    given = question.features
    wrong = set(FEATURES) ^ set(given)
    if wrong or question.budget_ms not in explainers:
        raise HTTPException(
            422,
            f"expected the features {list(FEATURES)} and a budget_ms of {list(BUDGETS)}; "
            f"missing or unknown: {sorted(wrong) or question.budget_ms}",
        )
    row = torch.tensor([[given[name] for name in FEATURES]])
    try:
        found = explainers[question.budget_ms].attribute(row)
    except polyattr.InputError as error:  # as for numbers that are not finite
        raise HTTPException(422, str(error)) from error
    values = found.to_numpy().values[0]
    order = np.argsort(-np.abs(values), kind="stable")
    named = [{"feature": FEATURES[i], "contribution": float(values[i])} for i in order]
    return {
        "class": CLASSES[int(np.asarray(found.targets)[0])],
        "score": float(found.scores[0]),
        "baseline_score": float(np.asarray(found.baseline_scores)[0]),
        "contributions": named,
        "relative_error": float(found.error[0]),
        "converged": bool(found.converged[0]),
        "evaluations": int(found.evaluations[0]),
    }
