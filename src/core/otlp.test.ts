import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSampled, parseTraceSettings, toExportJson } from './otlp.ts'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }
const parse = (env: Record<string, string>) => parseTraceSettings(env, 'regatta-server')

describe('parseTraceSettings()', () => {
  it('asks for nothing without an endpoint, or where OpenTelemetry is off', () => {
    assert.equal(parse({}), undefined)
    assert.equal(parse({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }), undefined)
    assert.equal(parse({ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }), undefined)
  })

  it('adds the path to the endpoint of all signals alone', () => {
    assert.equal(parse(ENDPOINT)?.url, 'http://collector:4318/v1/traces')
    const own = { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces:4318/own' }
    assert.equal(parse(own)?.url, 'https://traces:4318/own')
  })

  it('has defaults', () => {
    assert.deepEqual(parse(ENDPOINT), {
      url: 'http://collector:4318/v1/traces',
      headers: {},
      timeoutMs: 10_000,
      resource: { 'service.name': 'regatta-server' },
      obeysParent: true,
      ratio: 1,
    })
  })

  it('reads headers, time, name, resource and sampling', () => {
    const settings = parse({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a%3D, x-tenant = b ',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '500',
      OTEL_SERVICE_NAME: 'forecast',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,k8s.pod.name=p-1',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    })
    assert.deepEqual(settings?.headers, { authorization: 'Bearer a=', 'x-tenant': 'b' })
    assert.deepEqual(settings?.resource, { 'service.name': 'forecast', 'k8s.pod.name': 'p-1' })
    assert.deepEqual([settings?.timeoutMs, settings?.obeysParent, settings?.ratio], [500, true, 0.25])
  })

  const wrong: readonly [name: string, value: string, wanted: RegExp][] = [
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector:4318', /expected a URL of http or https/],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', /expected http\/json/],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '1s', /expected milliseconds/],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', /expected always_on/],
  ]
  for (const [name, value, message] of wrong) {
    it(`refuses ${name}=${value}`, () => {
      assert.throws(() => parse({ ...ENDPOINT, [name]: value }), { code: 'OTLP', message })
    })
  }
})

describe('isSampled()', () => {
  const settings = (sampler: string, ratio = '1') => {
    const parsed = parse({ ...ENDPOINT, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio })
    assert.ok(parsed)
    return parsed
  }
  const id = (digit: string): string => digit.repeat(32)
  const parent = (sampled: boolean) => ({ traceId: id('1'), spanId: '1'.repeat(16), isSampled: sampled })

  it('obeys the caller, where told to', () => {
    assert.equal(isSampled(settings('parentbased_always_off'), parent(true), id('1')), true)
    assert.equal(isSampled(settings('parentbased_always_on'), parent(false), id('1')), false)
    assert.equal(isSampled(settings('always_on'), parent(false), id('1')), true)
    assert.equal(isSampled(settings('always_off'), parent(true), id('1')), false)
  })

  it('keeps the fraction of traces with the lowest ids', () => {
    assert.equal(isSampled(settings('traceidratio', '0.5'), undefined, id('7')), true)
    assert.equal(isSampled(settings('traceidratio', '0.5'), undefined, id('9')), false)
    assert.equal(isSampled(settings('traceidratio', '1'), undefined, id('f')), true)
    assert.equal(isSampled(settings('traceidratio', '0'), undefined, id('0')), false)
  })
})

describe('toExportJson()', () => {
  it('writes integers and times as texts, as protobuf has it', () => {
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: true }
    const json = toExportJson(
      [
        {
          context,
          parentId: 'c'.repeat(16),
          name: 'infer',
          kind: 'internal',
          startAt: 1_700_000_000_000.25,
          endAt: 1_700_000_000_001,
          attributes: { rows: 3, part: 0.5, model: 'm', ok: true },
          error: 'broken',
        },
      ],
      { 'service.name': 's' },
    )
    assert.deepEqual(JSON.parse(json), {
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 's' } }] },
          scopeSpans: [
            {
              scope: { name: 'regatta' },
              spans: [
                {
                  traceId: 'a'.repeat(32),
                  spanId: 'b'.repeat(16),
                  parentSpanId: 'c'.repeat(16),
                  name: 'infer',
                  kind: 1,
                  startTimeUnixNano: '1700000000000250000',
                  endTimeUnixNano: '1700000000001000000',
                  attributes: [
                    { key: 'rows', value: { intValue: '3' } },
                    { key: 'part', value: { doubleValue: 0.5 } },
                    { key: 'model', value: { stringValue: 'm' } },
                    { key: 'ok', value: { boolValue: true } },
                  ],
                  status: { code: 2, message: 'broken' },
                },
              ],
            },
          ],
        },
      ],
    })
  })
})
