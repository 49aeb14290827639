"""What an event says besides its identity, and the digest that stands for it."""

import struct
from hashlib import blake2b

# `occurred_ms, lat, lon, event_type, severity, amount, attributes`
EventValues = tuple[int, float, float, str, float | None, float | None, str]

NO_VALUES: EventValues = (0, 0.0, 0.0, "", None, None, "")
DIGEST_BYTES = 16


def digest_of(values: EventValues) -> bytes:
    """Digest values so that equal ones, and no others, have equal digests."""
    occurred_ms, lat, lon, event_type, severity, amount, attributes = values
    # Adding zero makes the negative zero, which equals the other, look like it.
    numbers = struct.pack("<q2d", occurred_ms, lat + 0.0, lon + 0.0)
    parts = (
        *(numbers, _packed(severity), _packed(amount)),
        *(event_type.encode(), attributes.encode()),
    )
    framed = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    return blake2b(framed, digest_size=DIGEST_BYTES).digest()


def _packed(measure: float | None) -> bytes:
    return b"" if measure is None else struct.pack("<d", measure + 0.0)
