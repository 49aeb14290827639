"""Measure the served model on public event sets and write down how good it is."""

import json
import shutil
from argparse import ArgumentParser
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from perf.bench.machine import describe_machine
from riskplatform import __version__
from riskplatform.env import env_optional
from riskplatform.kernel.commands import ApplicationCommand
from riskplatform.kernel.errors import InvalidInputError
from scoring.engine.frozen_sets import FROZEN_SETS
from scoring.evaluation.backtests.table_store import LIBRARIES, engine_digest
from scoring.evaluation.skill.sets import (
    FULL,
    QUICK,
    QUICK_ORIGINS,
    SetJob,
    SetSkill,
    TruthSkill,
    measure_sets,
    measure_truth,
    split_by_presence,
)
from scoring.evaluation.skill_document import (
    Provenance,
    render_document,
    render_lines,
)

DATA_VARIABLE: Final = "RISKPLATFORM_DATA"
MAKE_COMMAND: Final = f"{DATA_VARIABLE}=DIR make skill"


class Command(ApplicationCommand):
    help = (
        "Back-test the served model on the frozen test blocks of public event sets, "
        "judge it by its targets and write the document. Sets that are absent are "
        "skipped. Safe to interrupt: a repeated command goes on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data",
            type=Path,
            metavar="DIR",
            help=f"Folder of the sets, ${DATA_VARIABLE} by default.",
        )
        parser.add_argument(
            "--sets",
            default=",".join(FROZEN_SETS),
            help="Which sets to measure (default: %(default)s).",
        )
        parser.add_argument(
            "--jobs", type=int, default=2, help="Sets at once (default: %(default)s)."
        )
        parser.add_argument(
            "--quick",
            action="store_true",
            help=f"Forecast {QUICK_ORIGINS} windows only, to see that it runs.",
        )
        parser.add_argument(
            "--json", type=Path, metavar="FILE", help="Write all figures as JSON."
        )
        parser.add_argument(
            "--write", type=Path, metavar="FILE", help="Write the Markdown document."
        )

    def handle(self, *, sets: str, quick: bool, **options: Any) -> None:
        names = [name.strip() for name in sets.split(",")]
        tables = Path(settings.VAR_DIR) / "skill"
        data = options["data"] or Path(env_optional(DATA_VARIABLE) or "")
        if data == Path():
            raise InvalidInputError(
                "Where are the event sets? Name their folder with --data or in "
                f"{DATA_VARIABLE}."
            )
        present, absent = split_by_presence(data, names)
        for name, path in absent.items():
            self.stderr.write(f"Skipping {name}: there is no file {path}.")
        jobs = [
            SetJob(
                data=data,
                name=name,
                tables=tables,
                most_origins=QUICK_ORIGINS if quick else None,
            )
            for name in present
        ]
        skills = self._measure(jobs, n_processes=options["jobs"])
        truth = measure_truth(QUICK if quick else FULL, progress=self.stderr.write)
        provenance = _provenance(_command(names, quick=quick), absent, is_quick=quick)
        self._write(skills, truth, provenance, options)
        # Of use only to resume an interrupted run.
        shutil.rmtree(tables, ignore_errors=True)

    def _measure(self, jobs: list[SetJob], *, n_processes: int) -> list[SetSkill]:
        n_processes = max(1, min(n_processes, len(jobs)))
        measured = {}
        for skill in measure_sets(jobs, n_processes=n_processes):
            measured[skill.name] = skill
            self.stderr.write(
                f"Measured {skill.name} in {skill.seconds:.0f} s, "
                f"{len(measured)} of {len(jobs)}"
            )
        return [measured[job.name] for job in jobs]

    def _write(
        self,
        skills: list[SetSkill],
        truth: TruthSkill,
        provenance: Provenance,
        options: dict[str, Any],
    ) -> None:
        if (path := options["json"]) is not None:
            sets = [asdict(skill) for skill in skills]
            body = {"sets": sets, "synthetic_truth": asdict(truth)}
            path.write_text(json.dumps(body, indent=2), encoding="utf-8")
            self.stderr.write(f"Wrote {path}")
        if (path := options["write"]) is not None:
            document = render_document(skills, truth, provenance)
            path.write_text(document, encoding="utf-8")
            self.stderr.write(f"Wrote {path}")
        self.stdout.write(render_lines(skills, truth))


def _command(names: list[str], *, quick: bool) -> str:
    """Write the command that gives these figures again."""
    options = [] if names == [*FROZEN_SETS] else ["--sets", ",".join(names)]
    if quick:
        options.append("--quick")
    return " ".join(["manage.py skill", *options]) if options else MAKE_COMMAND


def _provenance(command: str, absent: dict[str, Path], *, is_quick: bool) -> Provenance:
    versions = {"riskplatform": __version__, "engine sources": engine_digest()}
    versions |= {name: version(name) for name in LIBRARIES}
    return Provenance(
        command=command,
        machine=str(describe_machine()),
        versions=versions,
        absent=absent,
        is_quick=is_quick,
    )
