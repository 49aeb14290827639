"""Token buckets that all processes share: one script in Redis, by Redis' own clock."""

from redis import Redis

from perf.limits.buckets import Grant, Limit
from perf.shared_store import PREFIX, SharedStore

TAKE = """
local clock = redis.call('TIME')
local now_s = tonumber(clock[1]) + tonumber(clock[2]) / 1e6
local size, per_s = tonumber(ARGV[1]), tonumber(ARGV[2])
local wanted, given_back = tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'tokens', 'as_of_s')
local tokens = size
if held[1] then
  local elapsed_s = math.max(0, now_s - tonumber(held[2]))
  tokens = math.min(size, tonumber(held[1]) + given_back + elapsed_s * per_s)
end
local granted = math.min(wanted, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens),
  'as_of_s', string.format('%.6f', now_s))
-- A full bucket is worth as much as none.
redis.call('PEXPIRE', KEYS[1], math.ceil(1000 * size / per_s))
local wait_ms = 0
if granted == 0 then wait_ms = math.ceil(1000 * (1 - tokens) / per_s) end
return {granted, math.floor(tokens), wait_ms}
"""


class SharedBuckets:
    def __init__(self, store: SharedStore) -> None:
        self._store = store

    def take(
        self, key: str, limit: Limit, *, wanted: int, given_back: int = 0
    ) -> Grant:
        """Take up to so many tokens, and give back what was taken and not spent.

        Raises
        ------
        StoreUnavailableError
            Redis does not answer.
        """

        def run(redis: Redis) -> list[int]:
            script = redis.register_script(TAKE)
            arguments = [limit.n_requests, limit.per_s, wanted, given_back]
            granted: list[int] = script(keys=[f"{PREFIX}limit:{key}"], args=arguments)
            return granted

        granted, left, wait_ms = self._store.run(run)
        return Grant(granted, left, wait_ms / 1_000)
