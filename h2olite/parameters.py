"""The one declaration of every training parameter.

The Python signature, the command line's options, the validation and docs/parameters.md are all derived from the
fields of `Parameters`: a name, a type, a default, the values allowed and what it does stand here and nowhere else.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

Activation = Literal[
    "Tanh",
    "TanhWithDropout",
    "Rectifier",
    "RectifierWithDropout",
    "Maxout",
    "MaxoutWithDropout",
    "ExpRectifier",
    "ExpRectifierWithDropout",
]
FoldAssignment = Literal["AUTO", "Random", "Modulo", "Stratified"]
WeightDistribution = Literal["UniformAdaptive", "Uniform", "Normal"]
Loss = Literal["Automatic", "CrossEntropy", "Quadratic", "Huber", "Absolute", "Quantile"]
Distribution = Literal[
    "AUTO",
    "bernoulli",
    "multinomial",
    "gaussian",
    "poisson",
    "gamma",
    "tweedie",
    "laplace",
    "quantile",
    "huber",
]
StoppingMetric = Literal[
    "AUTO",
    "deviance",
    "logloss",
    "MSE",
    "RMSE",
    "MAE",
    "RMSLE",
    "AUC",
    "AUCPR",
    "lift_top_group",
    "misclassification",
    "mean_per_class_error",
    "custom",
    "custom_increasing",
]
ValidationSampling = Literal["Uniform", "Stratified"]
MissingValues = Literal["MeanImputation", "Skip"]
CategoricalEncoding = Literal[
    "AUTO",
    "OneHotInternal",
    "Binary",
    "Eigen",
    "LabelEncoder",
    "SortByResponse",
    "EnumLimited",
]
AucType = Literal["AUTO", "NONE", "MACRO_OVR", "WEIGHTED_OVR", "MACRO_OVO", "WEIGHTED_OVO"]

Frame = Any
"""A DataFrame, an Arrow table, a dict of arrays, a 2-D array or a path (see `h2olite.data.frames`)."""

Source = Any
"""A model, or the path of a model file."""

GROUPS = {
    "data": "What is learnt from what",
    "network": "The network",
    "training": "How long and in which steps",
    "learning rate": "The update rule",
    "regularisation": "Against overfitting",
    "loss": "What is minimised",
    "scoring": "When the model is measured",
    "stopping": "When training ends early",
    "classes": "Unequal classes",
    "validation": "Cross-validation",
    "continuing": "Starting from another model",
    "autoencoder": "Autoencoders",
    "output": "What is reported and kept",
    "machine": "The machine",
}


class Interval(NamedTuple):
    """A range of numbers, with each end open or closed."""

    low: float
    high: float
    low_open: bool
    high_open: bool

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read the mathematical notation, such as ``[0, 1)`` or ``(0, inf)``."""
        low, high = text[1:-1].split(",")
        return cls(float(low), float(high), text[0] == "(", text[-1] == ")")

    def __contains__(self, value: object) -> bool:
        """Whether the number lies inside (NaN never does)."""
        number = float(typing.cast(float, value))
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        return above and below

    def rule(self) -> str:
        """The range in words that follow a parameter's name, such as ``must be >= 0 and < 1``."""
        low = f"{'>' if self.low_open else '>='} {exactly(self.low)}"
        high = f"{'<' if self.high_open else '<='} {exactly(self.high)}"
        finite = [text for text, end in ((low, self.low), (high, self.high)) if abs(end) != float("inf")]
        return f"must be {' and '.join(finite) or 'finite'}"


