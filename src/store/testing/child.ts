import { openStore } from '../index.ts'
import { NOON, toPair, toTruth } from './place.ts'

/*
 * A process that stores pairs and their truths, one request after the other, and says each that is stored:
 * `node child.ts WHERE FIRST COUNT`, where WHERE is what `openStore` takes, as JSON.
 */
const [where = '', first = '0', count = '0'] = process.argv.slice(2)
await using store = await openStore(JSON.parse(where), { clock: Date.now })
for (let n = Number(first); n < Number(first) + Number(count); n++) {
  await store.addPredictions(toPair(n, n % 7, n % 5))
  await store.addTruths([toTruth(n, n % 3)], NOON)
  process.stdout.write(`${n}\n`)
}
