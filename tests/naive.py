"""The kernels once more in plain NumPy and float64: slow, short, and to be checked by eye.

A network is a list of layers. The parameters of a layer have the shape (n_inputs + 1, n_channels, n_units), the biases
in the last row; so do its gradient and the update rule's memory. Hidden layers of Maxout have two channels, others one.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels.updates import Rule
from h2olite.kinds.activations import MAXOUT, RECTIFIER, TANH
from h2olite.kinds.distributions import (
    CLASS_QUADRATIC,
    CROSS_ENTROPY,
    GAMMA,
    GAUSSIAN,
    LAPLACE,
    POISSON,
    QUANTILE,
    TWEEDIE,
)
from h2olite.kinds.rate_schedules import CONSTANT, COS_LOG, COSINE, LINEAR
from h2olite.kinds.update_rules import ADADELTA, ADAM, ADAMW


@dataclass
class Layer:
    """The parameters of one layer and what the update rule remembers of them."""

    parameters: np.ndarray
    first: np.ndarray
    second: np.ndarray


def layers_of(network):
    """A copy of a network's layers, as training moves them."""

    def part(layer, flat):
        biases = network.biases(layer, of=flat)[np.newaxis]
        return np.concatenate([network.weights(layer, of=flat), biases]).astype(np.float64)

    flats = (network.iterate, network.first, network.second)
    return [Layer(*(part(layer, flat) for flat in flats)) for layer in range(network.n_layers)]


def take(rows, chosen):
    """Some of the rows; columns that are absent stay so."""
    return EncodedRows(*(column[chosen] if len(column) else column for column in rows))


def expand(rows, n_inputs):
    """The rows as a matrix: how often each level occurs in the row, then the numbers."""
    x = np.zeros((len(rows.levels), n_inputs))
    for row, levels in zip(x, rows.levels, strict=True):
        np.add.at(row, levels[levels >= 0], 1)
    x[:, n_inputs - rows.numbers.shape[1] :] = rows.numbers
    return x


def activate(activation, z):
    """Activations (n_rows, n_units) and slopes (n_rows, n_channels, n_units) at the pre-activations z."""
    if activation == MAXOUT:
        second = z[:, 1:] > z[:, :1]
        return z.max(axis=1), np.concatenate([~second, second], axis=1).astype(float)
    if activation == TANH:
        return np.tanh(z)[:, 0], 1 - np.tanh(z) ** 2
    if activation == RECTIFIER:
        return np.maximum(z, 0)[:, 0], (z > 0).astype(float)
    return np.where(z >= 0, z, np.expm1(z))[:, 0], np.where(z >= 0, 1, np.exp(z))


def forward(layers, x, activation, kept):
    """The inputs of each layer with a 1 for the bias, the slopes of each hidden one, and the linear output.

    kept[l] is what the activations of hidden layer l are multiplied by: a mask, or the probability to be kept.
    """
    inputs, slopes = [], []
    for layer, mask in zip(layers, [*kept, None], strict=True):
        inputs.append(np.column_stack([x, np.ones(len(x))]))
        z = np.einsum("ri,icu->rcu", inputs[-1], layer.parameters)
        if mask is None:
            return inputs, slopes, z[:, 0]
        x, slope = activate(activation, z)
        x = x * mask
        slopes.append(slope * np.reshape(mask, (-1, 1, np.shape(mask)[-1])))


