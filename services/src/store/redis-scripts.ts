/**
 * What Redis does in one step. Redis runs a script as a whole, so that nobody reads half of a batch; each script reads
 * first and writes last, and its first write is one that Redis refuses when it is full or read-only, so that a refusal
 * leaves everything as it was. All keys of a namespace share a hash tag and so a slot of a Redis Cluster.
 */
import { createHash } from 'node:crypto';

/** A script and the name under which Redis remembers it. */
export interface RedisScript {
  readonly sha: string;
  readonly text: string;
}

const script = (text: string): RedisScript => ({
  sha: createHash('sha1').update(text).digest('hex'),
  text,
});

/** Marks the error with which scripts refuse a malformed lease; the lease's name comes after it. */
export const MALFORMED_LEASE = 'MALFORMEDLEASE';

/**
 * Reads a lease: its token, when it runs out, its time, its holder (empty once released); nothing when there is none.
 * One that is malformed ends the script: nobody may guess a token, as it must never be given again.
 */
const READ_LEASE = `
local function lease(leases, name)
  local record = redis.call('HGET', leases, name)
  if not record then return end
  local token, expires, ttl, holder = string.match(record, '^(%d+) (%d+) (%d+) (.*)$')
  if not token then error('${MALFORMED_LEASE} ' .. name) end
  return token, expires, ttl, holder
end
`;

/**
 * Carries out one commit. KEYS: order, values, leases, line. ARGV: number, settled, ttlMs, channel, notice, fences,
 * puts; then name, holder, token of each fence; then key, value of each put; then the keys to remove.
 *
 * A client numbers its commits and asks for them again, in order, when a connection broke. The line remembers what
 * became of each number that the client has not yet heard of, so that a commit happens once; a number that is unknown
 * and not above the last one is late (bytes of a former connection, or a commit that was given up) and changes nothing.
 *
 * @returns 0 when done; n when the nth fence has lost its lease; -1 when late
 */
export const commitScript = script(`${READ_LEASE}
local known = redis.call('HGET', KEYS[4], ARGV[1])
if known then return tonumber(known) end
local last = redis.call('HGET', KEYS[4], 'last')
if last and tonumber(ARGV[1]) <= tonumber(last) then return -1 end

local fences, puts, at = tonumber(ARGV[6]), tonumber(ARGV[7]), 8
local outcome = 0
for fence = 1, fences do
  local token, _, _, holder = lease(KEYS[3], ARGV[at])
  if outcome == 0 and (holder ~= ARGV[at + 1] or token ~= ARGV[at + 2]) then outcome = fence end
  at = at + 3
end

redis.call('HSET', KEYS[4], 'last', ARGV[1], ARGV[1], outcome)
local settled = tonumber(ARGV[2])
local forgotten = tonumber(redis.call('HGET', KEYS[4], 'forgotten') or settled)
for number = forgotten + 1, settled do redis.call('HDEL', KEYS[4], string.format('%.0f', number)) end
redis.call('HSET', KEYS[4], 'forgotten', ARGV[2])
redis.call('PEXPIRE', KEYS[4], ARGV[3])
if outcome > 0 then return outcome end

for _ = 1, puts do
  if redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) == 1 then redis.call('ZADD', KEYS[1], 0, ARGV[at]) end
  at = at + 2
end
for gone = at, #ARGV do
  if redis.call('HDEL', KEYS[2], ARGV[gone]) == 1 then redis.call('ZREM', KEYS[1], ARGV[gone]) end
end
if #ARGV >= 8 + 3 * fences then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 0
`);

/** Makes all commits up to a number late that Redis has not seen yet. KEYS: line. ARGV: number, ttlMs. */
export const abandonScript = script(`
if tonumber(redis.call('HGET', KEYS[1], 'last') or '0') < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'last', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
`);

/**
 * Reads a range. KEYS: order, values. ARGV: command, first bound, second bound, limit, bytes of values at most, of
 * which it gives one in any case.
 * @returns keys and values by turns
 */
export const rangeScript = script(`
local room = tonumber(ARGV[5])
local entries = {}
for _, key in ipairs(redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])) do
  local value = redis.call('HGET', KEYS[2], key)
  room = room - #value
  if room < 0 and #entries > 0 then break end
  entries[#entries + 1] = key
  entries[#entries + 1] = value
end
return entries
`);

/**
 * Takes or renews a lease by Redis's own clock. KEYS: leases. ARGV: name, holder, ttlMs.
 * A lease that would last longer than its whole time shows that the clock was turned back; its time starts anew.
 * @returns the token, or null when somebody else holds it
 */
export const acquireScript = script(`${READ_LEASE}
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function keep(token, ttl, holder)
  local record = string.format('%.0f %.0f %.0f ', token, now + ttl, ttl) .. holder
  redis.call('HSET', KEYS[1], ARGV[1], record)
end
local token, expires, ttl, holder = lease(KEYS[1], ARGV[1])
token, expires, ttl = tonumber(token or 0), tonumber(expires or 0), tonumber(ttl or 0)
if holder ~= ARGV[2] then
  if holder and holder ~= '' and expires > now then
    if expires - now > ttl then keep(token, ttl, holder) end
    return false
  end
  token = token + 1
end
keep(token, tonumber(ARGV[3]), ARGV[2])
return string.format('%.0f', token)
`);

/** Gives a lease back; its token stays, so that the next is higher. KEYS: leases. ARGV: name, holder, token. */
export const releaseScript = script(`${READ_LEASE}
local token, _, _, holder = lease(KEYS[1], ARGV[1])
if holder == ARGV[2] and token == ARGV[3] then redis.call('HSET', KEYS[1], ARGV[1], token .. ' 0 0 ') end
return 0
`);

/** All of them, for a server that has forgotten them. */
export const allScripts: readonly RedisScript[] = [
  commitScript,
  abandonScript,
  rangeScript,
  acquireScript,
  releaseScript,
];
