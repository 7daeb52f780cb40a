"""Faults that one backend alone can have: (what, file, the part of a line, what it becomes)."""

_TORCH = "polyattr_torch/backend.py"
_TORCH_MODULE = "polyattr_torch/bound_module.py"
_TORCH_EVALUATION = "polyattr_torch/evaluation.py"
_TENSORFLOW = "polyattr_tensorflow/backend.py"
_TENSORFLOW_BINDING = "polyattr_tensorflow/binding.py"
_JAX = "polyattr_jax/backend.py"
_JAX_BINDING = "polyattr_jax/binding.py"

# Of a function torch traces nothing, and JAX has no session: these are no faults there.
_KERNELS_KEPT = (
    "kernels outlive the weights in them",
    "polyattr/kernels.py",
    "self._kernels.clear()",
    "pass",
)
_NO_SESSION = (
    "session not entered",
    "polyattr/explainer.py",
    "with runner.backend.session(like), bound",
    "with bound",
)

FAULTS = {
    "torch": (
        _NO_SESSION,
        (
            "inference mode not entered",
            "polyattr/explainer.py",
            "session(like), bound.inference():",
            "session(like):",
        ),
        ("scores keep their graph", _TORCH, "return scores.detach(), list", "return scores, list"),
        ("rows not detached", _TORCH, "row.detach().requires_grad_()", "row.requires_grad_()"),
        ("in-place models overwrite the rows", _TORCH, "leaf.clone() for", "leaf for"),
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
        ("dropout left on", _TORCH_EVALUATION, "module.training = False", "pass"),
        ("training flags left off", _TORCH_EVALUATION, "module.training = True", "pass"),
        (
            "requires_grad left off",
            _TORCH_EVALUATION,
            "requires_grad_(True)",
            "requires_grad_(False)",
        ),
        ("hook left on the layer", _TORCH_MODULE, "handle.remove()", "pass"),
        (
            "layer's output overwritten",
            _TORCH_MODULE,
            "own_activation(visits.visit(number, output))",
            "visits.visit(number, output)",
        ),
        (
            "layers counted from one",
            "polyattr_torch/module_layers.py",
            "children[selector])",
            "children[selector - 1])",
        ),
        ("user's tensors overwritten", _TORCH_EVALUATION, "if t.requires_grad else t.clone()", ""),
    ),
    "tensorflow": (
        _NO_SESSION,
        _KERNELS_KEPT,
        ("first row alone differentiated", _TENSORFLOW, "gradient(scores,", "gradient(scores[:1],"),
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
        (
            "functions frozen",
            _TENSORFLOW_BINDING,
            "return held_objects(self._function)",
            "return ()",
        ),
        (
            "functions in training mode",
            _TENSORFLOW_BINDING,
            "if self._takes_training:",
            "if False:",
        ),
        (
            "control flow on tensors refused",
            _TENSORFLOW_BINDING,
            "return tf.function(self._function)(*args, **kwargs)",
            "raise",
        ),
    ),
    "jax": (
        _KERNELS_KEPT,
        (
            "gradient of the mean score",
            _JAX,
            "return scores.sum(), scores",
            "return scores.mean(), scores",
        ),
        (
            "rows gathered backwards",
            "polyattr/backend.py",
            "return tensor[index]",
            "return tensor[index[::-1]]",
        ),
        ("rows of one sum overwrite each other", _JAX, ".at[index].add(", ".at[index].set("),
        (
            "row sums over the last axis alone",
            _JAX,
            "tuple(range(1, tensor.ndim))",
            "tuple(range(1, tensor.ndim))[-1:]",
        ),
        ("output axes swapped", _JAX, "shape[0]), *columns)", "shape[0]), *columns[::-1])"),
        ("device of the inputs ignored", _JAX, "return next(iter(like.devices()))", "return None"),
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
            _JAX,
            "if donate is None else donate",
            "if donate is None else 2",
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
        ("functions frozen", _JAX_BINDING, "return held_objects(self._function)", "return ()"),
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
    ),
}
