"""The last messages of each group, in Redis, numbered without a gap.

A message has an offset in its group, and the group an epoch. The epoch is another one
as soon as the stream may have lost something: when Redis was restarted, replaced by a
replica, or emptied. So `epoch:offset` says all about where a client stands, and what
it missed is either given in full or known to be incomplete.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from perf.shared_store import PREFIX, SharedStore
from perf.shared_store import store as shared_store

# How many messages of a group stay, and how long after the last one.
MAX_ENTRIES: Final = 1_000
RETENTION_S: Final = 86_400
# The same message is not taken twice within this time.
DEDUPLICATION_S: Final = 900
POSITION: Final = re.compile(r"(?P<epoch>[0-9a-f]{8,32}):(?P<offset>[0-9]{1,15})")

_HEAD: Final = """
local head, entries, fresh, keep = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local known = redis.call('HMGET', head, 'epoch', 'offset', 'run')
local epoch, offset = known[1], tonumber(known[2] or '0')
if not epoch or known[3] ~= run then
  redis.call('DEL', entries)
  redis.call('HSET', head, 'epoch', fresh, 'offset', '0', 'run', run)
  redis.call('EXPIRE', head, keep)
  epoch, offset = fresh, 0
end
"""
# ARGV from the third: the most entries, the seconds of deduplication, the name of the
# group, its channel, then for each message its id and its body.
_PUBLISH: Final = (
    _HEAD
    + """
for index = 7, #ARGV, 2 do
  local seen = head .. ':' .. ARGV[index]
  if redis.call('SET', seen, '1', 'NX', 'EX', ARGV[4]) then
    offset = offset + 1
    redis.call('XADD', entries, 'MAXLEN', ARGV[3], offset .. '-0', 'b', ARGV[index + 1])
  end
end
redis.call('HSET', head, 'offset', string.format('%.0f', offset))
redis.call('EXPIRE', head, keep)
redis.call('EXPIRE', entries, keep)
redis.call('PUBLISH', ARGV[6], ARGV[5])
return {epoch, string.format('%.0f', offset)}
"""
)
# ARGV[3] is the offset after which entries are wanted, or empty for none of them.
_READ: Final = (
    _HEAD
    + """
redis.call('EXPIRE', head, keep)
local found = {}
if ARGV[3] ~= '' and tonumber(ARGV[3]) < offset then
  found = redis.call('XRANGE', entries, '(' .. ARGV[3] .. '-0', '+')
end
return {epoch, string.format('%.0f', offset), found}
"""
)


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a group was received."""

    epoch: str
    offset: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        match = POSITION.fullmatch(text)
        return None if match is None else cls(match["epoch"], int(match["offset"]))

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"


@dataclass(slots=True, eq=False)
class Entry:
    """A message as it lies in the stream; `memo` keeps what is made of it once."""

    position: Position
    body: bytes
    memo: dict[Any, Any] = field(default_factory=dict)

    def frame(self) -> bytes:
        """Give the message as JSON that says where it stands."""
        mark = b'{"epoch":"%b","offset":%d' % (
            self.position.epoch.encode(),
            self.position.offset,
        )
        return mark + (b"," if self.body != b"{}" else b"") + self.body[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Where a group stands, and what came after a position; `is_whole` if all did."""

    head: Position
    entries: Sequence[Entry]
    is_whole: bool


class History:
    """Writes streams from Django's threads and reads them from an event loop."""

    def __init__(self, store: SharedStore = shared_store, *, prefix: str = "") -> None:
        self._store = store
        self._prefix = f"{PREFIX}live:{prefix}"

    def channel(self, database: int) -> str:
        """Name where groups are called; channels reach across databases."""
        return f"{self._prefix}calls:{database}"

    def publish(self, group: str, messages: Sequence[tuple[str, bytes]]) -> Position:
        """Append messages, each an id and a JSON object, and wake who listens.

        Raises
        ------
        StoreUnavailableError
            Redis does not answer; some of the messages may be there or not.
        """
        pairs = [part for message in messages for part in message]
        channel = self.channel(self._store.database)
        arguments = [str(MAX_ENTRIES), str(DEDUPLICATION_S), group, channel, *pairs]

        def run(redis: Redis) -> Any:
            keys = self._keys(group)
            return redis.eval(_PUBLISH, 2, *keys, *_fresh(), *arguments)

        return _position(*self._store.run(run))

    async def read(
        self, redis: "AsyncRedis", group: str, after: Position | None
    ) -> Reading:
        """Read where a group stands and what came after a position in it."""
        since = "" if after is None else str(after.offset)
        answer: Any = redis.eval(_READ, 2, *self._keys(group), *_fresh(), since)
        epoch, offset, rows = await answer
        head = _position(epoch, offset)
        entries = [_entry(head.epoch, name, fields) for name, fields in rows]
        if after is None:
            return Reading(head=head, entries=(), is_whole=True)
        expected = head.offset - after.offset
        is_whole = after.epoch == head.epoch and len(entries) == expected
        return Reading(head=head, entries=entries, is_whole=is_whole)

    def _keys(self, group: str) -> tuple[str, str]:
        tagged = f"{self._prefix}{{{group}}}"
        return f"{tagged}:head", f"{tagged}:entries"


def _fresh() -> tuple[str, str]:
    return secrets.token_hex(8), str(RETENTION_S)


def _position(epoch: bytes, offset: bytes) -> Position:
    return Position(epoch.decode(), int(offset))


def _entry(epoch: str, name: bytes, fields: Sequence[bytes]) -> Entry:
    offset = int(name.partition(b"-")[0])
    return Entry(Position(epoch, offset), bytes(fields[1]))


history = History()
