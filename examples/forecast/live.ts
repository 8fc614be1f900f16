// Prints new live data as NDJSON, one row a line: node live.ts --from 0 --count 100 [--seed 1] [--long]
// --long: rows of one long walk instead of many independent ones.
import { parseArgs } from 'node:util'
import { toLongWalk, toWalk } from './walks.ts'

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    long: { type: 'boolean', default: false },
  },
})
const from = parseCount('from')
const count = parseCount('count')
const seed = parseCount('seed')

function parseCount(name: 'from' | 'count' | 'seed'): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) {
    throw new Error(`Cannot use --${name} ${values[name]}: expected a whole number from 0 to 2^32 - 1`)
  }
  return value
}

const rows = values.long
  ? toLongWalk(from, count, seed)
  : Array.from({ length: count }, (_, i) => toWalk(from + i, seed))
for (const row of rows) console.log(JSON.stringify(row))
