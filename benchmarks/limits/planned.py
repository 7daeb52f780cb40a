"""The rows that polyattr sends per gradient call, as it plans them."""

from __future__ import annotations

import importlib
import math
from typing import Any

from limits.frameworks import models
from limits.ways import explainer
from limits.workloads import MODELS, Cell, inputs
from polyattr.engine.plan.sheet import auto_batch_size, plan_sheet


def tile_rows(framework: str, cell: Cell) -> int:
    """Returns the rows per gradient call of a cell."""
    backend: Any = importlib.import_module(f"polyattr_{framework}").backend
    x = models(framework).native(inputs(cell.model, 1))
    elements = math.prod(MODELS[cell.model].shape)
    most = auto_batch_size(elements, backend, x)
    recipe = explainer(framework, cell).recipe()
    return plan_sheet(cell.samples, recipe, most, elements=elements).rows
