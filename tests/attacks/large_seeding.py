"""A program: fills an empty platform with as much as one organisation may have."""

import sys

import django
import orjson


def main() -> None:
    django.setup()
    # The apps have to be there before anything that knows their models.
    from tests.attacks.large_data import fill  # noqa: PLC0415

    sys.stdout.buffer.write(orjson.dumps(fill()))


if __name__ == "__main__":
    main()
