"""TensorFlow, with Keras 3 models."""

from functools import partial

import keras
import tensorflow as tf

from labs.lab import Counter, Lab, switched, told


class Ops:
    """The vocabulary of test models."""

    relu = staticmethod(tf.nn.relu)
    tanh = staticmethod(tf.tanh)
    exp = staticmethod(tf.exp)
    sqrt = staticmethod(tf.sqrt)
    log = staticmethod(tf.math.log)
    where = staticmethod(tf.where)
    matmul = staticmethod(tf.matmul)

    @staticmethod
    def like(array, x):
        """A constant of the dtype of `x`."""
        return tf.constant(array, x.dtype)

    @staticmethod
    def cast(x, dtype):
        """In another precision."""
        return tf.cast(x, dtype)

    @staticmethod
    def sum(x):
        """Sums over all axes but the first."""
        return tf.reduce_sum(x, axis=list(range(1, len(x.shape))))

    @staticmethod
    def softmax(x):
        return tf.nn.softmax(x, axis=-1)

    @staticmethod
    def concat(parts):
        """Joins along the last axis."""
        return tf.concat(list(parts), axis=-1)

    @staticmethod
    def reshape(x, *shape):
        """Reshapes what follows the first axis."""
        return tf.reshape(x, (-1, *shape))

    @staticmethod
    def detach(x):
        return tf.stop_gradient(x)

    @staticmethod
    def transpose(x):
        """Exchanges the two axes of a matrix."""
        return tf.transpose(x)

    @staticmethod
    def total(x):
        """Sums over the first axis."""
        return tf.reduce_sum(x, axis=0)


class VariableCounter(Counter):
    """Counts in variables: what a compiled graph can do, also where XLA runs it."""

    def __init__(self):
        self._calls = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._rows = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._largest = tf.Variable(0, dtype=tf.int64, trainable=False)
        super().__init__()

    def reset(self):
        self.bodies = 0
        for variable in (self._calls, self._rows, self._largest):
            variable.assign(0)

    def count(self, rows):
        self._calls.assign_add(1)
        self._rows.assign_add(rows)
        self._largest.assign(tf.maximum(self._largest, rows))

    @property
    def calls(self):
        return int(self._calls)

    @property
    def rows(self):
        return int(self._rows)

    @property
    def largest(self):
        return int(self._largest)


class TensorFlowLab(Lab):
    name = "tensorflow"
    ops = Ops

    def __init__(self):
        if keras.config.backend() != "tensorflow":
            raise RuntimeError(
                f"Keras runs on {keras.config.backend()}; the TensorFlow lab needs "
                f"KERAS_BACKEND=tensorflow, or unset"
            )

    def tensor(self, array, dtype=None):
        kind = str(array.dtype)
        return tf.constant(array, dtype or ("float32" if kind == "float64" else kind))

    def numpy(self, tensor):
        return (tf.cast(tensor, tf.float32) if tensor.dtype == tf.bfloat16 else tensor).numpy()

    def is_native(self, value):
        return isinstance(value, tf.Tensor)

    def dtype(self, tensor):
        return tensor.dtype.name

    def network(self, network, softmax=True):
        x = inputs = keras.Input((network.layers[0][0].shape[0],))
        for i, (weight, _) in enumerate(network.layers):
            last = i == len(network.layers) - 1
            name = "logits" if last else f"dense{i}"
            x = keras.layers.Dense(weight.shape[1], name=name)(x)
            if not last:
                x = keras.layers.Activation(network.activation, name=f"activation{i}")(x)
        if softmax:
            x = keras.layers.Softmax(name="probabilities")(x)
        model = keras.Model(inputs, x)
        self.set_weights(model, network)
        return model

    def layer(self, model, name):
        return model.get_layer(name)

    def set_weights(self, model, network):
        model.set_weights([array for pair in network.layers for array in pair])

    def counting(self, body):
        counter = VariableCounter()

        def count(rows):
            counter.bodies += 1
            counter.count(rows)

        tell = told(count)

        def model(x):
            tell(int(x.shape[0]))
            return body(Ops, x)

        return model, counter

    def differentiated(self, loss):
        @tf.function
        def compiled(*tensors):
            with tf.GradientTape() as tape:
                for tensor in tensors:
                    tape.watch(tensor)
                value = loss(*tensors)
            return value, tape.gradient(value, list(tensors))

        def run(*arrays):
            value, gradients = compiled(*map(tf.constant, arrays))
            return float(value), [tf.convert_to_tensor(g).numpy() for g in gradients]

        return run

    def reseed(self, seed):
        super().reseed(seed)
        tf.random.set_seed(seed)
        tf.random.get_global_generator().reset_from_seed(seed)

    def draw(self):
        fresh = [tf.random.normal((2,)), tf.random.get_global_generator().normal((2,))]
        return [*super().draw(), *tf.concat(fresh, 0).numpy().tolist()]

    def situations(self):
        config, policy = keras.config, keras.config.set_dtype_policy
        jit, soft = tf.config.optimizer.set_jit, tf.config.set_soft_device_placement
        return {
            "functions run eagerly": partial(
                switched, tf.config.run_functions_eagerly, True, False
            ),
            "compiled wherever possible": partial(switched, jit, True, False),
            "no soft placement": partial(switched, soft, False, True),
            "another default dtype": partial(switched, config.set_floatx, "float64", "float32"),
            "mixed precision": partial(switched, policy, "mixed_float16", "float32"),
            "channels first": partial(
                switched, config.set_image_data_format, "channels_first", "channels_last"
            ),
            "replicas": lambda: tf.distribute.MirroredStrategy(["CPU:0"]).scope(),
            "an outer tape": partial(tf.GradientTape, persistent=True),
            "an outer name scope": partial(tf.name_scope, "outer"),
        }

    def settings(self):
        return {
            "eager": tf.executing_eagerly(),
            "functions run eagerly": tf.config.functions_run_eagerly(),
            "jit": tf.config.optimizer.get_jit(),
            "placement": tf.config.get_soft_device_placement(),
            "threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "keras dtype": keras.config.dtype_policy().name,
            "keras float": keras.config.floatx(),
            "keras backend": keras.config.backend(),
        }
