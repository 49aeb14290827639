"""Level 2: whole answers in Redis, each valid only as long as what it rests on.

Every name has a version there, set anew by each change. An entry holds the versions of
its names; it is valid while they are the same, so that a version that is lost makes
entries invalid, never valid. Whoever computes first claims the key: a stamp of the
clock there. What changed after the stamp is not kept. The epoch is part of every
entry: a new one ends all of them.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis
from redis.commands.core import Script

from perf.cache.edge import response
from perf.cache.edge.response import Entry
from perf.shared_store import PREFIX, SharedStore

# The braces keep all keys in one slot of a cluster.
KEYS: Final = PREFIX + "{edge}:"
# Whoever computes longer than this does so beside others.
LEASE_MS: Final = 15_000
NAME_KEPT_MS: Final = 86_400_000

CLOCK: Final = """
local function text(number) return string.format('%.0f', number) end
local function tick(prefix)
  local t = redis.call('TIME')
  local last = tonumber(redis.call('GET', prefix .. 'clock') or '0')
  local now = math.max(t[1] * 1000000 + t[2], last + 1)
  redis.call('SET', prefix .. 'clock', text(now))
  return now
end
"""
# Gives {1, blob, age in µs, ms to live}, or {2, epoch, stamp} to who may compute, or
# {0} while somebody else does.
CLAIM: Final = (
    CLOCK
    + """
local prefix, token, lease, is_refresh = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local epoch = redis.call('GET', prefix .. 'epoch')
if epoch and is_refresh == '0' then
  local found = redis.call('HMGET', KEYS[1], 'epoch', 'created', 'blob', 'names')
  local is_valid = found[1] == epoch and found[3] and found[4]
  if is_valid then
    for name, version in string.gmatch(found[4], '([^\\n]+)\\n([^\\n]+)\\n') do
      is_valid = is_valid and redis.call('GET', prefix .. 'name:' .. name) == version
    end
  end
  if is_valid then
    local t = redis.call('TIME')
    local age = t[1] * 1000000 + t[2] - tonumber(found[2])
    return {1, found[3], text(math.max(age, 0)), redis.call('PTTL', KEYS[1])}
  end
end
if not redis.call('SET', KEYS[2], token, 'NX', 'PX', lease) then return {0} end
local stamp = tick(prefix)
if not epoch then
  epoch = text(stamp)
  redis.call('SET', prefix .. 'epoch', epoch)
  redis.call('SET', prefix .. 'changed', epoch)
end
return {2, epoch, text(stamp)}
"""
)
RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
# Keeps an entry unless one of its names changed since the stamp of its claim.
PUT: Final = (
    CLOCK
    + """
local prefix, token, epoch, stamp = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('GET', KEYS[2]) == token then redis.call('DEL', KEYS[2]) end
if redis.call('GET', prefix .. 'epoch') ~= epoch then return 0 end
local changed = redis.call('GET', prefix .. 'changed')
if not changed then redis.call('SET', prefix .. 'changed', text(tick(prefix))) end
-- A name without a version may have had one that was lost.
local is_quiet = changed and tonumber(changed) <= stamp
local names, is_new = '', true
for place = 8, #ARGV do
  local key = prefix .. 'name:' .. ARGV[place]
  local version = redis.call('GET', key)
  if not version then version = text(is_quiet and stamp or tick(prefix)) end
  is_new = is_new and tonumber(version) <= stamp
  redis.call('SET', key, version, 'PX', ARGV[7])
  names = names .. ARGV[place] .. '\\n' .. version .. '\\n'
end
if not is_new then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'created', text(stamp), 'blob', ARGV[5],
  'names', names)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1
"""
)
CHANGE: Final = (
    CLOCK
    + """
local now = text(tick(ARGV[1]))
redis.call('SET', ARGV[1] .. 'changed', now)
for place = 4, #ARGV do
  redis.call('SET', ARGV[1] .. 'name:' .. ARGV[place], now, 'PX', ARGV[3])
end
redis.call('PUBLISH', KEYS[1], ARGV[2])
"""
)
FLUSH: Final = (
    CLOCK
    + """
redis.call('SET', ARGV[1] .. 'epoch', text(tick(ARGV[1])))
redis.call('PUBLISH', KEYS[1], ARGV[2])
"""
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to compute what a key stands for, for as long as the lease lasts."""

    key: str
    token: str
    epoch: str
    stamp: str


class SharedEntries:
    """Entries that all processes use; every method may raise StoreUnavailableError."""

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self._scripts: dict[str, Script] = {}

    @property
    def channel(self) -> str:
        """Name where changes are told: channels reach across the databases of Redis."""
        return f"{KEYS}changes:{self._store.database}"

    def find_or_claim(
        self, key: str, *, is_refresh: bool = False
    ) -> Entry | Claim | None:
        """Give a valid entry, or the right to compute it; None while another has it."""
        token = secrets.token_hex(8)
        args = (KEYS, token, LEASE_MS, int(is_refresh))
        answer = self._script(CLAIM, [_entry(key), _lock(key)], args)
        if answer[0] == 1:
            age_s, ttl_s = int(answer[2]) / 1e6, answer[3] / 1e3
            entry = response.read(answer[1], key=key, age_s=age_s, ttl_s=ttl_s)
            # What cannot be read is computed anew, as if it were about to expire.
            return entry or self.find_or_claim(key, is_refresh=True)
        if answer[0] == 2:
            return Claim(key, token, answer[1].decode(), answer[2].decode())
        return None

    def put(self, claim: Claim, entry: Entry) -> bool:
        """Keep what was computed under a claim, unless it has changed since."""
        ttl_ms = max(1, int(1_000 * (entry.expires_s - time.monotonic())))
        blob = response.write(entry, key=claim.key)
        args = (
            *(KEYS, claim.token, claim.epoch, claim.stamp, blob),
            *(ttl_ms, NAME_KEPT_MS, *sorted(entry.names)),
        )
        return bool(self._script(PUT, [_entry(claim.key), _lock(claim.key)], args))

    def release(self, claim: Claim) -> None:
        """Let others compute: what came out is not to be kept."""
        self._script(RELEASE, [_lock(claim.key)], (claim.token,))

    def announce(self, names: frozenset[str], message: bytes) -> None:
        """End what rests on these names, and tell every process."""
        args = (KEYS, message, NAME_KEPT_MS, *sorted(names))
        # Nobody else will say so: a change is worth the attempt.
        self._script(CHANGE, [self.channel], args, insists=True)

    def flush(self, message: bytes) -> None:
        """End all entries, whatever they rest on, and tell every process."""
        self._script(FLUSH, [self.channel], (KEYS, message), insists=True)

    def _script(
        self,
        text: str,
        keys: list[str],
        args: tuple[Any, ...],
        *,
        insists: bool = False,
    ) -> Any:
        def run(redis: Redis) -> Any:
            script = self._scripts.get(text)
            if script is None:
                script = self._scripts[text] = redis.register_script(text)
            return script(keys=keys, args=args, client=redis)

        return self._store.run(run, insists=insists)


def _entry(key: str) -> str:
    return f"{KEYS}entry:{key}"


def _lock(key: str) -> str:
    return f"{KEYS}lock:{key}"
