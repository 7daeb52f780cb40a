"""Faults that one backend alone can have: (what, file, the part of a line, what it becomes)."""

_TORCH = "polyattr_torch/backend.py"
_TORCH_GRADIENT = "polyattr_torch/running/differentiation.py"
_TORCH_HOOKS = "polyattr_torch/running/hooks.py"
_TORCH_EVALUATION = "polyattr_torch/running/evaluation.py"
_TENSORFLOW = "polyattr_tensorflow/backend.py"
_TENSORFLOW_FUNCTION = "polyattr_tensorflow/bound_function.py"
_JAX = "polyattr_jax/backend.py"

# Of a function torch traces nothing, and JAX has no session: these are no faults there.
_KERNELS_KEPT = (
    "kernels outlive the weights in them",
    "polyattr/engine/kernels.py",
    "kernel.old = True",
    "pass",
)
_FUNCTIONS_FROZEN = (
    "functions frozen",
    "polyattr/backend/bound_model.py",
    "return Watched((self._function,), passed=(self.state(),))",
    "return Watched(())",
)
_NO_SESSION = (
    "session not entered",
    "polyattr/explainer/call.py",
    "            bound.backend.session(near),\n",
    "",
)

# PyTorch has a path of its own, and compiles nothing.
_PATH_REVERSED = ("path reversed", "polyattr/backend/interface.py", "* (1 - at) + ", "* at + ")
_ONE_KERNEL = (
    "the kernel of another kind of target",
    "polyattr/engine/loop.py",
    'tools.kernel(("tile", *key),',
    'tools.kernel(("tile", *key[:2], *key[3:]),',
)

