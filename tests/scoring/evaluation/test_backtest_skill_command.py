"""`manage.py skill` on made-up sets: what is measured, written, skipped and refused."""

import hashlib
import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import override_settings

from scoring.engine.uncertainty import FEWEST_WINDOWS
from tests.scoring.evaluation.skill_data import write_set

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run on a single set left behind."""

    digest: str
    figures: dict[str, Any]
    document: str
    printed: str
    said: str
    var: Path

    def findings(self) -> list[dict[str, Any]]:
        horizons = self.figures["horizons"]
        return [each for horizon in horizons for each in horizon["findings"]]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("skill")
    path = write_set(folder / "data", "san_jacinto")
    figures, document = folder / "figures.json", folder / "skill.md"
    options = ("--data", str(folder / "data"), "--jobs", "1", "--json", str(figures))
    with override_settings(VAR_DIR=folder / "var"):
        printed, said = run(*options, "--write", str(document))
    return Measured(
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        figures=json.loads(figures.read_text(encoding="utf-8"))["sets"][0],
        document=document.read_text(encoding="utf-8"),
        printed=printed,
        said=said,
        var=folder / "var",
    )


def run(*options: str) -> tuple[str, str]:
    """Run the command; what it printed and what it said on the way."""
    out, err = StringIO(), StringIO()
    call_command("skill", "--quick", *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_each_horizon_of_a_set_is_measured(measured: Measured) -> None:
    figures = measured.figures
    assert figures["sha256"] == measured.digest
    assert [each["horizon_sec"] for each in figures["horizons"]] == [86_400, 604_800]
    assert figures["horizons"][0]["report"]["n_origins"] == 12


def test_the_document_says_what_was_done_with_what(measured: Measured) -> None:
    for words in (
        measured.digest,
        "Command: `manage.py skill --quick`",
        "A quick run on few windows",
        "Absent and skipped: chicago, tornado, japan.",
        "## san_jacinto, 7d",
        "## Synthetic truth, 1d",
        "share of the oracle's gain on synthetic truth",
    ):
        assert words in measured.document


def test_every_finding_is_printed_and_written(measured: Measured) -> None:
    for finding in measured.findings():
        assert finding["figure"] in measured.document
        assert finding["figure"] in measured.printed


def test_absent_sets_are_named_and_working_files_removed(measured: Measured) -> None:
    assert "Skipping japan: there is no file" in measured.said
    assert not (measured.var / "skill").exists()


def test_findings_agree_with_the_report_they_judge(measured: Measured) -> None:
    for horizon in measured.figures["horizons"]:
        tested = horizon["report"]["models"][0]
        found = {each["figure"]: each["found"] for each in horizon["findings"]}
        for figure, value in {
            "coverage of 90 % intervals: cell": tested["coverage"]["cell"],
            "coverage of 90 % intervals: block": tested["coverage"]["block"],
            "coverage of 90 % intervals: region total": tested["coverage"]["region"],
            "calibration error (ECE) of P(N≥1)": tested["calibration_error"],
            "negative binomial over Poisson, nats per event": tested["dispersion_gain"],
            "pass share at 5 %: N-test, negative binomial": tested["consistency"][
                "number"
            ]["value"],
        }.items():
            assert found[figure]["value"] == pytest.approx(value)
            low, high = found[figure]["low"], found[figure]["high"]
            if horizon["report"]["n_origins"] < FEWEST_WINDOWS:
                assert (low, high) == (None, None)
            else:
                assert low <= high


def test_sets_are_measured_in_processes_of_their_own(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.VAR_DIR = tmp_path / "var"
    for name in ("chicago", "san_jacinto"):
        write_set(tmp_path / "data", name)
    options = ("--data", str(tmp_path / "data"), "--sets", "san_jacinto,chicago")
    printed, said = run(*options, "--jobs", "2")
    assert "Skipping" not in said
    assert "2 of 2" in said
    first, last = printed.splitlines()[0], printed.splitlines()[-2]
    assert first.startswith("san_jacinto 1d: hit rate at 1 % of area over the best")
    assert last.startswith("chicago 7d: forecast over observed (lowest to highest")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sets", "moon"], r"no set 'moon'. Choose from: san_jacinto"),
        (["--sets", "japan"], r"None of the event sets is under .*RISKPLATFORM_DATA"),
    ],
)
def test_what_is_not_there_is_refused(
    options: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=message):
        run("--data", str(tmp_path), *options)


def test_a_folder_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RISKPLATFORM_DATA", raising=False)
    with pytest.raises(CommandError, match=r"Where are the event sets\?"):
        run()
