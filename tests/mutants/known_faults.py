"""Faults in what calls of a known kind have in common, and in blocks of one tile."""

_FILE = "polyattr/explainer/binding/known.py"

KNOWN = (
    (
        "a known kind at whatever target",
        _FILE,
        "inputs.dtype, place, wanted, full)",
        "inputs.dtype, place, 0, full)",
    ),
    (
        "a known kind of whatever shape",
        _FILE,
        "return (type(inputs), inputs.shape, inputs.dtype,",
        "return (type(inputs), inputs.shape[1:], inputs.dtype,",
    ),
    (
        "the class predicted for others is kept",
        _FILE,
        "if kind is None or (kind[4] == _UNSAID and goals.columns):",
        "if kind is None:",
    ),
    (
        "no call is known",
        _FILE,
        "return None if kind is None else self._calls.get(kind)",
        "return None",
    ),
    (
        "rows told to stand in order",
        "polyattr/engine/plan/cut.py",
        "return in_place(self.whole[:, 0], samples)",
        "return self.whole.shape[2] == samples",
    ),
    (
        "coarse products taken for rows that depend",
        "polyattr/probing/rows/pair.py",
        'if self.dtype == "float32" and backend.accelerated(self.inputs.leaves[0]):',
        "if False:",
    ),
)
