"""The former name of `fit_model`, for one release."""

from typing import Any

from scoring.management.commands import fit_model


class Command(fit_model.Command):
    help = f"Former name of fit_model, for this release only. {fit_model.Command.help}"

    def handle(self, *, region: str, **options: Any) -> None:
        self.stderr.write(
            "refresh_forecasts is called fit_model now; the next release knows the new "
            "name only.",
            self.style.WARNING,
        )
        super().handle(region=region, **options)
