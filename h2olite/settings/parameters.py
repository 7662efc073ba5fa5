"""The one declaration of every training parameter.

The Python signature, the command line's options, the validation and docs/parameters.md are all derived from the
fields of `Parameters`: a name, a type, a default, the values allowed and what it does stand here and nowhere else.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import reprlib
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from h2olite.kinds.activations import ActivationChoice
from h2olite.kinds.distributions import DistributionChoice, LossChoice
from h2olite.kinds.rate_schedules import RateScheduleChoice
from h2olite.kinds.stopping_metrics import StoppingChoice
from h2olite.kinds.update_rules import UpdateRuleChoice

FoldAssignment = Literal["AUTO", "Random", "Modulo", "Stratified"]
WeightDistribution = Literal["UniformAdaptive", "Uniform", "Normal"]
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
NumericEncoding = Literal["Standardize", "Robust", "Quantile", "PiecewiseLinear"]
Preset = Literal["none", "accurate"]
AucType = Literal["AUTO", "NONE", "MACRO_OVR", "WEIGHTED_OVR", "MACRO_OVO", "WEIGHTED_OVO"]

Frame = Any
"""A DataFrame, an Arrow table, a dict of arrays, a 2-D array or a path (see `h2olite.data.frames`)."""

Source = Any
"""A model, or the path of a model file."""

LONGEST_VALUE = 200
"""Characters up to which a message repeats a wrong value as it is."""

GROUPS = {
    "data": "Tables and columns",
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


class Relative(float):
    """A strength of a penalty as a multiple, such as ``0.1x``.

    The unit is the smallest strength at which a linear model keeps no weight, see
    `h2olite.fitting.strongest.strongest_penalties`.
    """

    @classmethod
    def parse(cls, text: str) -> Relative:
        """Read what `__str__` writes; a ValueError if the text does not end with an x or holds no number."""
        if not text.strip().lower().endswith("x"):
            raise ValueError(text)
        return cls(text.strip()[:-1])

    def __repr__(self) -> str:
        return f"{exactly(float(self))}x"

    __str__ = __repr__


def parameter(
    *,
    default: Any,
    group: str,
    help: str,
    within: str | None = None,
    own: bool = False,
    relative: bool = False,
) -> Any:
    """Declare one parameter.

    Parameters
    ----------
    default : the value when nobody sets it.
    group : the key in `GROUPS` under which help pages list it.
    help : what it does, in one or two sentences.
    within : for numbers and lists of numbers, the range each must lie in, such as ``"[0, 1)"``.
    own : True when h2o.deeplearning has no such parameter.
    relative : whether a `Relative` will do as well.
    """
    limits = within and Interval.parse(within)
    metadata = {"group": group, "help": help, "within": limits, "own": own, "relative": relative}
    if isinstance(default, list):
        return dataclasses.field(default_factory=functools.partial(list, default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(eq=False)
class Parameters:
    """All parameters of one training, in the order of R's h2o.deeplearning, then h2olite's own."""

    x: list[str] | list[int] | None = parameter(
        default=None,
        group="data",
        help="Predictors, by name or 0-based index. Without it, all columns except the response.",
    )
    y: str | int | None = parameter(
        default=None, group="data", help="Response, by name or 0-based index. Without it, the last column."
    )
    training_frame: Frame = parameter(default=None, group="data", help="The table to learn from.")
    _: dataclasses.KW_ONLY
    model_id: str | None = parameter(
        default=None, group="output", help="Name of the model. Without it, a name is made up."
    )
    validation_frame: Frame = parameter(
        default=None,
        group="data",
        help="A table to measure the model on, without learning from it. Early stopping, the choice of the best "
        "model and the default threshold then use this table.",
    )
    nfolds: int = parameter(
        default=0,
        group="validation",
        within="[0, inf)",
        help="Number of folds of cross-validation, at least 2; 0 for none. Every row is predicted by a model that "
        "did not learn from it.",
    )
    keep_cross_validation_models: bool = parameter(
        default=True, group="validation", help="Keep the model of every fold, also in the model file."
    )
    keep_cross_validation_predictions: bool = parameter(
        default=False,
        group="validation",
        help="Keep the predictions of every row by the model that did not learn from it.",
    )
    keep_cross_validation_fold_assignment: bool = parameter(
        default=False, group="validation", help="Keep the number of the fold of every row."
    )
    fold_assignment: FoldAssignment = parameter(
        default="AUTO",
        group="validation",
        help="How rows are assigned to nfolds folds. Random (AUTO): at random; Modulo: in turn; Stratified: at "
        "random, with equal shares of every class.",
    )
    fold_column: str | None = parameter(
        default=None,
        group="validation",
        help="Column with the fold of every row, as levels or whole numbers. Cross-validates without nfolds.",
    )
    ignore_const_cols: bool = parameter(
        default=True, group="data", help="Leave out columns that have a single value, or only missing values."
    )
    score_each_iteration: bool = parameter(
        default=False, group="scoring", help="Measure the model after every iteration, however long that takes."
    )
    weights_column: str | None = parameter(
        default=None,
        group="data",
        help="Column of row weights >= 0. A row of weight 2 counts like two rows, a row of weight 0 is ignored. "
        "Only ratios of weights matter.",
    )
    offset_column: str | None = parameter(
        default=None,
        group="data",
        help="Column that is added to the linear output before the link function, for example the logarithm of the "
        "exposure for counts. Regression only.",
    )
    balance_classes: bool = parameter(
        default=False,
        group="classes",
        help="Sample rows for training, so that all classes are as frequent as the largest class. The "
        "probabilities are corrected for the shares of the classes in the table.",
    )
    class_sampling_factors: list[float] | None = parameter(
        default=None,
        group="classes",
        within="(0, inf)",
        help="With balance_classes, how often the rows of each class are taken, in the order of the levels.",
    )
    max_after_balance_size: float = parameter(
        default=5.0,
        group="classes",
        within="(0, inf)",
        help="With balance_classes, the largest number of rows, as a multiple of the rows of the table.",
    )
    checkpoint: Source = parameter(
        default=None,
        group="continuing",
        help="A model, a model file, or a folder, which stands for the newest model in it. Training continues from "
        "this model until `epochs` in total. Parameters that are not given have the values of this model.",
    )
    pretrained_autoencoder: Source = parameter(
        default=None,
        group="continuing",
        help="An autoencoder or its file. Training starts from its hidden layers. It must have the same inputs and "
        "hidden layers.",
    )
    overwrite_with_best_model: bool = parameter(
        default=True, group="stopping", help="The result is the best model that was measured, instead of the last one."
    )
    use_all_factor_levels: bool = parameter(
        default=True,
        group="data",
        help="Give every level of a categorical column its own input. Otherwise the first level has no input.",
    )
    standardize: bool = parameter(
        default=True,
        group="data",
        help="Scale numeric columns to mean 0 and standard deviation 1. A response with an identity link is scaled "
        "too.",
    )
    activation: ActivationChoice = parameter(
        default="Rectifier", group="network", help="Activation of the hidden layers."
    )
    hidden: list[int] = parameter(
        default=[200, 200],
        group="network",
        within="[1, inf)",
        help="Number of units of each hidden layer. An empty list gives a linear model.",
    )
    epochs: float = parameter(
        default=10.0,
        group="training",
        within="[0, inf)",
        help="Number of passes over the table; fractions are allowed. With 0, the initial weights are measured.",
    )
    train_samples_per_iteration: int = parameter(
        default=-2,
        group="training",
        within="[-2, inf)",
        help="Number of rows in an iteration; the model may be measured after each iteration. 0 or -1: one epoch; "
        "-2: chosen from the size of the table.",
    )
    target_ratio_comm_to_comp: float = parameter(
        default=0.05,
        group="machine",
        within="(0, inf)",
        help="Share of time for communication between machines. Has no effect: averages come after fixed numbers of "
        "rows, so that the same seed gives the same bits.",
    )
    seed: int = parameter(
        default=-1,
        group="training",
        help="Seed of all random numbers, any whole number of 64 bits. With -1, a seed is drawn.",
    )
    adaptive_rate: bool = parameter(
        default=True,
        group="learning rate",
        help="Use ADADELTA. Otherwise use SGD with rate, annealing and momentum. `update_rule` can name other rules.",
    )
    rho: float = parameter(
        default=0.99,
        group="learning rate",
        within="(0, 1)",
        help="ADADELTA: decay of the running averages. With 0.99, an average is over about the last 100 gradients.",
    )
    epsilon: float = parameter(
        default=1e-8,
        group="learning rate",
        within="(0, inf)",
        help="ADADELTA: is added under the square roots, so that the first steps are not 0. Adam: is added to the "
        "square root, so that nothing is divided by 0.",
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
        help="SGD: the rate of layer l is multiplied by rate_decay^(l - 1). The first hidden layer is layer 1.",
    )
    momentum_start: float = parameter(
        default=0.0, group="learning rate", within="[0, 1)", help="SGD: momentum at the start."
    )
    momentum_ramp: float = parameter(
        default=1e6,
        group="learning rate",
        within="[0, inf)",
        help="SGD: number of rows over which momentum goes from momentum_start to momentum_stable.",
    )
    momentum_stable: float = parameter(
        default=0.0, group="learning rate", within="[0, 1)", help="SGD: momentum after the ramp."
    )
    nesterov_accelerated_gradient: bool = parameter(
        default=True, group="learning rate", help="SGD: use Nesterov's momentum. Otherwise use classical momentum."
    )
    input_dropout_ratio: float = parameter(
        default=0.0,
        group="regularisation",
        within="[0, 1)",
        help="Probability with which each input is dropped in training.",
    )
    hidden_dropout_ratios: list[float] | None = parameter(
        default=None,
        group="regularisation",
        within="[0, 1)",
        help="Probability with which each unit is dropped in training, one number for each hidden layer. Needs an "
        "activation WithDropout; without this parameter it is 0.5.",
    )
    l1: float = parameter(
        default=0.0,
        group="regularisation",
        within="[0, inf)",
        relative=True,
        help="Strength of the l1 penalty: adds l1 * sum |w| over the weights to the mean loss. Many weights become "
        "exactly 0. 0.1x is a tenth of the smallest strength at which a linear model keeps no weight.",
    )
    l2: float = parameter(
        default=0.0,
        group="regularisation",
        within="[0, inf)",
        help="Strength of the l2 penalty: adds l2 / 2 * sum w^2 over the weights to the mean loss. All weights shrink.",
    )
    max_w2: float = parameter(
        default=3.4028235e38,
        group="regularisation",
        within="(0, inf]",
        help="Largest sum of the squared weights into one unit. Larger sums are scaled down.",
    )
    initial_weight_distribution: WeightDistribution = parameter(
        default="UniformAdaptive", group="network", help="Distribution of the initial weights."
    )
    initial_weight_scale: float = parameter(
        default=1.0,
        group="network",
        within="(0, inf)",
        help="Half-width of the distribution Uniform, or standard deviation of Normal.",
    )
    initial_weights: list[Any] | None = parameter(
        default=None,
        group="continuing",
        help="Initial weights of every layer, the output layer last, in the form of `weights`: a row for each "
        "unit, a column for each input. Each is a file, a DataFrame or an array, or nothing for random "
        "weights.",
    )
    initial_biases: list[Any] | None = parameter(
        default=None,
        group="continuing",
        help="Initial biases of every layer, the output layer last: a row for each unit. Each is a file, a "
        "DataFrame or an array, or nothing for the usual biases.",
    )
    loss: LossChoice = parameter(
        default="Automatic", group="loss", help="Loss function. Automatic follows the distribution."
    )
    distribution: DistributionChoice = parameter(
        default="AUTO",
        group="loss",
        help="Distribution of the response. AUTO follows the type of the response and the loss.",
    )
    quantile_alpha: float = parameter(
        default=0.5, group="loss", within="[0, 1]", help="With distribution quantile, the quantile to predict."
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
        help="With distribution huber, a quantile of the absolute residuals. The loss is quadratic up to this "
        "residual, and linear above it.",
    )
    score_interval: float = parameter(
        default=5.0,
        group="scoring",
        within="[0, inf)",
        help="Smallest number of seconds between two measurements of the model.",
    )
    score_training_samples: int = parameter(
        default=10000, group="scoring", within="[0, inf)", help="Number of training rows to measure on; 0 for all."
    )
    score_validation_samples: int = parameter(
        default=0, group="scoring", within="[0, inf)", help="Number of validation rows to measure on; 0 for all."
    )
    score_duty_cycle: float = parameter(
        default=0.1, group="scoring", within="[0, 1]", help="Largest share of the time that may be spent on measuring."
    )
    classification_stop: float = parameter(
        default=0.0,
        group="stopping",
        within="[-1, 1]",
        help="Training ends when the error is at most this, on the training rows and on the validation rows "
        "if there are any. -1 turns this off.",
    )
    regression_stop: float = parameter(
        default=1e-6,
        group="stopping",
        within="[-1, inf)",
        help="Training ends when the MSE is at most this, on the training rows and on the validation rows if "
        "there are any. -1 turns this off.",
    )
    stopping_rounds: int = parameter(
        default=5,
        group="stopping",
        within="[0, inf)",
        help="Training ends when the moving average of stopping_metric over this many measurements no longer "
        "improves. 0 turns this off.",
    )
    stopping_metric: StoppingChoice = parameter(
        default="AUTO",
        group="stopping",
        help="The metric that must improve. AUTO is logloss for classes, deviance for regression, MSE for an "
        "autoencoder.",
    )
    stopping_tolerance: float = parameter(
        default=0.0,
        group="stopping",
        within="[0, 1)",
        help="Smallest relative improvement that counts. For example, 0.01 is 1 %.",
    )
    max_runtime_secs: float = parameter(
        default=0.0,
        group="stopping",
        within="[0, inf)",
        help="Training ends after this many seconds, and the model is measured. 0 for no limit.",
    )
    score_validation_sampling: ValidationSampling = parameter(
        default="Uniform",
        group="scoring",
        help="How the score_validation_samples rows are drawn. Stratified keeps the shares of the classes.",
    )
    diagnostics: bool = parameter(
        default=True, group="output", help="Compute statistics of every layer. Deprecated in H2O; always on."
    )
    fast_mode: bool = parameter(
        default=True,
        group="training",
        help="Do not update weights whose gradient is exactly 0, because the input is 0 or the unit is dead or "
        "dropped.",
    )
    force_load_balance: bool = parameter(
        default=True,
        group="machine",
        help="Use all threads even on small tables. Otherwise small tables use one thread.",
    )
    variable_importances: bool = parameter(
        default=True, group="output", help="Compute how much each input matters (method of Gedeon)."
    )
    replicate_training_data: bool = parameter(
        default=True,
        group="machine",
        help="Copy the table to every machine. Has no effect: on a Dask cluster, rows are on one machine each.",
    )
    single_node_mode: bool = parameter(
        default=False,
        group="machine",
        help="Train on one of several machines. Has no effect: h2olite trains on one machine unless it is "
        "given a cluster.",
    )
    shuffle_training_data: bool = parameter(
        default=True,
        group="training",
        help="Visit the rows in a new random order in every epoch. H2O's default is False, which costs accuracy on "
        "sorted tables.",
    )
    missing_values_handling: MissingValues = parameter(
        default="MeanImputation",
        group="data",
        help="MeanImputation replaces missing numbers by the mean of the column. Skip does not train on rows with "
        "a missing predictor.",
    )
    quiet_mode: bool = parameter(default=False, group="output", help="Report less during training.")
    autoencoder: bool = parameter(
        default=False,
        group="autoencoder",
        help="Learn to reproduce the inputs; there is no response. With input_dropout_ratio, learn to reproduce "
        "dropped inputs.",
    )
    sparse: bool = parameter(
        default=False, group="data", help="Scale numeric columns without centring them, so that zeros stay zeros."
    )
    col_major: bool = parameter(
        default=False, group="machine", help="H2O has removed this parameter. True is an error, as in H2O."
    )
    average_activation: float = parameter(
        default=0.0,
        group="autoencoder",
        within="(-inf, inf)",
        help="With sparsity_beta, the average activation that every hidden unit should have.",
    )
    sparsity_beta: float = parameter(
        default=0.0,
        group="autoencoder",
        within="[0, inf)",
        help="How strongly the biases of hidden units are moved towards average_activation.",
    )
    max_categorical_features: int = parameter(
        default=2147483647,
        group="data",
        within="[1, inf)",
        help="Largest number of inputs for the levels of all categorical columns. If there are more levels, a hash "
        "that depends on the seed assigns them to this many inputs. Such a model has no variable importances.",
    )
    reproducible: bool = parameter(
        default=False,
        group="training",
        help="The same seed gives the same bits with any number of cores. Training uses one thread. An iteration "
        "is one epoch, and the model is measured after every iteration.",
    )
    export_weights_and_biases: bool = parameter(
        default=False,
        group="output",
        help="Has no effect: weights and biases can always be read. Accepted because H2O has it.",
    )
    mini_batch_size: int = parameter(
        default=1,
        group="training",
        within="[1, inf)",
        help="Number of rows in a mini-batch. Their mean gradient makes one update.",
    )
    categorical_encoding: CategoricalEncoding = parameter(
        default="AUTO",
        group="data",
        help="How categorical columns become inputs. OneHotInternal (AUTO): one input for each level; Binary: the "
        "binary digits of the index of the level; LabelEncoder: the index, or the level itself if all levels "
        "are whole numbers; Eigen: a leading eigenvector of the covariances of the levels; SortByResponse: "
        "one input for each level, sorted by mean response; EnumLimited: one input for each of the 10 most "
        "frequent levels, and one for all others.",
    )
    elastic_averaging: bool = parameter(
        default=False,
        group="machine",
        help="Average replicas elastically: they keep their own weights, and are pulled towards a center, which moves "
        "towards their mean at every average. Cannot be combined with l1 and input_group_l1.",
    )
    elastic_averaging_moving_rate: float = parameter(
        default=0.9,
        group="machine",
        within="[0, 1]",
        help="How far the center of elastic averaging moves towards the mean at every average; 1 is all of the way.",
    )
    elastic_averaging_regularization: float = parameter(
        default=0.001,
        group="machine",
        within="[0, inf)",
        help="Strength of the pull in elastic averaging: adds elastic_averaging_regularization / 2 * "
        "(weight - center)^2 to the mean loss of a replica.",
    )
    export_checkpoints_dir: str | None = parameter(
        default=None,
        group="continuing",
        help="Folder to which the model is written as `model_id`.h2olite, after every measurement and at the end. "
        "checkpoint can continue from there.",
    )
    auc_type: AucType = parameter(
        default="AUTO",
        group="output",
        help="With 3 to 50 classes, which mean of AUCs to report. OVR: of each class against the rest; OVO: of "
        "each pair of classes; MACRO: every AUC counts the same; WEIGHTED: weighted by the rows of the "
        "classes. AUTO and NONE report none.",
    )
    custom_metric_func: str | Callable[..., float] | None = parameter(
        default=None,
        group="scoring",
        help="A metric of your own, called as function(actual, predicted, weights). Give module:function, which is "
        "imported and run; in Python also a function.",
    )
    gainslift_bins: int = parameter(
        default=-1,
        group="output",
        within="[-1, inf)",
        help="Number of groups of equal size in the gains/lift table of two classes. -1: 16 groups that are finer "
        "at the top; 0: no table.",
    )
    verbose: bool = parameter(default=False, group="output", help="Print the scoring history during training.")
    ignored_columns: list[str] | None = parameter(
        default=None, group="data", help="Columns that are not predictors. Cannot be combined with x."
    )
    factors: list[str] | None = parameter(
        default=None, group="data", own=True, help="Columns that are categorical, whatever they contain."
    )
    numeric: list[str] | None = parameter(
        default=None, group="data", own=True, help="Columns that must be numeric. Text in such a column is an error."
    )
    averaging_window: float = parameter(
        default=0.1,
        group="training",
        within="[0, 1]",
        own=True,
        help="The model is a running average of the weights, over about this share of the rows seen so far. For "
        "example, 0.1 averages over the last tenth. It is more accurate than the last weights; 0 takes the "
        "last weights.",
    )
    input_group_l1: float = parameter(
        default=0.0,
        group="regularisation",
        within="[0, inf)",
        own=True,
        relative=True,
        help="Strength of the group penalty: adds input_group_l1 * sqrt(number of weights) * norm, for the weights "
        "out of each predictor with all its levels, to the mean loss. Whole predictors leave the model. 0.1x is a "
        "tenth of the smallest strength at which a linear model keeps no predictor.",
    )
    sparse_from: float = parameter(
        default=0.5,
        group="data",
        within="(0, 1]",
        own=True,
        help="Numeric columns with at least this share of zeros are scaled but not centred, so that zeros cost no "
        "time. In these columns, missing numbers become 0. 1 centres all columns.",
    )
    numeric_encoding: NumericEncoding = parameter(
        default="Standardize",
        group="data",
        own=True,
        help="What becomes of numbers: Standardize scales them to mean 0 and standard deviation 1, Robust scales by "
        "median and quartiles and bends what is far out to at most 3, Quantile takes the normal quantiles of their "
        "ranks, and PiecewiseLinear gives each column up to 17 inputs, so that the network can follow steps and "
        "bends. The last three do not extrapolate beyond the training range, or hardly.",
    )
    holdout_share: float = parameter(
        default=0.0,
        group="data",
        within="[0, 1)",
        own=True,
        help="The share of the rows to hold out of training at random, of each class alike. Early stopping, the choice "
        "of the best model and the default threshold then use these rows, as if they were validation_frame.",
    )
    ensemble: int = parameter(
        default=1,
        group="network",
        within="[1, 100]",
        own=True,
        help="Number of networks to train, each with its own seed and its own holdout_share. Their outputs are "
        "averaged, which makes predictions more accurate. The networks train side by side, one or more on each core, "
        "and are one model in files, MOJOs and ONNX.",
    )
    replicas: int = parameter(
        default=1,
        group="machine",
        within="[1, 1000]",
        own=True,
        help="Number of copies of the network that train side by side, each on its own share of the rows, and are "
        "averaged every averaging_rows rows. 1 is a network whose weights all threads share. Copies keep more cores "
        "busy, but learn less from each row. The number changes the model; the number of threads does not.",
    )
    averaging_rows: int = parameter(
        default=0,
        group="machine",
        within="[0, inf)",
        own=True,
        help="Rows that each of the replicas trains on between two averages, in whole mini-batches. 0 chooses.",
    )
    preset: Preset = parameter(
        default="none",
        group="training",
        own=True,
        help="accurate sets other parameters to values that make better predictions than the defaults on many tables, "
        "and take several times as long: five networks, numeric_encoding PiecewiseLinear, mini-batches of 32, and "
        "early stopping by rows that are held out. Values of these parameters that are given count instead.",
    )
    label_smoothing: float = parameter(
        default=0.0,
        group="loss",
        within="[0, 1)",
        own=True,
        help="With loss CrossEntropy, the share s of the target that all classes have alike: the target of a class is "
        "(1 - s) for the observed class and 0 for others, plus s / number of classes. Probabilities stay away from 0 "
        "and 1. Metrics are those of the observed classes.",
    )
    update_rule: UpdateRuleChoice = parameter(
        default="AUTO",
        group="learning rate",
        own=True,
        help="How gradients move weights: ADADELTA, SGD, Adam, or AdamW, where l2 shrinks the weights beside the "
        "gradients. AUTO is ADADELTA, or SGD without adaptive_rate.",
    )
    adam_rate: float = parameter(
        default=0.001, group="learning rate", within="(0, inf)", own=True, help="Adam and AdamW: learning rate."
    )
    beta1: float = parameter(
        default=0.9,
        group="learning rate",
        within="[0, 1)",
        own=True,
        help="Adam and AdamW: decay of the mean of the gradients. With 0.9, it is over about the last 10.",
    )
    beta2: float = parameter(
        default=0.999,
        group="learning rate",
        within="[0, 1)",
        own=True,
        help="Adam and AdamW: decay of the mean of the squared gradients. With 0.999, it is over about the last 1000.",
    )
    rate_schedule: RateScheduleChoice = parameter(
        default="Constant",
        group="learning rate",
        own=True,
        help="A factor of the steps of every update rule, by the share of `epochs` that is done: Constant is 1, Linear "
        "and Cosine fall from 1 to 0, and CosLog has four waves from 0 to 1 and back, each twice as long as the one "
        "before.",
    )
    nthreads: int = parameter(
        default=0,
        group="machine",
        within="[0, 1024]",
        own=True,
        help="Number of threads; 0 for all cores. A small network uses fewer. Any number gives the same bits, if "
        "the model is measured at the same moments; see reproducible.",
    )
    max_memory: str | None = parameter(
        default=None,
        group="machine",
        own=True,
        help="Memory that training may take, such as 2GB. The encoded rows of a table for which this is too little are "
        "kept in a scratch file, and a part of them is in memory at a time. Without it, that is done where a table is "
        "larger than the memory of the machine. The table must be in files.",
    )
    scratch: str | None = parameter(
        default=None,
        group="machine",
        own=True,
        help="Folder for the scratch file of a table that is larger than memory. Without it: TMPDIR, or else /var/tmp, "
        "or the folder for temporary files. The file has no name, and is gone however training ends.",
    )
    keep_state: bool = parameter(
        default=False,
        group="continuing",
        own=True,
        help="Keep in the model file what training needs to continue exactly: the last weights, and the memory of "
        "the update rule. This is two to four times as large as the weights. It is always kept if training "
        "was interrupted, ran out of time, exports checkpoints or continued from a checkpoint.",
    )
    background_rows: int = parameter(
        default=100,
        within="[0, inf)",
        group="output",
        own=True,
        help="Largest number of training rows that the model and its file keep, chosen at random. Contributions "
        "compare a row with them. At most 100,000 cells are kept. With 0, no row leaves the training table.",
    )


Strategy = Literal["Cartesian", "RandomDiscrete", "Sequential"]


@dataclasses.dataclass(eq=False, kw_only=True)
class SearchCriteria:
    """How a grid of settings is searched, and for how long."""

    strategy: Strategy = parameter(
        default="Cartesian",
        group="search",
        help="Cartesian tries all combinations in order, and changes the last hyper-parameter first. "
        "RandomDiscrete draws combinations, each at most once. Sequential tries the first values of all "
        "hyper-parameters together, then the second values, and so on.",
    )
    max_models: int = parameter(
        default=0, group="search", within="[0, inf)", help="Largest number of models; 0 for no limit."
    )
    max_runtime_secs: float = parameter(
        default=0.0,
        group="search",
        within="[0, inf)",
        help="After this many seconds, the model in training ends and no other model starts. 0 for no limit.",
    )
    seed: int = parameter(
        default=-1,
        group="search",
        help="Seed of RandomDiscrete; -1 draws one. Model k is trained with this seed + k, if the models have no "
        "seed of their own.",
    )
    stopping_rounds: int = parameter(
        default=0,
        group="search",
        within="[0, inf)",
        help="RandomDiscrete: the search ends when the mean of this many best models no longer improves. 0 turns "
        "this off.",
    )
    stopping_metric: StoppingChoice = parameter(
        default="AUTO",
        group="search",
        help="The metric that must improve. AUTO is logloss for classes, or deviance for regression.",
    )
    stopping_tolerance: float = parameter(
        default=1e-3,
        group="search",
        within="[0, 1)",
        help="Smallest relative improvement that counts. For example, 0.01 is 1 %.",
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
    relative: bool


FRAMES = ("training_frame", "validation_frame")
"""Parameters whose values are tables: they are never stored with a model."""

MODELS = ("checkpoint", "pretrained_autoencoder")
"""Parameters whose values are models."""

FUNCTIONS = ("custom_metric_func",)
"""Parameters that take a function of Python's in place of its name."""