def softmax(f):
    exponentials = np.exp(f - f.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def predict(layers, objective, rows):
    """Class probabilities, linear outputs without offset, or an autoencoder's outputs, by units as often as kept."""
    hidden = zip(layers[:-1], objective.dropout[1:-1], strict=True)
    kept = [np.full(layer.parameters.shape[2], 1 - float(ratio)) for layer, ratio in hidden]
    f = outputs(layers, objective, rows._replace(offsets=[]), kept)
    if objective.autoencoder:
        return reconstruction(objective, f)
    return softmax(f) if is_classifier(objective) else f


def reconstruction(objective, f):
    """What an autoencoder makes of its linear outputs."""
    return activate(objective.activation, f[:, np.newaxis])[0]


def can_come_nearer(objective, f, target):
    """Whether outputs of an autoencoder may move to their targets: a Rectifier at 0 not to those below."""
    return ~((objective.activation == RECTIFIER) & (f <= 0) & (target < 0))


def outputs(layers, objective, rows, kept):
    """The linear outputs, offsets included."""
    f = forward(layers, expand(rows, layers[0].parameters.shape[0] - 1), objective.activation, kept)[-1]
    return f + rows.offsets[:, np.newaxis] if len(rows.offsets) else f


def is_classifier(objective):
    return objective.loss in (CROSS_ENTROPY, CLASS_QUADRATIC)


def loss(objective, f, target, around):
    """The loss of each row at the outputs f.

    CLASS_QUADRATIC lets every unit move alone in the softmax, the other units stay where ``around`` has them. The
    outputs of an autoencoder move as if they were linear, from where the activation of ``around`` puts them, but for
    those that their input is out of reach of.
    """
    kind, shape = objective.loss, float(objective.shape)
    if objective.autoencoder:
        move = (f - around) * can_come_nearer(objective, around, target)
        return error_loss(kind, shape, reconstruction(objective, around) + move - target).sum(axis=1)
    if kind == CROSS_ENTROPY:
        return -(smoothed(target, f, shape) * np.log(softmax(f))).sum(axis=1)
    if kind == CLASS_QUADRATIC:
        others = np.exp(around).sum(axis=1, keepdims=True) - np.exp(around)
        return ((np.exp(f) / (np.exp(f) + others) - one_hot(target, f)) ** 2).sum(axis=1) / 2
    f = f[:, 0]
    if kind == POISSON:
        return 2 * (np.exp(f) - target * f)
    if kind == GAMMA:
        return 2 * (target * np.exp(-f) + f)
    if kind == TWEEDIE:
        return 2 * (np.exp((2 - shape) * f) / (2 - shape) - target * np.exp((1 - shape) * f) / (1 - shape))
    return error_loss(kind, shape, f - target)


def error_loss(kind, shape, error):
    """The losses that depend on the error alone."""
    if kind == GAUSSIAN:
        return error**2
    if kind == LAPLACE:
        return abs(error)
    if kind == QUANTILE:
        return np.where(error < 0, -shape * error, (1 - shape) * error)
    return np.where(abs(error) <= shape, error**2, (2 * abs(error) - shape) * shape)


def loss_gradient(objective, f, target):
    """The derivatives of the loss of each row by its outputs f; of an autoencoder by its activated outputs."""
    kind, shape = objective.loss, float(objective.shape)
    if objective.autoencoder:
        errors = error_gradient(kind, shape, reconstruction(objective, f) - target)
        return errors * can_come_nearer(objective, f, target)
    if is_classifier(objective):
        y = softmax(f)
        if kind == CROSS_ENTROPY:
            return y - smoothed(target, f, shape)
        return (y - one_hot(target, f)) * y * (1 - y)
    target = target[:, np.newaxis]
    if kind == POISSON:
        return 2 * (bounded_exp(f) - target)
    if kind == GAMMA:
        return 2 * (1 - target * bounded_exp(-f))
    if kind == TWEEDIE:
        return 2 * (bounded_exp((2 - shape) * f) - target * bounded_exp((1 - shape) * f))
    return error_gradient(kind, shape, f - target)


def error_gradient(kind, shape, error):
    """The derivatives of the losses that depend on the error alone, 0 at an error of 0."""
    if kind == GAUSSIAN:
        return 2 * error
    if kind == LAPLACE:
        return np.sign(error)
    if kind == QUANTILE:
        return np.where(error < 0, -shape, 1 - shape) * (error != 0)
    return 2 * np.clip(error, -shape, shape)


def smoothed(target, f, smoothing):
    """The probabilities that classes should have."""
    return (1 - smoothing) * one_hot(target, f) + smoothing / f.shape[1]


def one_hot(target, f):
    return np.arange(f.shape[1]) == target[:, np.newaxis]


def bounded_exp(x):
    return np.minimum(np.exp(x), 1e19)


def objective_value(layers, objective, rows, kept, l2, around):
    """The mean over the rows of weight times loss, plus l2 / 2 times the sum of the squared weights."""
    losses = loss(objective, outputs(layers, objective, rows, kept), rows.target, around)
    penalty = sum((layer.parameters[:-1] ** 2).sum() for layer in layers)
    return np.mean(losses * row_weights(rows)) + l2 / 2 * penalty


def gradients(layers, objective, rows, kept):
    """For each layer the derivative of the mean loss, without the penalty, by backpropagation."""
    x = expand(rows, layers[0].parameters.shape[0] - 1)
    inputs, slopes, _ = forward(layers, x, objective.activation, kept)
    f = outputs(layers, objective, rows, kept)
    errors = loss_gradient(objective, f, rows.target) * row_weights(rows)[:, np.newaxis] / len(f)
    errors = errors[:, np.newaxis]
    found = []
    for number in reversed(range(len(layers))):
        found.insert(0, np.einsum("ri,rcu->icu", inputs[number], errors))
        if number > 0:
            below = np.einsum("rcu,icu->ri", errors, layers[number].parameters[:-1])
            errors = below[:, np.newaxis] * slopes[number - 1]
    return found


def row_weights(rows):
    return rows.weights if len(rows.weights) else np.ones(len(rows.levels))


def with_decay(gradient, layer, l2):
    """The gradient of loss and l2 penalty; biases carry none."""
    penalty = l2 * layer.parameters
    penalty[-1] = 0
    return gradient + penalty


def uniform(seed, row, layer, n):
    """The first n random numbers of one row in one layer."""
    golden, bits = 0x9E3779B97F4A7C15, 2**64 - 1

    def mix(counter):
        counter = ((counter ^ (counter >> 30)) * 0xBF58476D1CE4E5B9) & bits
        counter = ((counter ^ (counter >> 27)) * 0x94D049BB133111EB) & bits
        return counter ^ (counter >> 31)

    start = mix((mix((seed + row * golden) & bits) + layer * golden) & bits)
    return np.array([(mix((start + (i + 1) * golden) & bits) >> 40) / 2**24 for i in range(n)])


def keep(ratio, seed, first_row, n_rows, layer, n):
    """Which of n units are kept in each row, when each is dropped with probability `ratio`."""
    return np.array([uniform(seed, first_row + r, layer, n) >= ratio for r in range(n_rows)]).reshape(n_rows, n)


def drop_inputs(rows, ratio, seed, first_row):
    """The rows after input dropout: a dropped categorical predictor has no level, a dropped number is 0."""
    n_categorical, n_numeric = rows.levels.shape[1], rows.numbers.shape[1]
    stay = keep(ratio, seed, first_row, len(rows.levels), 0, n_categorical + n_numeric)
    return rows._replace(
        levels=np.where(stay[:, :n_categorical], rows.levels, -1),
        numbers=np.where(stay[:, n_categorical:], rows.numbers, 0),
    )


def train(layers, objective, rule, rows, *, batch_size=1, rows_seen=0, seed=0, means=(), activity=None, n_updates=0):
    """Train the layers on the rows, one update per mini-batch.

    means are the averages of their parameters, if any; activity those of the activations of each hidden layer.
    """
    for start in range(0, len(rows.levels), batch_size):
        batch = take(rows, slice(start, start + batch_size))
        seen = rows_seen + start
        now = seen + len(batch.levels)
        n_updates += 1
        train_batch(layers, objective, rule, batch, seen, seed, activity, n_updates)
        if now // rule.interval > seen // rule.interval:
            share = min(max(rule.interval, now - seen) / (rule.window * now), 1)
            for mean, layer in zip(means, layers, strict=False):
                mean += share * (layer.parameters - mean)


def train_batch(layers, objective, rule, rows, seen, seed, activity=None, n_updates=1):
    """One update with dropout."""
    if objective.autoencoder:
        rows = with_inputs_as_target(rows, layers[0].parameters.shape[0] - 1)
    rows = drop_inputs(rows, objective.dropout[0], seed, seen)
    masks = [
        keep(objective.dropout[number], seed, seen, len(rows.levels), number, layer.parameters.shape[2])
        for number, layer in enumerate(layers[:-1], start=1)
    ]
    x = expand(rows, layers[0].parameters.shape[0] - 1)
    activations = [a[:, :-1] for a in forward(layers, x, objective.activation, masks)[0][1:]]
    for number, gradient in enumerate(gradients(layers, objective, rows, masks)):
        update(layers[number], gradient, Rule(*map(float, rule)), number, seen, n_updates)
    if objective.sparsity_beta:
        for number, (averages, a) in enumerate(zip(activity, activations, strict=True)):
            of_layer = averages, a
            pull_activity(layers[number], of_layer, objective, Rule(*map(float, rule)), number, seen, n_updates)


def with_inputs_as_target(rows, n_inputs):
    """The rows with what an autoencoder is to make of them."""
    return rows._replace(target=expand(rows, n_inputs))


def pull_activity(layer, of_layer, objective, rule, number, seen, n_updates):
    """Move the averages by each row's activations, then the biases against what the averages exceed."""
    averages, activations = of_layer
    for a in activations:
        averages += 0.001 * (a - averages)
    rate = rates_of(layer, rule, number, seen, n_updates)[-1, 0]
    if rule.kind in (ADAM, ADAMW):
        rate = np.minimum(rate, 1)
    excess = averages - float(objective.average_activation)
    layer.parameters[-1, 0] -= rate * float(objective.sparsity_beta) * excess


def rates_of(layer, rule, number, seen, n_updates):
    """The learning rate of every weight, as penalties and pulls need it."""
    if rule.kind == ADADELTA:
        return pace_at(rule, seen) * np.sqrt((layer.second + rule.epsilon) / (layer.first + rule.epsilon))
    if rule.kind in (ADAM, ADAMW):
        c1, c2 = 1 - rule.beta1**n_updates, 1 - rule.beta2**n_updates
        of_unreached = rule.rate * np.sqrt(c2) / c1
        rates = rule.rate / c1 / (np.sqrt(layer.second / c2) + rule.epsilon)
        return pace_at(rule, seen) * np.where(layer.second > 0, rates, of_unreached)
    return np.full(layer.parameters.shape, rate_at(rule, number, seen))


def update(layer, gradient, rule, number, seen, n_updates):
    """Move the parameters of a layer; in fast mode those without a gradient are left as they are."""
    before = Layer(*(array.copy() for array in vars(layer).values()))
    g = with_decay(gradient, layer, 0 if rule.kind == ADAMW else rule.l2)
    if rule.kind == ADADELTA:
        adadelta_step(layer, g, rule, pace_at(rule, seen))
    elif rule.kind in (ADAM, ADAMW):
        if rule.kind == ADAMW:
            layer.parameters[:-1] *= 1 - pace_at(rule, seen) * rule.rate * rule.l2
        adam_step(layer, g, rule, n_updates, pace_at(rule, seen))
    else:
        momentum_step(layer, g, rate_at(rule, number, seen), momentum_at(rule, seen), rule.nesterov)
    if rule.fast:
        for name, array in vars(before).items():
            getattr(layer, name)[gradient == 0] = array[gradient == 0]
    bound_incoming(layer, rule.max_w2)


def pace_at(rule, seen):
    """By which factor the schedule multiplies steps."""
    t = np.clip((seen - rule.schedule_start) / rule.schedule_rows, 0, 1)
    waves = (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t))) / 2
    return {CONSTANT: 1, LINEAR: 1 - t, COSINE: (1 + np.cos(np.pi * t)) / 2, COS_LOG: waves}[int(rule.schedule)]