FAULTS = {
    "torch": (
        _NO_SESSION,
        (
            "path reversed",
            _TORCH,
            "torch.lerp(baseline.to(wide), rows.to(wide), at)",
            "torch.lerp(rows.to(wide), baseline.to(wide), at)",
        ),
        (
            "inference mode not entered",
            "polyattr/explainer/call.py",
            "            model.inference(),\n",
            "",
        ),
        (
            "scores keep their graph",
            _TORCH_GRADIENT,
            "[(one.detach(), _back(",
            "[(one, _back(",
        ),
        (
            "rows not detached",
            _TORCH_GRADIENT,
            "row.detach().requires_grad_()",
            "row.requires_grad_()",
        ),
        (
            "in-place models overwrite the rows",
            _TORCH_GRADIENT,
            "copies = [copied(leaf, last) for leaf in leaves]",
            "copies = [leaf for leaf in leaves]",
        ),
        (
            "functions of the inputs without a gradient",
            "polyattr/engine/tile.py",
            "self.backend.differentiable_grad if self.graph else self.backend.grad",
            "self.backend.grad",
        ),
        ("rows gathered backwards", _TORCH, "(0, index)\n", "(0, index.flip(0))\n"),
        ("rows of one sum overwrite each other", _TORCH, "total.index_add_", "total.index_copy_"),
        ("row sums over the last axis alone", _TORCH, "tensor.flatten(1).sum(1)", "tensor.sum(-1)"),
        ("output axes swapped", _TORCH, "(rows, *columns)", "(rows, *columns[::-1])"),
        ("device of the inputs ignored", _TORCH, "None if like is None else like.device", "None"),
        (
            "float64 cast to float32",
            _TORCH,
            "tensor.to(getattr(torch, dtype))",
            'tensor.to(getattr(torch, dtype.replace("float64", "float32")))',
        ),
        (
            "sums in the default dtype",
            _TORCH,
            "like.device, dtype=getattr(torch, dtype))",
            "like.device)",
        ),
        ("bfloat16 read as it is", _TORCH, "host.float() if", "host if"),
        ("inference tensors kept", _TORCH, "return tensor.clone() if", "return tensor if"),
        ("seed ignored by native noise", _TORCH, "noise_words(seed,", "noise_words(0,"),
        ("every input the same native noise", _TORCH, "words(seed, leaf,", "words(seed, 0,"),
        ("native noise by place in the tile", _TORCH, "in draws:", "in range(len(draws)):"),
        ("native noise from the shared generator", _TORCH, "generator=generator, ", ""),
        ("native noise uniform", _TORCH, "torch.randn(", "torch.rand("),
        ("random state moved", _TORCH, "torch.random.fork_rng(_used_devices()), ", ""),
        ("inference mode of the caller kept", _TORCH, "torch.inference_mode(False), ", ""),
        ("everything recorded by autograd", _TORCH, "torch.no_grad():", "torch.enable_grad():"),
        ("no error is out of memory", _TORCH, "torch.OutOfMemoryError | MemoryError):", "()):"),
        (
            "the CPU's out of memory not known",
            _TORCH,
            """"can't allocate memory" in str(error)""",
            "False",
        ),
        ("dropout left on", _TORCH_EVALUATION, "_set_training(training, False)", "pass"),
        ("training flags left off", _TORCH_EVALUATION, "_set_training(training, True)", "pass"),
        (
            "requires_grad left off",
            _TORCH_EVALUATION,
            "requires_grad_(True)",
            "requires_grad_(False)",
        ),
        ("hook left on the layer", _TORCH_HOOKS, "handle.remove()", "pass"),
        (
            "layer's output overwritten",
            _TORCH_HOOKS,
            "own_activation(visits.visit(number, output))",
            "visits.visit(number, output)",
        ),
        (
            "hooks gone before a checkpoint runs again",
            _TORCH_HOOKS,
            "run.within.ends.append(remove)",
            "remove()",
        ),
        (
            "fused attention read",
            _TORCH_EVALUATION,
            "        _fused_off.held(),\n",
            "",
        ),
        (
            "threads share a model",
            _TORCH_EVALUATION,
            "        _exclusive.use([*family.modules, *family.parameters]),\n",
            "",
        ),
        (
            "models read without the gradients they ask for",
            _TORCH_GRADIENT,
            "found is None or not",
            "found is None and not",
        ),
        (
            "a training step's gradients left",
            "polyattr_torch/running/accumulation.py",
            "tensor.grad = grad",
            "pass",
        ),
        ("cuDNN in inference mode", _TORCH_EVALUATION, "needs.ways.add(WITHOUT_CUDNN)", "pass"),
        (
            "layers counted from one",
            "polyattr_torch/layer_finding.py",
            "children[selector])",
            "children[selector - 1])",
        ),
        (
            "user's tensors overwritten",
            _TORCH_EVALUATION,
            "if floats else tensor.clone()",
            "if floats else tensor",
        ),
    ),
    "tensorflow": (
        _NO_SESSION,
        _KERNELS_KEPT,
        _PATH_REVERSED,
        _ONE_KERNEL,
        ("first row alone differentiated", _TENSORFLOW, "gradient(score,", "gradient(score[:1],"),
        (
            "sparse gradients kept sparse",
            _TENSORFLOW,
            "[None if g is None else tf.convert_to_tensor(g) for g in found]",
            "list(found)",
        ),
        ("rows gathered backwards", _TENSORFLOW, "(tensor, index)\n", "(tensor, index[::-1])\n"),
        (
            "rows of one sum overwrite each other",
            _TENSORFLOW,
            "scatter_nd_add",
            "scatter_nd_update",
        ),
        (
            "row sums over the last axis alone",
            _TENSORFLOW,
            "list(range(1, len(tensor.shape)))",
            "list(range(1, len(tensor.shape)))[-1:]",
        ),
        ("output axes swapped", _TENSORFLOW, "[rows, *columns]", "[rows, *columns[::-1]]"),
        (
            "device of the inputs ignored",
            _TENSORFLOW,
            "like.device or None if like is not None else None",
            "None",
        ),
        ("dtype asked for ignored", _TENSORFLOW, "np.asarray(array), dtype=dtype)", "array)"),
        (
            "float64 cast to float32",
            _TENSORFLOW,
            "return tf.cast(tensor, dtype)",
            'return tf.cast(tensor, dtype.replace("float64", "float32"))',
        ),
        ("sums in the default dtype", _TENSORFLOW, "tf.zeros(shape, dtype)", "tf.zeros(shape)"),
        ("variables kept", _TENSORFLOW, "return tf.convert_to_tensor(tensor)", "return tensor"),
        ("seed ignored by native noise", _TENSORFLOW, "noise_words(seed,", "noise_words(0,"),
        ("every input the same native noise", _TENSORFLOW, "words(seed, leaf,", "words(seed, 0,"),
        ("native noise by place in the tile", _TENSORFLOW, "in draws]", "in range(len(draws))]"),
        ("native noise uniform", _TENSORFLOW, "stateless_normal", "stateless_uniform"),
        (
            "TensorFlow's out of memory not known",
            _TENSORFLOW,
            "tf.errors.ResourceExhaustedError | MemoryError",
            "MemoryError",
        ),
        (
            "what XLA refuses is refused",
            "polyattr_tensorflow/kernel.py",
            "self._refused = True",
            "raise",
        ),
        _FUNCTIONS_FROZEN,
        (
            "functions in training mode",
            _TENSORFLOW_FUNCTION,
            "if self._takes_training:",
            "if False:",
        ),
        (
            "control flow on tensors refused",
            _TENSORFLOW_FUNCTION,
            "return tf.function(self._function)(*args, **kwargs)",
            "raise",
        ),
    ),
    "jax": (
        _KERNELS_KEPT,
        _PATH_REVERSED,
        _ONE_KERNEL,
        (
            "gradient of the mean score",
            _JAX,
            "return scores.sum(), scores",
            "return scores.mean(), scores",
        ),
        (
            "rows gathered backwards",
            "polyattr/backend/interface.py",
            "rows: Tensor = tensor[index]",
            "rows: Tensor = tensor[index[::-1]]",
        ),
        ("rows of one sum overwrite each other", _JAX, ".at[index].add(", ".at[index].set("),
        (
            "row sums over the last axis alone",
            _JAX,
            "tuple(range(1, tensor.ndim))",
            "tuple(range(1, tensor.ndim))[-1:]",
        ),
        ("output axes swapped", _JAX, "shape[0]), *columns)", "shape[0]), *columns[::-1])"),
        (
            "device of the inputs ignored",
            _JAX,
            'device if getattr(like, "committed", True) or device != _first_choice() else None',
            "None",
        ),
        (
            "uncommitted inputs committed",
            _JAX,
            'device if getattr(like, "committed", True) or device != _first_choice() else None',
            "device",
        ),
        (
            "stand-ins stay",
            "polyattr_jax/objects/__init__.py",
            "isinstance(value, jax.core.Tracer)",
            "False",
        ),
        (
            "dtype asked for ignored",
            _JAX,
            ".dtype if dtype is None else jnp.dtype(dtype)",
            ".dtype",
        ),
        (
            "float64 cast to float32",
            _JAX,
            "else tensor.astype(dtype)",
            'else tensor.astype(dtype.replace("float64", "float32"))',
        ),
        ("sums in the default dtype", _JAX, "jnp.zeros(shape, dtype,", "jnp.zeros(shape,"),
        (
            "inputs of the user given away",
            "polyattr_jax/compiling/program.py",
            "if donate is None else donate + 1",
            "if donate is None else 3",
        ),
        (
            "seed ignored by native noise",
            _JAX,
            "jax.random.key(seed & 0xFFFFFFFF)",
            "jax.random.key(0)",
        ),
        ("high words of the seed ignored", _JAX, "(seed >> 32 & 0xFFFFFFFF, leaf)", "(leaf,)"),
        ("every input the same native noise", _JAX, "0xFFFFFFFF, leaf)", "0xFFFFFFFF,)"),
        (
            "native noise by place in the tile",
            _JAX,
            "np.asarray(draws,",
            "np.asarray(range(len(draws)),",
        ),
        ("native noise uniform", _JAX, "jax.random.normal(", "jax.random.uniform("),
        ("XLA's out of memory not known", _JAX, '"RESOURCE_EXHAUSTED" in str(error)', "False"),
        (
            "unused inputs not known",
            _JAX,
            "return depends_on(score, rows)",
            "return [True] * len(rows)",
        ),
        _FUNCTIONS_FROZEN,
        (
            "parameters baked in as constants",
            "polyattr_jax/bound_nnx.py",
            "nnx.merge(self._graph, state, **_COPY)",
            "nnx.merge(*nnx.split(self._function))",
        ),
        ("nnx modules in training mode", "polyattr_jax/bound_nnx.py", "module.eval()", "pass"),
        ("structure frozen", "polyattr_jax/bound_nnx.py", "if graph != self._graph:", "if False:"),
        (
            "equinox modules in training mode",
            "polyattr_jax/bound_equinox.py",
            "silent = equinox.nn.inference_mode(module)",
            "silent = module",
        ),
        (
            "batched modules mapped over examples",
            "polyattr_jax/bound_equinox.py",
            "or not _is_batched(call, rows)",
            "or True",
        ),
        (
            "marks keep what was traced",
            "polyattr_jax/tapping/marks.py",
            "filled = list(rest)",
            "filled = list(leaves)",
        ),
        (
            "recording classes keep their run",
            "polyattr/backend/layer_finding.py",
            "running.clear()",
            "pass",
        ),
    ),
}