def parameter(
    *,
    default: Any,
    group: str,
    help: str,
    within: str | None = None,
    own: bool = False,
) -> Any:
    """Declare one parameter.

    Parameters
    ----------
    default : the value when nobody sets it.
    group : the key in `GROUPS` under which help pages list it.
    help : what it does, in one or two sentences.
    within : for numbers and lists of numbers, the range each must lie in, such as ``"[0, 1)"``.
    own : True when h2o.deeplearning has no such parameter.
    """
    metadata = {"group": group, "help": help, "within": within and Interval.parse(within), "own": own}
    if isinstance(default, list):
        return dataclasses.field(default_factory=functools.partial(list, default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(eq=False)
class Parameters:
    """All parameters of one training, in the order of R's h2o.deeplearning, then h2olite's own."""

    x: list[str] | list[int] | None = parameter(
        default=None, group="data", help="Predictors, by name or 0-based index; all but the response if not set."
    )
    y: str | int | None = parameter(
        default=None, group="data", help="Response, by name or 0-based index; the last column if not set."
    )
    training_frame: Frame = parameter(default=None, group="data", help="The table to learn from.")
    _: dataclasses.KW_ONLY
    model_id: str | None = parameter(default=None, group="output", help="Name of the model; made up if not set.")
    validation_frame: Frame = parameter(
        default=None,
        group="data",
        help="A table that is scored but not learnt from; it then drives early stopping, the choice of the best "
        "model and the default threshold.",
    )
    nfolds: int = parameter(
        default=0,
        group="validation",
        within="[0, inf)",
        help="Cross-validation folds, at least 2: every row is predicted by a model that did not learn from it. "
        "0 for none.",
    )
    keep_cross_validation_models: bool = parameter(
        default=True, group="validation", help="Keep the model of every fold, in the model file too."
    )
    keep_cross_validation_predictions: bool = parameter(
        default=False, group="validation", help="Keep the folds' predictions of their hold-out rows."
    )
    keep_cross_validation_fold_assignment: bool = parameter(
        default=False, group="validation", help="Keep which fold each row was in."
    )
    fold_assignment: FoldAssignment = parameter(
        default="AUTO",
        group="validation",
        help="How rows are dealt to nfolds folds: at random (AUTO too), in turn (Modulo), or at random with every "
        "class spread evenly (Stratified).",
    )
    fold_column: str | None = parameter(
        default=None,
        group="validation",
        help="Column that says which fold each row is in, by levels or whole numbers; cross-validates without nfolds.",
    )
    ignore_const_cols: bool = parameter(
        default=True, group="data", help="Leave out columns with one value or none but missing ones."
    )
    score_each_iteration: bool = parameter(
        default=False, group="scoring", help="Measure the model after every iteration, whatever that costs."
    )
    weights_column: str | None = parameter(
        default=None,
        group="data",
        help="Column of row weights >= 0: a row of weight 2 counts like two rows, one of weight 0 like none. Only "
        "their ratios matter.",
    )
    offset_column: str | None = parameter(
        default=None,
        group="data",
        help="Column that is added to the linear output before the link, as with the logarithm of the exposure for "
        "counts; regression only.",
    )
    balance_classes: bool = parameter(
        default=False,
        group="classes",
        help="Train on rows sampled so that all classes are as frequent as the largest; predicted probabilities are "
        "those of the table as it is.",
    )
    class_sampling_factors: list[float] | None = parameter(
        default=None,
        group="classes",
        within="(0, inf)",
        help="With balance_classes, how often to take each class's rows, in the order of the levels.",
    )
    max_after_balance_size: float = parameter(
        default=5.0,
        group="classes",
        within="(0, inf)",
        help="With balance_classes, the most rows there may be, as a multiple of the table's.",
    )
    checkpoint: Source = parameter(
        default=None,
        group="continuing",
        help="A model, its file, or a folder of which the newest model is taken: its training goes on, up to `epochs` "
        "in all. Parameters not given are as they were there.",
    )
    pretrained_autoencoder: Source = parameter(
        default=None,
        group="continuing",
        help="An autoencoder, or its file, whose hidden layers are the initial ones; it must have the same inputs and "
        "hidden layers.",
    )
    overwrite_with_best_model: bool = parameter(
        default=True, group="stopping", help="End with the best model scored instead of the last one."
    )
    use_all_factor_levels: bool = parameter(
        default=True, group="data", help="Give every level an input of its own; otherwise the first has none."
    )
    standardize: bool = parameter(
        default=True,
        group="data",
        help="Scale numeric columns to mean 0 and standard deviation 1, and a response with an identity link too.",
    )
    activation: Activation = parameter(default="Rectifier", group="network", help="Activation of the hidden layers.")
    hidden: list[int] = parameter(
        default=[200, 200],
        group="network",
        within="[1, inf)",
        help="Units of each hidden layer; an empty list makes a linear model.",
    )
    epochs: float = parameter(
        default=10.0,
        group="training",
        within="[0, inf)",
        help="How often to pass over the table; fractions are fine, 0 scores the initial weights.",
    )
    train_samples_per_iteration: int = parameter(
        default=-2,
        group="training",
        within="[-2, inf)",
        help="Rows trained between two opportunities to score; 0 or -1: one epoch, -2: chosen from the table's size.",
    )
    target_ratio_comm_to_comp: float = parameter(
        default=0.05,
        group="machine",
        within="(0, inf)",
        help="Share of time for communication between machines. Acts only in distributed training.",
    )
    seed: int = parameter(
        default=-1, group="training", help="Seed of all random numbers, any whole number of 64 bits; -1 draws one."
    )
    adaptive_rate: bool = parameter(
        default=True, group="learning rate", help="Use ADADELTA; otherwise SGD with rate, annealing and momentum."
    )
    rho: float = parameter(
        default=0.99, group="learning rate", within="(0, 1)", help="ADADELTA: how slowly the running averages forget."
    )
    epsilon: float = parameter(
        default=1e-8, group="learning rate", within="(0, inf)", help="ADADELTA: lets the first steps start."
    )
    rate: float = parameter(default=0.005, group="learning rate", within="(0, inf)", help="SGD: learning rate.")
    rate_annealing: float = parameter(
        default=1e-6,
        group="learning rate",
        within="[0, inf)",
        help="SGD: the rate is divided by 1 + rate_annealing * rows seen.",
    )
    rate_decay: float = parameter(
        default=1.0,
        group="learning rate",
        within="(0, inf)",
        help="SGD: the rate of layer l (first hidden layer 1) is multiplied by rate_decay^(l - 1).",
    )
    momentum_start: float = parameter(
        default=0.0, group="learning rate", within="[0, 1)", help="SGD: momentum at the start."
    )
    momentum_ramp: float = parameter(
        default=1e6,
        group="learning rate",
        within="[0, inf)",
        help="SGD: rows over which momentum goes from momentum_start to momentum_stable.",
    )
    momentum_stable: float = parameter(
        default=0.0, group="learning rate", within="[0, 1)", help="SGD: momentum after the ramp."
    )
    nesterov_accelerated_gradient: bool = parameter(
        default=True, group="learning rate", help="SGD: Nesterov's momentum; otherwise classical momentum."
    )
    input_dropout_ratio: float = parameter(
        default=0.0, group="regularisation", within="[0, 1)", help="Probability to drop each input while training."
    )
    hidden_dropout_ratios: list[float] | None = parameter(
        default=None,
        group="regularisation",
        within="[0, 1)",
        help="Probability to drop a unit of each hidden layer (activations WithDropout; 0.5 each if not set).",
    )
    l1: float = parameter(
        default=0.0,
        group="regularisation",
        within="[0, inf)",
        help="Adds l1 * sum |w| over the weights to the mean loss; many weights become exactly 0.",
    )
    l2: float = parameter(
        default=0.0,
        group="regularisation",
        within="[0, inf)",
        help="Adds l2 / 2 * sum w^2 over the weights to the mean loss; all weights shrink.",
    )
    max_w2: float = parameter(
        default=3.4028235e38,
        group="regularisation",
        within="(0, inf]",
        help="Most that the squared weights into one unit may add up to; larger ones are scaled down.",
    )
    initial_weight_distribution: WeightDistribution = parameter(
        default="UniformAdaptive", group="network", help="Distribution that the initial weights are drawn from."
    )
    initial_weight_scale: float = parameter(
        default=1.0,
        group="network",
        within="(0, inf)",
        help="Half-width of Uniform, standard deviation of Normal initial weights.",
    )
    initial_weights: list[Any] | None = parameter(
        default=None,
        group="continuing",
        help="Initial weights of every layer, the output layer last, as `weights` gives them: a row per unit, a column "
        "per input. Each a file, a DataFrame or an array, or nothing for random ones.",
    )
    initial_biases: list[Any] | None = parameter(
        default=None,
        group="continuing",
        help="Initial biases of every layer, the output layer last: a row per unit. Each a file, a DataFrame or an "
        "array, or nothing for the usual ones.",
    )
    loss: Loss = parameter(default="Automatic", group="loss", help="Loss function; Automatic follows the distribution.")
    distribution: Distribution = parameter(
        default="AUTO", group="loss", help="Distribution of the response; AUTO follows its type and the loss."
    )
    quantile_alpha: float = parameter(
        default=0.5, group="loss", within="[0, 1]", help="The quantile to predict with distribution quantile."
    )
    tweedie_power: float = parameter(
        default=1.5,
        group="loss",
        within="(-inf, inf)",
        help="With distribution tweedie, the power p of the variance mean^p, between 1 and 2.",
    )
    huber_alpha: float = parameter(
        default=0.9,
        group="loss",
        within="[0, 1]",
        help="With distribution huber, the quantile of the absolute residuals where the loss turns from "
        "quadratic to linear.",
    )
    score_interval: float = parameter(
        default=5.0, group="scoring", within="[0, inf)", help="Least seconds between two measurements of the model."
    )
    score_training_samples: int = parameter(
        default=10000, group="scoring", within="[0, inf)", help="Training rows to measure on; 0 for all."
    )
    score_validation_samples: int = parameter(
        default=0, group="scoring", within="[0, inf)", help="Validation rows to measure on; 0 for all."
    )
    score_duty_cycle: float = parameter(
        default=0.1, group="scoring", within="[0, 1]", help="Largest share of time to spend on measuring."
    )
    classification_stop: float = parameter(
        default=0.0,
        group="stopping",
        within="[-1, 1]",
        help="Stop when the error, of the validation rows if there are any, is at most this; -1 never does.",
    )
    regression_stop: float = parameter(
        default=1e-6,
        group="stopping",
        within="[-1, inf)",
        help="Stop when the MSE, of the validation rows if there are any, is at most this; -1 never does.",
    )
    stopping_rounds: int = parameter(
        default=5,
        group="stopping",
        within="[0, inf)",
        help="Stop when the moving average over this many measurements no longer improves; 0 never does.",
    )
    stopping_metric: StoppingMetric = parameter(
        default="AUTO",
        group="stopping",
        help="What must improve; AUTO is logloss, deviance for regression, MSE for an autoencoder.",
    )
    stopping_tolerance: float = parameter(
        default=0.0, group="stopping", within="[0, 1)", help="Relative improvement that counts as one."
    )
    max_runtime_secs: float = parameter(
        default=0.0,
        group="stopping",
        within="[0, inf)",
        help="Seconds after which training ends; the model is still scored. 0 for no limit.",
    )
    score_validation_sampling: ValidationSampling = parameter(
        default="Uniform",
        group="scoring",
        help="How score_validation_samples rows are drawn; Stratified keeps the shares of the classes.",
    )
    diagnostics: bool = parameter(
        default=True, group="output", help="Statistics of every layer; deprecated in H2O, always on."
    )
    fast_mode: bool = parameter(
        default=True,
        group="training",
        help="Leave weights alone whose gradient is exactly 0 (zero inputs, dead or dropped units).",
    )
    force_load_balance: bool = parameter(
        default=True, group="machine", help="Use all threads even on small tables; False keeps those on one."
    )
    variable_importances: bool = parameter(
        default=True, group="output", help="Compute how much each input matters (Gedeon's method)."
    )
    replicate_training_data: bool = parameter(
        default=True, group="machine", help="Copy the table to every machine. Acts only in distributed training."
    )
    single_node_mode: bool = parameter(
        default=False, group="machine", help="Train on one machine of several. Acts only in distributed training."
    )
    shuffle_training_data: bool = parameter(
        default=True,
        group="training",
        help="Visit the rows in a new random order each epoch. H2O's default is False, which costs accuracy on any "
        "sorted table.",
    )
    missing_values_handling: MissingValues = parameter(
        default="MeanImputation",
        group="data",
        help="MeanImputation replaces missing numbers by the column's mean; Skip leaves rows with any missing "
        "predictor out of training.",
    )
    quiet_mode: bool = parameter(default=False, group="output", help="Report less while training.")
    autoencoder: bool = parameter(
        default=False,
        group="autoencoder",
        help="Learn to reproduce the inputs; there is no response. With input_dropout_ratio, to restore dropped ones.",
    )
    sparse: bool = parameter(
        default=False, group="data", help="Scale numeric columns without centring them, so that zeros stay zeros."
    )
    col_major: bool = parameter(default=False, group="machine", help="Removed from H2O; True is an error there too.")
    average_activation: float = parameter(
        default=0.0,
        group="autoencoder",
        within="(-inf, inf)",
        help="With sparsity_beta, what the activation of every hidden unit is to be on average.",
    )
    sparsity_beta: float = parameter(
        default=0.0,
        group="autoencoder",
        within="[0, inf)",
        help="How strongly the biases of hidden units are moved so that the average activation is as wanted.",
    )
    max_categorical_features: int = parameter(
        default=2147483647,
        group="data",
        within="[1, inf)",
        help="Most inputs for the levels of all categorical columns; more levels share so many, by a hash that depends "
        "on the seed. Such a model has no variable importances.",
    )
    reproducible: bool = parameter(
        default=False,
        group="training",
        help="Same seed, same bits with any number of cores: one thread, and an iteration is one epoch that is always "
        "scored.",
    )
    export_weights_and_biases: bool = parameter(
        default=False, group="output", help="Accepted for H2O's sake: weights and biases can always be read."
    )
    mini_batch_size: int = parameter(
        default=1, group="training", within="[1, inf)", help="Rows whose mean gradient makes one update."
    )
    categorical_encoding: CategoricalEncoding = parameter(
        default="AUTO",
        group="data",
        help="How categorical columns become inputs. OneHotInternal (AUTO): one per level; Binary: the binary digits "
        "of the level's index; LabelEncoder: the index, or the whole number that the level is; Eigen: a leading "
        "eigenvector of the levels' covariances; SortByResponse: one per level, sorted by mean response; EnumLimited: "
        "one per level for the 10 most frequent ones, one for the others.",
    )
    elastic_averaging: bool = parameter(
        default=False,
        group="machine",
        help="Average several machines' weights elastically. Acts only in distributed training.",
    )
    elastic_averaging_moving_rate: float = parameter(
        default=0.9,
        group="machine",
        within="[0, 1]",
        help="Moving rate of elastic averaging. Acts only in distributed training.",
    )
    elastic_averaging_regularization: float = parameter(
        default=0.001,
        group="machine",
        within="[0, inf)",
        help="Pull of elastic averaging. Acts only in distributed training.",
    )
    export_checkpoints_dir: str | None = parameter(
        default=None,
        group="continuing",
        help="Folder to write the model to, as `model_id`.h2olite: after every measurement, so that checkpoint can go "
        "on from there, and when training is finished.",
    )
    auc_type: AucType = parameter(
        default="AUTO",
        group="output",
        help="With 3 to 50 classes, which mean of AUCs to report: of each class against the rest (OVR) or of each "
        "pair of classes (OVO), plain (MACRO) or by the classes' rows (WEIGHTED). AUTO and NONE report none.",
    )
    custom_metric_func: str | Callable[..., float] | None = parameter(
        default=None,
        group="scoring",
        help="A metric of your own: module:function, imported and run (in Python also a function), called as "
        "function(actual, predicted, weights).",
    )
    gainslift_bins: int = parameter(
        default=-1,
        group="output",
        within="[-1, inf)",
        help="Groups of equally many rows in the gains/lift table of two classes; -1 for 16 that are finer at the top, "
        "0 for no table.",
    )
    verbose: bool = parameter(default=False, group="output", help="Print the scoring history while training.")
    ignored_columns: list[str] | None = parameter(
        default=None, group="data", help="Columns that are no predictors; cannot be combined with x."
    )
    factors: list[str] | None = parameter(
        default=None, group="data", own=True, help="Columns to read as categorical whatever they hold."
    )
    numeric: list[str] | None = parameter(
        default=None, group="data", own=True, help="Columns that must be numeric; text in one is an error."
    )
    averaging_window: float = parameter(
        default=0.1,
        group="training",
        within="[0, 1]",
        own=True,
        help="The model is the running average of the weights over about this last share of the rows seen so far, "
        "which is more accurate than the last weights; 0 for those.",
    )
    input_group_l1: float = parameter(
        default=0.0,
        group="regularisation",
        within="[0, inf)",
        own=True,
        help="Adds input_group_l1 * sqrt(number of weights) * norm for the weights out of each predictor, all levels "
        "together, to the mean loss; whole predictors leave the model.",
    )
    sparse_from: float = parameter(
        default=0.5,
        group="data",
        within="(0, 1]",
        own=True,
        help="Numeric columns with at least this share of zeros are scaled but not centred, so that zeros "
        "cost no time; missing numbers become 0 in them. 1 centres all.",
    )
    nthreads: int = parameter(
        default=0,
        group="machine",
        within="[0, inf)",
        own=True,
        help="Threads to train with, 0 for all; no more than the network gives work to. Any number gives the same "
        "bits, if the model is measured at the same moments; see reproducible.",
    )
    keep_state: bool = parameter(
        default=False,
        group="continuing",
        own=True,
        help="Keep in the model file what training needs to go on exactly: the last weights and the update rule's "
        "memory of each, two to four times as much as the weights. A model whose training was interrupted, ran out of "
        "time, exports checkpoints or went on from one keeps it anyway.",
    )


Strategy = Literal["Cartesian", "RandomDiscrete", "Sequential"]


@dataclasses.dataclass(eq=False, kw_only=True)
class SearchCriteria:
    """How a grid of settings is searched, and for how long."""

    strategy: Strategy = parameter(
        default="Cartesian",
        group="search",
        help="Cartesian tries all combinations in order, changing the last hyper-parameter first; RandomDiscrete draws "
        "them, none twice; Sequential tries all first values together, then all second ones.",
    )
    max_models: int = parameter(default=0, group="search", within="[0, inf)", help="Most models; 0 for no limit.")
    max_runtime_secs: float = parameter(
        default=0.0,
        group="search",
        within="[0, inf)",
        help="Seconds after which the running model ends and no other begins; 0 for no limit.",
    )
    seed: int = parameter(
        default=-1,
        group="search",
        help="Seed of what RandomDiscrete draws, -1 for any; model k is trained with this seed + k if the models have "
        "none of their own.",
    )
    stopping_rounds: int = parameter(
        default=0,
        group="search",
        within="[0, inf)",
        help="RandomDiscrete: end when the mean of this many best models no longer improves; 0 never does.",
    )
    stopping_metric: StoppingMetric = parameter(
        default="AUTO", group="search", help="What must improve; AUTO is logloss, or deviance for regression."
    )
    stopping_tolerance: float = parameter(
        default=1e-3, group="search", within="[0, 1)", help="Relative improvement that counts as one."
    )


class Declared(NamedTuple):
    """One parameter as the rest of the package sees it."""

    name: str
    type: type
    is_list: bool
    optional: bool
    choices: tuple[str, ...] | None
    default: Any
    within: Interval | None
    group: str
    help: str
    own: bool


FRAMES = ("training_frame", "validation_frame")
"""Parameters whose values are tables: they are never stored with a model."""

MODELS = ("checkpoint", "pretrained_autoencoder")
"""Parameters whose values are models."""

FUNCTIONS = ("custom_metric_func",)
"""Parameters that take a function of Python's in place of its name."""


PENALTIES = ("l1", "l2", "input_group_l1")
"""Parameters whose strengths make a regularisation path."""

PointChoice = Literal["best_1se", "best"]

POINT_CHOICES: tuple[PointChoice, ...] = typing.get_args(PointChoice)
"""Which model of a regularisation path to take."""

NOT_SEARCHED = frozenset(
    {
        *("x", "y", "training_frame", "validation_frame", "ignored_columns", "factors", "numeric"),
        *("weights_column", "offset_column", "fold_column", "nfolds", "fold_assignment"),
        *("keep_cross_validation_models", "keep_cross_validation_predictions"),
        *("keep_cross_validation_fold_assignment", "model_id", "checkpoint", "export_checkpoints_dir"),
        *("autoencoder", "custom_metric_func", "auc_type", "gainslift_bins", "diagnostics"),
        *("export_weights_and_biases", "verbose", "quiet_mode", "nthreads"),
    }
)
"""Parameters that are no hyper-parameters: they say what is learnt from what, or leave the model as it is."""


@functools.cache
def declared(declaration: type = Parameters) -> dict[str, Declared]:
    """Every parameter by name, in declaration order."""
    hints = typing.get_type_hints(declaration)
    return {field.name: _declared(field, hints[field.name]) for field in dataclasses.fields(declaration)}


def _declared(field: dataclasses.Field[Any], hint: Any) -> Declared:
    """Read a field's type: what its items are, and whether it is a list, optional or an enum."""
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    parts = typing.get_args(hint) if is_union else (hint,)
    kinds = [part for part in parts if part is not types.NoneType]
    is_list = typing.get_origin(kinds[0]) is list
    item = typing.get_args(kinds[0])[0] if is_list else kinds[0]
    is_enum = typing.get_origin(item) is Literal
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    return Declared(
        name=field.name,
        type=str if is_enum else object if item is Any else item,
        is_list=is_list,
        optional=len(kinds) < len(parts),
        choices=typing.get_args(item) if is_enum else None,
        default=default,
        **field.metadata,
    )


def changed(parameters: Parameters, base: Parameters | None = None) -> dict[str, Any]:
    """The parameters that are not as in `base`, or else not at their defaults."""
    usual = {name: parameter.default if base is None else getattr(base, name) for name, parameter in declared().items()}
    return {
        name: value
        for name in usual
        if (value := getattr(parameters, name)) is not usual[name] and value != usual[name]
    }


def nearest(word: str, words: Iterable[str], otherwise: str = ".") -> str:
    """A ``; did you mean 'x'?`` to end an error with, or something else when no word is near."""
    by_folded = {folded(candidate): candidate for candidate in words}
    close = difflib.get_close_matches(folded(word), by_folded, n=1, cutoff=0.7)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else otherwise


def exactly(number: float) -> str:
    """A number as text that reads as the same number: ``0.1``, ``1e-08``, ``-2147483649``."""
    short = f"{number:g}"
    return short if float(short) == number or math.isnan(number) else str(number)


def counted(number: float, noun: str) -> str:
    """So many of something, as in ``1 row`` and ``1,500 rows``; of fractions four digits."""
    text = f"{number:,.4g}" if isinstance(number, float) and number < 1e4 else f"{number:,.0f}"
    return f"{text} {noun}" if number == 1 else f"{text} {noun}s"


def folded(word: str) -> str:
    """The word without what H2O ignores in enum values: case, ``_`` and ``-``."""
    return word.casefold().replace("_", "").replace("-", "")
