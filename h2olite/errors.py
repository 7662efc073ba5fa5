"""The errors h2olite raises for a caller to act on.

Every message is one sentence that says the thing, the rule, the value and the way out.
"""


class H2OLiteError(Exception):
    """The base of every error that h2olite raises on purpose."""


class ParameterError(H2OLiteError, ValueError):
    """A parameter is unknown, outside its range, or does not go with another one."""


class DataError(H2OLiteError, ValueError):
    """A table cannot be read, or does not hold what training or scoring needs."""


class ArtifactError(H2OLiteError, ValueError):
    """A model file is damaged, of a newer format, or no model file at all."""


class TrainingError(H2OLiteError, RuntimeError):
    """Training cannot go on, for example because the weights grew beyond bounds."""


class LackOfMemoryError(H2OLiteError, MemoryError):
    """A table or a network needs more memory than this process may take."""


class MissingExtraError(H2OLiteError, ImportError):
    """A feature needs an optional dependency that is not installed."""
