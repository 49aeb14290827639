"""The text of a key: how it is made, taken apart and compared."""

import re
import secrets
import string
from dataclasses import dataclass, field
from typing import Self

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

PREFIX_CHARS = 8
SECRET_BYTES = 32
SALT = "riskplatform.api.keys"
FORM = re.compile(r"rp_(?P<prefix>[a-z0-9]{8})_(?P<secret>[A-Za-z0-9_-]{43})")
ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyText:
    """A key as its holder knows it; printing the object does not give it away."""

    prefix: str
    text: str = field(repr=False)

    @classmethod
    def make(cls) -> Self:
        prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_CHARS))
        secret = secrets.token_urlsafe(SECRET_BYTES)
        return cls(prefix=prefix, text=f"rp_{prefix}_{secret}")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        match = FORM.fullmatch(text)
        return None if match is None else cls(prefix=match["prefix"], text=text)

    def digest(self, secret_key: str | None = None) -> str:
        """Fingerprint with a pepper, which a copy of the database does not hold.

        The secret has 256 random bits, so a slow hash would protect nothing more.
        """
        mac = salted_hmac(SALT, self.text, secret=secret_key, algorithm="sha256")
        return mac.hexdigest()

    def matches(self, digest: str) -> bool:
        """Compare in constant time, under the present and the former pepper."""
        peppers = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        matched = [
            constant_time_compare(self.digest(pepper), digest) for pepper in peppers
        ]
        return any(matched)
