"""Faults in the paths that are not straight: (what, file, the part of a line, what it becomes)."""

from __future__ import annotations

_PATHS = "polyattr/sampling/paths"
PATHS = (
    (
        "guided: who has fallen behind stays there",
        f"{_PATHS}/guided_path.py",
        "point * (1 - behind) + slow * behind",
        "point + slow * 0",
    ),
    (
        "guided: the largest gradients first",
        f"{_PATHS}/guided_path.py",
        "keys.append(s * still",
        "keys.append(-s * still",
    ),
    (
        "guided: gradients before the move alone",
        f"{_PATHS}/guided_path.py",
        "gradient * (move + (there - point)) * 0.5",
        "gradient * (there - point)",
    ),
    (
        "idgi: sizes instead of squares",
        f"{_PATHS}/looked_path.py",
        "squares = [g * g for g in scaled]",
        "squares = [backend.absolute(g) for g in scaled]",
    ),
    (
        "idg: the slope left out",
        f"{_PATHS}/looked_path.py",
        "f * backend.column(s, f) for f, s",
        "f for f, s",
    ),
    (
        "looked: nodes where nothing happens",
        f"{_PATHS}/looked_path.py",
        "_EVENLY * even + (1 - _EVENLY) * moves",
        "even",
    ),
    (
        "a look at the start from inside",
        "polyattr/sampling/straight_path.py",
        "alpha if at.rows.scores_only else alpha + start * inside",
        "alpha + start * inside",
    ),
    (
        "own path: a velocity of the whole",
        f"{_PATHS}/own_path.py",
        "still = x * 0 if velocity is None else velocity",
        "still = (x - b) * 1.0",
    ),
    (
        "blur: frequencies of a ring",
        f"{_PATHS}/blur_path.py",
        "np.pi * np.arange(shape[axis]) / shape[axis]",
        "2 * np.pi * np.arange(shape[axis]) / shape[axis]",
    ),
    (
        "blur: paths start from the input",
        f"{_PATHS}/blur_path.py",
        "return backend.cast(blurred, backend.dtype(x))",
        "return x",
    ),
    (
        "blur: the pace of a scale that falls evenly",
        f"{_PATHS}/blur_path.py",
        "sigma * grown * math.log(whole)",
        "sigma * self.max_sigma",
    ),
    (
        "gaps of what flows, not of what is added",
        "polyattr/engine/tile.py",
        "along = shares if self.recipe.complete else flow",
        "along = flow",
    ),
)
