import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toExponentialBounds, toHistogram } from './histogram.ts'
import { type Family, toMetricsPage } from './text.ts'

const OPEN = 'application/openmetrics-text'

function toFamilies(): readonly Family[] {
  const seconds = toHistogram([0.1, 1], () => 1_500)
  seconds.observe(0.1)
  seconds.observe(0.5, 'ab12')
  seconds.observe(7)
  return [
    { name: 'asked_total', help: 'Questions', kind: 'counter', series: [{ labels: { by: 'a"\\\n' }, value: 3 }] },
    { name: 'seconds', help: 'Time', kind: 'histogram', series: [{ labels: { by: 'b' }, value: seconds.read() }] },
    { name: 'left', kind: 'gauge', series: [{ labels: {}, value: Number.POSITIVE_INFINITY }] },
  ]
}

describe('toMetricsPage()', () => {
  it('prints the text format', () => {
    const { text, contentType } = toMetricsPage(toFamilies(), 'text/plain')
    assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
    assert.equal(
      text,
      `# HELP asked_total Questions
# TYPE asked_total counter
asked_total{by="a\\"\\\\\\n"} 3
# HELP seconds Time
# TYPE seconds histogram
seconds_bucket{by="b",le="0.1"} 1
seconds_bucket{by="b",le="1"} 2
seconds_bucket{by="b",le="+Inf"} 3
seconds_sum{by="b"} 7.6
seconds_count{by="b"} 3
# TYPE left gauge
left +Inf
`,
    )
  })

  it('prints OpenMetrics with the traces of examples', () => {
    const { text, contentType } = toMetricsPage(toFamilies(), `${OPEN}; version=1.0.0`)
    assert.equal(contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
    assert.match(text, /^# HELP asked Questions\n# TYPE asked counter\nasked_total{/)
    assert.match(text, /\nseconds_bucket{by="b",le="1.0"} 2 # {trace_id="ab12"} 0\.5 1\.5\n/)
    assert.match(text, /\nseconds_bucket{by="b",le="0.1"} 1\n/)
    assert.match(text, /\n# EOF\n$/)
  })

  const accepts: readonly [accept: string | undefined, isOpen: boolean][] = [
    [undefined, false],
    ['*/*', false],
    ['application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', true],
    ['text/plain;q=0.4, application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6', true],
    [`${OPEN};q=0, text/plain`, false],
    [`${OPEN};q=0.05`, true],
  ]
  for (const [accept, isOpen] of accepts) {
    it(`answers "${accept}" in ${isOpen ? 'OpenMetrics' : 'the text format'}`, () => {
      assert.equal(toMetricsPage([], accept).contentType.startsWith(OPEN), isOpen)
    })
  }
})

describe('toExponentialBounds()', () => {
  it('grows by the factor', () => {
    assert.deepEqual(toExponentialBounds(10, 2, 3), [10, 20, 40])
  })
})
