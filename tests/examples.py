"""Small tables, networks and rules for the tests of the kernels, and calls of the entry points."""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels import penalties, rows
from h2olite.kernels.rows import Objective
from h2olite.kernels.updates import Rule
from h2olite.kinds import distributions as losses
from h2olite.kinds.activations import EXP_RECTIFIER, MAXOUT, RECTIFIER, TANH
from h2olite.kinds.rate_schedules import CONSTANT
from h2olite.kinds.update_rules import ADADELTA, SGD
from h2olite.network.network import Network
from h2olite.network.topology import exchange_of, lay_out, members_of_team, workspace
from h2olite.training.team import outers_of

ACTIVATIONS = {"Tanh": TANH, "Rectifier": RECTIFIER, "ExpRectifier": EXP_RECTIFIER, "Maxout": MAXOUT}

LOSSES = {
    "cross-entropy of 2": (losses.CROSS_ENTROPY, 0.0, 2),
    "cross-entropy of 4": (losses.CROSS_ENTROPY, 0.0, 4),
    "cross-entropy of 20": (losses.CROSS_ENTROPY, 0.0, 20),
    "smoothed cross-entropy of 3": (losses.CROSS_ENTROPY, 0.2, 3),
    "quadratic of 2": (losses.CLASS_QUADRATIC, 0.0, 2),
    "quadratic of 4": (losses.CLASS_QUADRATIC, 0.0, 4),
    "gaussian": (losses.GAUSSIAN, 0.0, 1),
    "laplace": (losses.LAPLACE, 0.0, 1),
    "quantile": (losses.QUANTILE, 0.3, 1),
    "huber": (losses.HUBER, 0.7, 1),
    "poisson": (losses.POISSON, 0.0, 1),
    "gamma": (losses.GAMMA, 0.0, 1),
    "tweedie": (losses.TWEEDIE, 1.4, 1),
}
"""Code, shape parameter and number of outputs: more than a narrow layer has in one case."""

AUTOENCODERS = {
    "activation": ["Tanh", "Rectifier", "ExpRectifier"],
    "loss": ["gaussian", "laplace", "quantile", "huber"],
}
"""What an autoencoder may have."""

LEVELS = (4, 3)
N_NUMERIC = 3
N_INPUTS = sum(LEVELS) + N_NUMERIC
COLUMNS = np.cumsum([0, *LEVELS, *[1] * N_NUMERIC])


def objective(loss="gaussian", activation="Rectifier", hidden=(6, 5), input_dropout=0.0, dropout=0.0, **autoencoder):
    """What is minimised, with one dropout ratio for all hidden layers or one for each; maybe an autoencoder."""
    code, shape, _ = LOSSES[loss]
    ratios = np.zeros(len(hidden) + 2, np.float32)
    ratios[0], ratios[1:-1] = input_dropout, dropout
    return Objective(
        loss=code,
        shape=np.float32(shape),
        activation=ACTIVATIONS[activation],
        dropout=ratios,
        seed=np.uint64(0),
        autoencoder=bool(autoencoder),
        average_activation=np.float32(autoencoder.get("average_activation", 0)),
        sparsity_beta=np.float32(autoencoder.get("sparsity_beta", 0)),
    )


def network(
    loss="gaussian", activation="Rectifier", hidden=(6, 5), n_inputs=N_INPUTS, n_outputs=None, seed=0, averaged=False
):
    """A network with random weights and biases, and as many outputs as the loss has or as given."""
    layout = lay_out([n_inputs, *hidden, n_outputs or LOSSES[loss][2]], n_channels=1 + (activation == "Maxout"))
    made = Network.zeros(layout, averaged=averaged)
    random = np.random.default_rng(seed)
    for layer in range(made.n_layers):
        for part in (made.weights(layer), made.biases(layer)):
            part[...] = random.uniform(-0.6, 0.6, part.shape)
    made.iterate[:] = made.theta
    return made


def table(n_rows, loss="gaussian", seed=0, weights=False, offsets=False):
    """Rows with two categorical predictors, some without a level, and three numeric ones, some of them zero."""
    random = np.random.default_rng(seed)
    first = np.cumsum([0, *LEVELS])
    levels = np.column_stack([random.integers(first[c], first[c] + n, n_rows) for c, n in enumerate(LEVELS)])
    levels[random.random(levels.shape) < 0.1] = -1
    numbers = random.normal(size=(n_rows, N_NUMERIC)) * (random.random((n_rows, N_NUMERIC)) < 0.8)
    n_classes = LOSSES[loss][2]
    target = random.integers(n_classes, size=n_rows) if n_classes > 1 else random.gamma(2, 0.5, n_rows)
    return EncodedRows(
        levels=levels.astype(np.int32),
        numbers=numbers.astype(np.float32),
        target=target.astype(np.float32),
        weights=random.uniform(0.2, 3, n_rows if weights else 0).astype(np.float32),
        offsets=random.normal(size=n_rows if offsets else 0).astype(np.float32),
    )