def adadelta_step(layer, g, rule, pace):
    """ADADELTA (Zeiler 2012)."""
    rho, epsilon = rule.rho, rule.epsilon
    layer.first[:] = rho * layer.first + (1 - rho) * g**2
    d = np.sqrt((layer.second + epsilon) / (layer.first + epsilon)) * g
    layer.second[:] = rho * layer.second + (1 - rho) * d**2
    layer.parameters -= pace * d


def momentum_step(layer, g, rate, momentum, nesterov):
    """SGD with momentum (Polyak 1964), or looking ahead (Nesterov 1983); one gradient adds up to a move of rate * g."""
    layer.first[:] = momentum * layer.first - g
    ahead = momentum * layer.first - g if nesterov else layer.first
    layer.parameters += (1 - momentum) * rate * ahead


def adam_step(layer, g, rule, n_updates, pace):
    """Adam (Kingma and Ba 2015), as in its paper."""
    layer.first[:] = rule.beta1 * layer.first + (1 - rule.beta1) * g
    layer.second[:] = rule.beta2 * layer.second + (1 - rule.beta2) * g**2
    mean = layer.first / (1 - rule.beta1**n_updates)
    square = layer.second / (1 - rule.beta2**n_updates)
    layer.parameters -= pace * rule.rate * mean / (np.sqrt(square) + rule.epsilon)


