"""The suites there are; an app registers its own in `<app>/bench.py`."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from inspect import getdoc
from pkgutil import iter_modules

from django.utils.module_loading import autodiscover_modules

from perf.bench import suites
from perf.bench.errors import BenchmarkError
from perf.bench.measurement import AnyMeasurement

ALL = "all"

BuildMeasurements = Callable[[], Iterable[AnyMeasurement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    name: str
    build: BuildMeasurements

    @property
    def description(self) -> str:
        """The first line of the docstring of the function that builds the suite."""
        return (getdoc(self.build) or "").partition("\n")[0]

    def measurements(self) -> Generator[AnyMeasurement]:
        """Build one measurement at a time, so that set-up happens when it is due."""
        names: set[str] = set()
        for measurement in self.build():
            for figure in measurement.by_figure():
                if figure.name in names:
                    raise BenchmarkError(
                        f"The suite {self.name} measures {figure.name!r} twice. "
                        "Give each measurement its own name."
                    )
                names.add(figure.name)
            yield measurement
        if not names:
            raise BenchmarkError(
                f"The suite {self.name} has no measurement. Add one or remove it."
            )


@dataclass(frozen=True, slots=True)
class Registry:
    suites: dict[str, Suite] = field(default_factory=dict)

    def suite(self, name: str) -> Callable[[BuildMeasurements], BuildMeasurements]:
        """Register the decorated function as the suite `name`.

        The function yields measurements. What it does before a `yield` is that
        measurement's set-up, what follows is its tear-down; neither is timed::

            @registry.suite("inference")
            def inference() -> Iterator[AnyMeasurement]:
                grid = make_grid(n_cells=100_000)
                yield Measurement(
                    name="p_event of 100,000 cells",
                    before=lambda: predict_one_by_one(grid),
                    after=lambda: predict(grid),
                    check=numpy.allclose,
                    target=20.0,
                )
        """

        def register(build: BuildMeasurements) -> BuildMeasurements:
            if name in self.suites or name == ALL:
                raise BenchmarkError(
                    f"A suite cannot be named {name!r}: the name is taken.", name=name
                )
            self.suites[name] = Suite(name=name, build=build)
            return build

        return register

    def choose(self, text: str) -> list[Suite]:
        """Resolve `NAME[,NAME]` or `all`, in the order given."""
        known = sorted(self.suites)
        names = [name.strip() for name in text.split(",") if name.strip()]
        wanted = known if names == [ALL] else list(dict.fromkeys(names))
        unknown = [name for name in wanted if name not in self.suites]
        if unknown or not wanted:
            problem = "No suite was named."
            if unknown:
                problem = f"There is no suite named {', '.join(unknown)}."
            raise BenchmarkError(
                f"{problem} Known suites: {', '.join(known) or 'none'}.",
                unknown=unknown,
                known=known,
            )
        return [self.suites[name] for name in wanted]


registry = Registry()


def discover_suites() -> None:
    """Import the kit's suites and those of every installed app; repeat it freely."""
    for module in iter_modules(suites.__path__, f"{suites.__name__}."):
        import_module(module.name)
    autodiscover_modules("bench")
