import { parseArgs } from 'node:util'

/* New live data for tests, as the example's live.ts prints them: the truth of x is x and a little noise. */

const text = { type: 'string', default: '0' } as const
const { values } = parseArgs({ options: { from: text, count: text } })
for (let row = Number(values.from); row < Number(values.from) + Number(values.count); row += 1) {
  const x = 1 + (row % 7)
  const at = new Date(Date.UTC(2026, 0, 1 + (row % 365))).toISOString().slice(0, 10)
  console.log(JSON.stringify({ series: `s-${row}`, at, instance: [x], truth: x + Math.sin(row * 12.9898) }))
}