def rate_at(rule, number, seen):
    """The learning rate of the layer with this number (from 0) after `seen` rows."""
    return pace_at(rule, seen) * rule.rate * rule.decay**number / (1 + rule.annealing * seen)


def momentum_at(rule, seen):
    """The momentum after `seen` rows, on its way from start to stable."""
    progress = min(seen / rule.momentum_ramp, 1) if rule.momentum_ramp > 0 else 1
    return rule.momentum_start + (rule.momentum_stable - rule.momentum_start) * progress


def bound_incoming(layer, max_w2):
    """Shrink the weights into each unit whose squares add up to more than max_w2."""
    squares = (layer.parameters[:-1] ** 2).sum(axis=0)
    layer.parameters[:-1] *= np.sqrt(max_w2 / np.maximum(squares, max_w2))


IN, NEWLY_IN, OUT = 0, 0.5, 1


class Penalised:
    """What penalties that make zeros know of the weights of each layer: arrays of (inputs, channels, units)."""

    def __init__(self, layers, columns):
        weights = [layer.parameters[:-1] for layer in layers]
        self.columns = list(itertools.pairwise(columns))
        self.out = [np.where(w == 0, OUT, IN).astype(float) for w in weights]
        self.accumulated, self.rates_sum = ([np.zeros_like(w) for w in weights] for _ in range(2))