PENALTIES = ("l1", "l2", "input_group_l1")
"""Parameters whose strengths make a regularisation path."""

SET_BY_SELECT = ("input_group_l1", "validation_frame", "nfolds", "fold_column", "max_runtime_secs", "autoencoder")
"""Parameters that the choice of columns cannot take, since it sets or replaces them."""

SET_BY_TUNE = (
    *("validation_frame", "nfolds", "fold_column", "max_runtime_secs", "autoencoder", "checkpoint"),
    *("export_checkpoints_dir", "pretrained_autoencoder"),
)
"""Parameters that the search for good settings cannot take, since it sets or replaces them."""

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
        *("export_weights_and_biases", "verbose", "quiet_mode", "nthreads", "max_memory", "scratch"),
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


def brief(value: Any) -> str:
    """A value for one line of a message: as Python writes it if that is short, else what it is or how it begins."""
    if getattr(value, "shape", ()):  # an array, a sparse matrix, a table or one of its columns
        return f"{type(value).__name__} of shape {value.shape}"
    text = repr(value)
    if len(text) <= LONGEST_VALUE and "\n" not in text:
        return text
    if isinstance(value, list | tuple | set | dict | str):
        return reprlib.repr(value)
    return type(value).__name__


def counted(number: float, noun: str) -> str:
    """So many of something, as in ``1 row`` and ``1,500 rows``; of fractions four digits."""
    text = f"{number:,.4g}" if isinstance(number, float) and number < 1e4 else f"{number:,.0f}"
    return f"{text} {noun}" if number == 1 else f"{text} {noun}s"


def folded(word: str) -> str:
    """The word without what H2O ignores in enum values: case, ``_`` and ``-``."""
    return word.casefold().replace("_", "").replace("-", "")
