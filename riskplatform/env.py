"""Typed, loud reads of the environment; `NAME_FILE` names a mounted secret."""

import os
from pathlib import Path

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


class EnvError(Exception):
    """A variable holds something its reader does not understand."""


def env_str(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise EnvError(f"{name} is not set. Set it in the environment.")
    return default


def env_optional(name: str) -> str | None:
    return env_str(name, "") or None


def env_bool(name: str, *, default: bool) -> bool:
    word = env_str(name, str(default)).lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise EnvError(f"{name}={word!r} is not a yes or a no. Use 1 or 0.")


def env_int(name: str, default: int, *, minimum: int = 0) -> int:
    text = env_str(name, str(default))
    try:
        number = int(text)
    except ValueError:
        raise EnvError(f"{name}={text!r} is not a whole number.") from None
    if number < minimum:
        raise EnvError(f"{name}={number} is less than {minimum}.")
    return number


def env_list(name: str, default: list[str] | None = None) -> list[str]:
    """Read a comma-separated list; blanks around the items are dropped."""
    text = env_str(name, ",".join(default or []))
    return [item.strip() for item in text.split(",") if item.strip()]


def env_pairs(name: str, default: dict[str, str] | None = None) -> dict[str, str]:
    """Read `key=value,key=value`; what is not named keeps its default."""
    pairs = dict(default or {})
    for item in env_list(name):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals and value):
            raise EnvError(f"{name} holds {item!r}, not key=value.")
        pairs[key] = value
    return pairs


def env_folders(name: str, default: dict[str, Path]) -> dict[str, Path]:
    """Read `name=folder,name=folder`; folders are absolute."""
    folders = {key: Path(path) for key, path in env_pairs(name).items()}
    for key, folder in folders.items():
        if not folder.is_absolute():
            raise EnvError(f"{name} holds '{key}={folder}', not name=/absolute/folder.")
    return folders or default


def env_choice(name: str, default: str, choices: frozenset[str]) -> str:
    word = env_str(name, default)
    if word not in choices:
        allowed = ", ".join(sorted(choices))
        raise EnvError(f"{name}={word!r} is not one of: {allowed}.")
    return word


def env_secret(name: str) -> str | None:
    """Read `NAME`, or the first line of the file that `NAME_FILE` names."""
    value = env_optional(name)
    path = env_optional(f"{name}_FILE")
    if value is not None or path is None:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EnvError(f"{name}_FILE={path!r} cannot be read: {error}.") from error