def proximal_step(layers, screening, rule, taken, seen, n_updates=1):
    """The proximal steps of many updates; weights that are out give back what they learnt."""
    for number, layer in enumerate(layers):
        rates = rates_of(layer, rule, number, seen, n_updates)[:-1] * taken
        w, out, accumulated, rates_sum = (
            layer.parameters[:-1],
            screening.out[number],
            screening.accumulated[number],
            screening.rates_sum[number],
        )
        has_columns = number == 0 and rule.input_group_l1 > 0
        was_out = out == OUT
        accumulated[was_out] += w[was_out]
        rates_sum[was_out] += rates[was_out]
        if not has_columns:
            accumulated[~was_out] += (np.sign(w) * rates)[~was_out]
            rates_sum[~was_out] += rates[~was_out]
        w[:] = np.where(was_out, 0, np.sign(w) * np.maximum(abs(w) - rule.l1 * rates, 0))
        leave(w, out, accumulated, rates_sum, (w == 0) & ~was_out)
        for begin, end in screening.columns if has_columns else ():
            of = slice(begin, end)
            norm = np.linalg.norm(w[of])
            if norm > 0:
                rate = (w[of] ** 2 * rates[of]).sum() / norm**2
                within = out[of] != OUT
                accumulated[of] += w[of] / norm * rate
                rates_sum[of] += within * rate
                w[of] *= max(1 - rule.input_group_l1 * np.sqrt(w[of].size) * rate / norm, 0)
                leave(w[of], out[of], accumulated[of], rates_sum[of], (w[of] == 0) & within)


def leave(w, out, accumulated, rates_sum, which):
    """Have some weights go out, as if they had never moved."""
    for array, value in ((w, 0), (accumulated, 0), (rates_sum, 0), (out, OUT)):
        array[which] = value


def screen(layers, screening, rule, share, steady):
    """Which weights are in and out, by what has moved them."""
    for number, layer in enumerate(layers):
        w, out, accumulated, rates_sum = (
            layer.parameters[:-1],
            screening.out[number],
            screening.accumulated[number],
            screening.rates_sum[number],
        )
        coming = np.sign(accumulated) * np.maximum(abs(accumulated) - rule.l1 * rates_sum, 0)
        if number > 0 or rule.input_group_l1 == 0:
            was_out = out == OUT
            unsteady = ~was_out & (abs(accumulated) < steady * rates_sum) & (abs(w) < rule.l1 * rates_sum)
            w[was_out] = share * coming[was_out]
            w[unsteady] = 0
            out[:] = np.where(w == 0, OUT, IN)
        else:
            for begin, end in screening.columns:
                of = slice(begin, end)
                screen_column(w[of], out[of], accumulated[of], rates_sum[of], coming[of], rule, share, steady)
        accumulated[:] = rates_sum[:] = 0


def screen_column(w, out, accumulated, rates_sum, coming, rule, share, steady):
    """The same for the weights out of one column."""
    was_out = out == OUT
    strength = rule.input_group_l1 * np.sqrt(w.size)
    if was_out.all():
        norm = np.linalg.norm(coming)
        kept = max(1 - strength * (coming**2 * rates_sum).sum() / norm**3, 0) if norm > 0 else 0
    else:
        most = rates_sum[~was_out].max()
        unsteady = np.linalg.norm(accumulated[~was_out]) < steady * most and np.linalg.norm(w) < strength * most
        kept = 0 if unsteady else 1
    w[:] = np.where(was_out, share * kept * coming, w if kept else 0)
    out[:] = np.where(w == 0, OUT, np.where(was_out, NEWLY_IN, IN))
