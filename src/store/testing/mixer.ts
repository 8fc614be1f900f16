import { openStore } from '../index.ts'
import { NOON } from './place.ts'
import { shuffle, toItems } from './script.ts'

/*
 * A process that sends everything of a range of requests in batches of many sizes, in an order of its own, and each
 * fifth batch twice: `node mixer.ts WHERE SEED FROM TO`.
 */
const [where = '', seed = '0', from = '0', to = '0'] = process.argv.slice(2)
await using store = await openStore(JSON.parse(where), { clock: Date.now })
const items = shuffle(toItems(Number(from), Number(to)), Number(seed))
let sent = 0
for (let at = 0, batch = 1; at < items.length; batch++) {
  const part = items.slice(at, at + ((batch * 37) % 60) + 1)
  at += part.length
  for (let times = batch % 5 === 0 ? 2 : 1; times > 0; times--) {
    const records = part.flatMap(item => (item.kind === 'record' ? [item.record] : []))
    const truths = part.flatMap(item => (item.kind === 'truth' ? [item.truth] : []))
    await Promise.all([store.addPredictions(records), store.addTruths(truths, NOON)])
    sent += truths.length
  }
}
process.stdout.write(`${sent}\n`)
