"""What makes a benchmark worthless: no figure is shown then, however good it looks."""

from riskplatform.kernel.errors import ApplicationError


class BenchmarkError(ApplicationError):
    """The message says what is wrong and what to do: only people read it."""

    code = "benchmark"
    title = "The benchmark cannot be trusted"
