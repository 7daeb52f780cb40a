"""Faults in how rows are planned, cut, run and summed: rounds, tiles, logs, baselines, nesting."""

from __future__ import annotations

_CUT = "polyattr/engine/plan/cut.py"
_ROUNDS = "polyattr/engine/loop.py"
_TILE = "polyattr/engine/tile.py"
_NESTED = "polyattr/sampling/adaptive/refinement.py"
_PATH = "polyattr/sampling/adaptive/one_path.py"
_EXACT = "polyattr/sampling/adaptive/exact.py"
_KEPT = "polyattr/engine/sums/kept.py"
_NEIGHBOURS = "polyattr/sampling/errors/neighbours.py"
_RANDOM = "polyattr/sampling/random_baselines.py"
_REFERENCES = "polyattr/question/references.py"

ENGINE = (
    # Rounds.
    (
        "samples never leave",
        _NESTED,
        "[i for i in live if paths[i].off > self.tolerance]",
        "list(live)",
    ),
    (
        "error not relative to the map",
        _PATH,
        "float(np.float64(worst) / size)",
        "float(np.float64(worst))",
    ),
    (
        "the coarser rule is the finer one",
        _PATH,
        "every = 2 if self.smooth else 1",
        "every = 1",
    ),
    ("every path taken for smooth", _PATH, "self.smooth = False\n            return True", "pass"),
    ("hidden pieces left alone", _PATH, "self._hidden = missed > kinks", "self._hidden = False"),
    (
        "exact without a look at scores",
        _EXACT,
        "split = (moved | off)",
        "split = moved",
    ),
    ("bisected where nothing jumps", _PATH, "np.argsort(-jump", "np.argsort(jump"),
    ("max_steps exceeded", _PATH, "-(-len(order) // 2), room)]", "-(-len(order) // 2))]"),
    ("the gap left out of the error", _PATH, "worst = max(error, missed)", "worst = error"),
    ("the start of the path left out", _PATH, "weights[0] += at[0]", "pass"),
    (
        "bars of the trapezoid where it is smooth",
        _PATH,
        "self.share = error / kinks if",
        "self.share = 1.0 if",
    ),
    (
        "kinks looked at on one side",
        _EXACT,
        "np.array([kink - half, kink + half])",
        "np.array([kink - half])",
    ),
    ("smooth networks taken for linear", _EXACT, "2 * moved.sum() > near.sum()", "False"),
    (
        "jumps without their width",
        _KEPT,
        "return whole * backend.cast(real",
        "return whole + 0 * backend.cast(real",
    ),
    ("bound of both sides", _KEPT, "kinks.jumps / 2", "kinks.jumps"),
    (
        "grown sums forget",
        _KEPT,
        "return backend.concat([tensor, zeros])",
        "return backend.concat([tensor * 0, zeros])",
    ),
    (
        "neighbours of another sample",
        _NEIGHBOURS,
        "last[tile[end], own[end]] = row[end]",
        "last[tile[end], own[end]] = row[0]",
    ),
    (
        "errors of kinks alone",
        "polyattr/engine/sums/spread.py",
        "if smooth != 1:",
        "if smooth == 0:",
    ),
    (
        "no error from neighbours",
        "polyattr/engine/sums/ends.py",
        "weights.smooth is None or",
        "True or",
    ),
    (
        "the first round's table in every round",
        "polyattr/engine/supply.py",
        "if not (recipe.one_round and stays):",
        "if not stays:",
    ),
    (
        "a round is told of all rounds",
        _ROUNDS,
        "told(self.entries[first:])",
        "told(self.entries)",
    ),
    # Tiles.
    ("padding is valid", _CUT, "there.astype(np.float64)", "np.ones(there.shape)"),
    (
        "steps of a sample share a tile",
        _CUT,
        "edges = [0, *(np.flatnonzero(turns) + 1).tolist(), len(rows)]",
        "edges = [0, len(rows)]",
    ),
    ("counts forgotten between tables", _CUT, "seen = made.seen\n        yield", "yield"),
    ("counts forgotten between rounds", _ROUNDS, "        self.seen = made.seen\n", ""),
    # The log.
    ("rows told out of place", _CUT, "flat[there],", "flat.ravel()[: len(rows)],"),
    ("slopes told as scores", _CUT, "flat, flat + sheet.capacity,", "flat, flat,"),
    (
        "no jumps where rows stand in place",
        _NEIGHBOURS,
        "return last, rows * 1",
        "return rows, rows * 1",
    ),
    (
        "rows told to stand in place",
        _CUT,
        "return in_place(self.whole[:, 1], len(self.seen))",
        "return self.whole.shape[2] == len(self.seen)",
    ),
    (
        "the log of the last table kept",
        _ROUNDS,
        "self.state = self.state._replace(log=log)",
        "self.state = self.state if self.state.log is not None else self.state._replace(log=log)",
    ),
    (
        "gap from the unweighted parts",
        "polyattr/engine/ledger.py",
        "return cls(rows.sample, of_part * rows.weight, hits)",
        "return cls(rows.sample, rows.weight, hits)",
    ),
    # What samples take along.
    (
        "carry not written",
        _TILE,
        "State(parts, self._carried(state.carry, carry, columns), log)",
        "State(parts, state.carry, log)",
    ),
    ("carry added up", _TILE, "backend.concat([old, rows])", "backend.concat([old, rows + rows])"),
    (
        "padding writes carry",
        "polyattr/engine/plan/cut.py",
        "tile, row = np.nonzero(valid)",
        "tile, row = np.nonzero(valid + 1)",
    ),
    (
        "every row the first sample's carry",
        _TILE,
        "batch(part, columns.sample) for part",
        "batch(part, columns.sample * 0) for part",
    ),
    # Several baselines.
    (
        "several baselines added up",
        "polyattr/sampling/straight_path.py",
        "name: column[index] / count",
        "name: column[index]",
    ),
    (
        "baselines of another sample",
        _REFERENCES,
        "else sample * self.count + chosen",
        "else sample + chosen",
    ),
    (
        "baselines of a block mixed up",
        _REFERENCES,
        "index[:, None] * self.count +",
        "index[:, None] +",
    ),
    (
        "f(b) of the first baseline alone",
        "polyattr/explainer/facts.py",
        ".reshape(n, references.count).mean(axis=1)",
        ".reshape(n, references.count)[:, 0]",
    ),
    # Random baselines.
    (
        "alphas not stratified",
        _RANDOM,
        "generator.permutation(self.count) + generator.random(self.count)",
        "self.count * generator.random(self.count)",
    ),
    (
        "strata in ascending order",
        _RANDOM,
        "generator.permutation(self.count) +",
        "np.arange(self.count) +",
    ),
    (
        "background rows not equally often",
        _RANDOM,
        "generator.permutation(self.references)",
        "generator.integers(0, self.references, self.references)",
    ),
    ("seed of the background ignored", _RANDOM, "[self.seed &", "[0 * self.seed &"),
    # A method inside another.
    (
        "the same noise inside and outside",
        "polyattr/engine/blocks.py",
        "tools, depth + 1)",
        "tools, depth)",
    ),
    (
        "kept noise of any depth",
        "polyattr/sampling/noise.py",
        "stock.get((depth, leaf, draw), made)",
        "stock.get((leaf, draw), made)",
    ),
    (
        "kept noise of any input",
        "polyattr/sampling/noise.py",
        "stock.get((depth, leaf, draw), made)",
        "stock.get((depth, draw), made)",
    ),
    (
        "what a user's function drew is kept",
        "polyattr/engine/blocks.py",
        "if any(each is not None and each.distribution is not None for each in draws):",
        "if False:",
    ),
    (
        "noise of any shape is kept",
        "polyattr/engine/blocks.py",
        "draws, [tuple(leaf.shape[1:]) for leaf in question.inputs.leaves]",
        "draws",
    ),
    (
        "noise kept without end",
        "polyattr/sampling/noise.py",
        "if found.size <= self.room:",
        "if True:",
    ),
    (
        "what looking loads is a change",
        "polyattr/engine/watch.py",
        "range(_LAYERS)",
        "range(0)",
    ),
    (
        "any difference of scores is enough",
        "polyattr/probing/meant/alike_ends.py",
        "< _TINY * spread",
        "< 1e9 * spread",
    ),
    (
        "one sample is half of them",
        "polyattr/probing/meant/alike_ends.py",
        "1 if every else",
        "1 if True else",
    ),
    (
        "a short ramp is a step",
        "polyattr/probing/meant/cut_features.py",
        "self.steps(first, other, only) and self.jumps(first, other, only)",
        "self.steps(first, other, only)",
    ),
    (
        "errors that the sums do not tell of",
        "polyattr/engine/sums/ends.py",
        "known = self.errors(weights, values, state, leaves, starts) if errors else None",
        "known = None",
    ),
    (
        "inputs told to be finite",
        "polyattr/engine/sums/report.py",
        "return self.inputs is not None and bool(np.isfinite(self.inputs).all())",
        "return True",
    ),
    (
        "every report is read alone",
        "polyattr/engine/sums/report.py",
        "host = backend.to_numpy(backend.concat(tensors))",
        "host = np.concatenate([backend.to_numpy(tensor) for tensor in tensors])",
    ),
    (
        "what padded samples told counts",
        "polyattr/engine/sums/report.py",
        "rows = rows.reshape(-1, self.samples)[:, :live]",
        "rows = rows.reshape(-1, self.samples)",
    ),
    (
        "draws kept for attribute as for explain",
        "polyattr/probing/chance.py",
        "kind = (full, *map(_kind, given))",
        "kind = tuple(map(_kind, given))",
    ),
    (
        "the inner method at the clean input",
        _ROUNDS,
        "made.together).at(points))",
        "made.together))",
    ),
    (
        "padding of the inner method counted",
        _ROUNDS,
        "spent * made.real[number, 1].astype(np.int64)",
        "spent",
    ),
    # Errors.
    (
        "groups compared with nothing",
        "polyattr/engine/sums/spread.py",
        "backend.absolute(other - value)",
        "backend.absolute(other)",
    ),
)