def without_zeros(rows):
    """The same rows with only those numbers kept that are not 0."""
    lengths = np.count_nonzero(rows.numbers, axis=1)
    row, place = np.nonzero(rows.numbers)
    return rows._replace(
        numbers=rows.numbers[:0],
        starts=np.concatenate(([0], np.cumsum(lengths))),
        places=place.astype(np.int32),
        entries=rows.numbers[row, place],
    )


def rule(**settings):
    """Plain SGD with rate 1 that treats every weight on every row, but for these settings."""
    kind = settings.pop("kind", ADADELTA if settings.pop("adaptive", False) else SGD)
    schedule, start, n_rows = settings.pop("schedule", (CONSTANT, 0.0, 1.0))
    numbers = {
        **{"rho": 0.99, "epsilon": 1e-8, "rate": 1.0, "annealing": 0.0, "decay": 1.0, "beta1": 0.9, "beta2": 0.999},
        **{"momentum_start": 0.0, "momentum_ramp": 0.0, "momentum_stable": 0.0},
        **{"l1": 0.0, "input_group_l1": 0.0, "l2": 0.0, "max_w2": 3.4028235e38, "window": 0.1},
    }
    flags = {name: bool(settings.pop(name, False)) for name in ("nesterov", "fast")}
    interval = np.int64(settings.pop("interval", 1))
    proximal_interval = np.int64(settings.pop("proximal_interval", 0))
    singles = {name: np.float32(value) for name, value in {**numbers, **settings}.items()}
    return Rule(
        kind=kind,
        **flags,
        **singles,
        interval=interval,
        proximal_interval=proximal_interval,
        pace=np.float32(1),
        schedule=schedule,
        schedule_start=np.float64(start),
        schedule_rows=np.float64(n_rows),
    )


def train(
    net,
    goal,
    how,
    data,
    *,
    order=None,
    batch_size=1,
    rows_seen=0,
    n_updates=0,
    seed=7,
    n_members=1,
    n_parts=None,
    screening=None,
    call=rows.train_rows,
):
    """Run the kernel on the rows in this order, in a team of so many threads; or call what is given in its place."""
    order = np.arange(len(data.levels)) if order is None else order
    shape = net.layout, data.levels.shape[1], data.numbers.shape[1], batch_size
    bounds = np.linspace(0, net.layout.sizes[0] - shape[2], (n_parts or n_members) + 1).astype(int).tolist()
    members = members_of_team(net.layout, bounds, exchange_of(net.layout, len(bounds) - 1, batch_size), n_members)
    team = [workspace(*shape)._replace(member=member) for member in members]
    net.rows_seen, net.n_updates, goal = rows_seen, n_updates, goal._replace(seed=np.uint64(seed))
    state = net.state(screening)
    team = [
        work._replace(outer=outer) for work, outer in zip(team, outers_of(net.layout, state, n_members), strict=True)
    ]

    def run(work):
        return call(net.layout, state, goal, how, data, order, batch_size, work)

    if n_members == 1:
        return run(*team)
    with ThreadPoolExecutor(n_members) as pool:
        return list(pool.map(run, team))


def step_and_screen(net, screening, how, n_updates, rows_seen=0, screened_rows=0):
    """Let the kernel's penalties act, and maybe screen the weights."""
    screening.n_updates[0], net.rows_seen = n_updates, rows_seen
    penalties.step_and_screen(net.layout, net.state(screening), how, screened_rows)


def predict(net, goal, data, *, order=None, capacity=32):
    """The kernel's predictions."""
    order = np.arange(len(data.levels)) if order is None else order
    outputs = np.full((order.size, net.layout.sizes[-1]), np.nan, np.float32)
    scratch = workspace(net.layout, data.levels.shape[1], data.numbers.shape[1], capacity)
    rows.predict_rows(net.layout, net.theta, goal, data, order, outputs, scratch)
    return outputs


def from_python(kernel):
    """A kernel that only kernels call, for Python to call."""

    @numba.njit
    def call(*arguments):
        return kernel(*arguments)

    return call


def copy(net):
    """An independent network with the same parameters and memory."""
    made = Network.zeros(net.layout, averaged=net.iterate is not net.theta)
    for name in ("theta", "iterate", "first", "second"):
        getattr(made, name)[:] = getattr(net, name)
    return made
