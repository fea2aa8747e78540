import { createHash } from 'node:crypto';

/** A Lua script, which the engine runs as one step. */
export interface Script {
  text: string;
  sha: string;
}

/** How long something is kept, as an argument. */
export function milliseconds(time: number): string {
  return time === Infinity ? '-1' : String(Math.ceil(time));
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/*
 * KEYS of all: 1 the state of the run (hash), 2 its events (stream; the id of event n is `n-0`).
 * Fields of the state: token, owner, until (lease, in ms of the engine's clock), seq (last), end (seq of the run-end),
 * due (set once the run has been told to expire).
 */

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Keeps the keys for so many milliseconds; -1 for ever. */
const keep = `
local function keep(ms)
  for i = 1, 2 do
    if tonumber(ms) < 0 then redis.call('PERSIST', KEYS[i]) else redis.call('PEXPIRE', KEYS[i], ms) end
  end
end
`;

/** ARGV: owner, ttl, idle. */
export const claimScript = script(`${now}${keep}
local run = redis.call('HMGET', KEYS[1], 'token', 'until', 'end', 'seq', 'owner', 'due')
if run[3] then return {'ended', 0, 0} end
local left = (tonumber(run[2]) or 0) - now
if left > 0 then
  -- The answer to the same claim got lost, and it was sent again.
  if run[5] == ARGV[1] then return {'ok', run[1], run[4] or 0} end
  return {'held', left, 0}
end
if not run[1] then redis.call('DEL', KEYS[2]) end
-- By the clock, so that no token comes twice when the run was deleted, or when a failover has lost the claim before.
local token = math.max((tonumber(run[1]) or 0) + 1, time[1] * 1000000 + time[2])
redis.call('HSET', KEYS[1], 'token', string.format('%.0f', token), 'until', now + ARGV[2], 'owner', ARGV[1])
if not run[6] then keep(ARGV[3]) end
return {'ok', token, run[4] or 0}
`);

/** ARGV: token, ttl, idle. */
export const renewScript = script(`${now}${keep}
local run = redis.call('HMGET', KEYS[1], 'token', 'until', 'end', 'due')
if run[1] ~= ARGV[1] then return {'lost', 0} end
if run[3] then return {'ok', 0} end
if tonumber(run[2]) <= now then return {'lost', 0} end
redis.call('HSET', KEYS[1], 'until', now + ARGV[2])
if not run[4] then keep(ARGV[3]) end
return {'ok', now + ARGV[2]}
`);

/** ARGV: owner. Answers with 1 when the run is without a producer now. */
export const releaseScript = script(`
local run = redis.call('HMGET', KEYS[1], 'owner', 'end')
if run[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', 0)
if run[2] then return 0 end
return 1
`);

/** ARGV: token, the last seq that the producer knows of or -1, most events, milliseconds to keep it when it ends now or '', events. */
export const appendScript = script(`${now}${keep}
local run = redis.call('HMGET', KEYS[1], 'token', 'until', 'end', 'seq', 'due')
if run[1] ~= ARGV[1] then return {'lost', 0} end
local seq = tonumber(run[4]) or 0
local count = #ARGV - 4
local known = tonumber(ARGV[2])
-- Only this producer appends: more than it knows of is its own append, whose answer got lost.
if known >= 0 and count > 0 and seq >= known + count then return {'ok', known} end
if run[3] then return {'ended', 0} end
if tonumber(run[2]) <= now then return {'lost', 0} end
if known >= 0 and seq ~= known then return {'lost', 0} end
-- A run that is full can be ended: its readers wait for that.
local closes = count == 1 and ARGV[4] ~= ''
if not closes and seq + count > tonumber(ARGV[3]) then return {'full', 0} end
for i = 1, count do
  redis.call('XADD', KEYS[2], string.format('%.0f-0', seq + i), 'e', ARGV[i + 4])
end
redis.call('HSET', KEYS[1], 'seq', seq + count)
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'end', seq + count)
  if not run[5] then keep(ARGV[4]) end
elseif seq == 0 then
  local ttl = redis.call('PTTL', KEYS[1])
  if ttl > 0 then redis.call('PEXPIRE', KEYS[2], ttl) end
end
return {'ok', seq}
`);

/** Answers with the token or 0, seq, end or 0, and until when it is held, or 0. */
export const headScript = script(`${now}
local run = redis.call('HMGET', KEYS[1], 'token', 'seq', 'end', 'until')
local held = tonumber(run[4]) or 0
if held <= now or run[3] then held = 0 end
return {tonumber(run[1]) or 0, tonumber(run[2]) or 0, tonumber(run[3]) or 0, held}
`);

/** ARGV: milliseconds. What wakes those who read stays a while: a stream that is deleted wakes nobody. */
export const expireScript = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if tonumber(ARGV[1]) > 0 then
  redis.call('HSET', KEYS[1], 'due', 1)
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
  return 1
end
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq')) or 0
redis.call('DEL', KEYS[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '1', string.format('%.0f-1', seq), 'x', '1')
redis.call('PEXPIRE', KEYS[2], 5000)
return 1
`);
