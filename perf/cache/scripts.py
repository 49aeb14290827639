"""The Lua of entries in Redis: each script is carried out as a whole, or not at all.

KEYS are an entry and its lock, or the channel of changes. ARGV[1] is what all keys
begin with.
"""

from typing import Final

# Never goes back, and never says the same twice.
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
# What CLAIM gives: {1, blob, age in µs, ms to live}, or {2, epoch, stamp} to who may
# compute, or {0} while another process does. A lease of 0 ms keeps no other from it.
ENTRY: Final = 1
CLAIMED: Final = 2
CLAIM: Final = (
    CLOCK
    + """
local prefix, token, lease, is_refresh = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local epoch = redis.call('GET', prefix .. 'epoch')
if is_refresh == '0' then
  local found = redis.call('HMGET', KEYS[1], 'epoch', 'created', 'blob', 'names')
  local is_valid = found[3] and found[4]
  is_valid = is_valid and (found[1] == epoch or found[4] == '')
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
if lease == '0' then
  if redis.call('EXISTS', KEYS[2]) == 1 then return {0} end
elseif not redis.call('SET', KEYS[2], token, 'NX', 'PX', lease) then return {0} end
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
# Keeps an entry unless one of its names changed since the stamp of its claim: gives 1,
# else 0, or 2 where a version is missing, so that it may have changed.
PUT: Final = (
    CLOCK
    + """
local prefix, token, epoch, stamp = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('GET', KEYS[2]) == token then redis.call('DEL', KEYS[2]) end
if #ARGV > 7 and redis.call('GET', prefix .. 'epoch') ~= epoch then return 0 end
local changed = redis.call('GET', prefix .. 'changed')
if not changed then redis.call('SET', prefix .. 'changed', text(tick(prefix))) end
-- A name without a version may have had one that was lost.
local is_quiet = changed and tonumber(changed) <= stamp
local names, outcome = '', 1
for index = 8, #ARGV do
  local key = prefix .. 'name:' .. ARGV[index]
  local version = redis.call('GET', key)
  if not version and is_quiet then
    version = text(stamp)
  elseif not version then
    version = text(tick(prefix))
    if outcome == 1 then outcome = 2 end
  elseif tonumber(version) > stamp then
    outcome = 0
  end
  redis.call('SET', key, version, 'PX', ARGV[7])
  names = names .. ARGV[index] .. '\\n' .. version .. '\\n'
end
if outcome ~= 1 then return outcome end
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
for index = 4, #ARGV do
  redis.call('SET', ARGV[1] .. 'name:' .. ARGV[index], now, 'PX', ARGV[3])
end
redis.call('PUBLISH', KEYS[1], ARGV[2])
"""
)
FLUSH: Final = (
    CLOCK
    + """
local now = text(tick(ARGV[1]))
redis.call('MSET', ARGV[1] .. 'epoch', now, ARGV[1] .. 'changed', now)
if ARGV[2] ~= '' then redis.call('PUBLISH', KEYS[1], ARGV[2]) end
"""
)
