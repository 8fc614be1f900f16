import { UsageError } from './errors.ts'
import type { TraceContext } from './trace-context.ts'

/*
 * Traces as OpenTelemetry's collectors take them: OTLP over HTTP in JSON, and the environment variables that say where
 * to send them. Source: opentelemetry.io/docs/specs: otlp, "JSON Protobuf Encoding"; otel/protocol/exporter;
 * otel/configuration/sdk-environment-variables.
 */

/** One piece of work in a trace. */
export interface Span {
  readonly context: TraceContext
  readonly parentId: string | undefined
  readonly name: string
  readonly kind: keyof typeof KINDS
  /** Epoch ms, with fractions. */
  readonly startAt: number
  readonly endAt: number
  readonly attributes: Attributes
  /** What failed, if it did. */
  readonly error?: string
}

/** What is known of a span or of the program. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

/** SpanKind of opentelemetry/proto/trace/v1/trace.proto. */
const KINDS = { internal: 1, server: 2, client: 3 } as const
const STATUS_ERROR = 2

/** Where traces go, and which. */
export interface TraceSettings {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Attributes of the program, `service.name` among them. */
  readonly resource: Attributes
  /** Whether the sampled flag of who calls decides. */
  readonly obeysParent: boolean
  /** The fraction of traces without such a flag that is kept. */
  readonly ratio: number
}

/** Environment variables by name. */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads where to send traces, or undefined where nobody asked for them.
 * @throws OTLP (a `UsageError`) where a variable is wrong, or asks for a protocol other than HTTP
 */
export function parseTraceSettings(env: Environment, serviceName: string): TraceSettings | undefined {
  const url = toUrl(env)
  if (url === undefined || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined
  const protocol = toSetting(env, 'PROTOCOL')
  if (protocol === 'grpc')
    throw toProblem('OTEL_EXPORTER_OTLP_PROTOCOL', protocol, "http/json: give the collector's HTTP port, often 4318")
  return {
    url,
    headers: toPairs(toSetting(env, 'HEADERS')),
    timeoutMs: toTimeout(toSetting(env, 'TIMEOUT')),
    resource: {
      ...toPairs(env['OTEL_RESOURCE_ATTRIBUTES']),
      'service.name':
        env['OTEL_SERVICE_NAME'] || toPairs(env['OTEL_RESOURCE_ATTRIBUTES'])['service.name'] || serviceName,
    },
    ...toSampling(env['OTEL_TRACES_SAMPLER'], env['OTEL_TRACES_SAMPLER_ARG']),
  }
}

/** The variable for traces goes before the one for everything that is told. */
function toSetting(env: Environment, name: 'HEADERS' | 'TIMEOUT' | 'PROTOCOL'): string | undefined {
  return env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`]
}

function toUrl(env: Environment): string | undefined {
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (own) return toChecked('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own)
  if (base) return `${toChecked('OTEL_EXPORTER_OTLP_ENDPOINT', base).replace(/\/$/, '')}/v1/traces`
  return undefined
}

function toChecked(name: string, url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw toProblem(name, url, 'a URL of http or https')
}

function toTimeout(text: string | undefined): number {
  if (text === undefined) return 10_000
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw toProblem('OTEL_EXPORTER_OTLP_TIMEOUT', text, 'milliseconds')
}

/** `key1=value1,key2=value2`, both percent-encoded (W3C Baggage, without its properties). */
function toPairs(text = ''): Readonly<Record<string, string>> {
  const pairs = text.split(',').map(pair => /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair))
  return Object.fromEntries(pairs.flatMap(found => (found === null ? [] : [[decode(found[1]), decode(found[2])]])))
}

function decode(text = ''): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function toSampling(sampler = 'parentbased_always_on', argument = '1'): Pick<TraceSettings, 'obeysParent' | 'ratio'> {
  const obeysParent = sampler.startsWith('parentbased_')
  switch (sampler.replace(/^parentbased_/, '')) {
    case 'always_off':
      return { obeysParent, ratio: 0 }
    case 'traceidratio': {
      const ratio = Number(argument)
      if (ratio >= 0 && ratio <= 1) return { obeysParent, ratio }
      throw toProblem('OTEL_TRACES_SAMPLER_ARG', argument, 'a number from 0 to 1')
    }
    case 'always_on':
      return { obeysParent, ratio: 1 }
    default:
      throw toProblem(
        'OTEL_TRACES_SAMPLER',
        sampler,
        'always_on, always_off, traceidratio, or parentbased_ and one of them',
      )
  }
}

function toProblem(name: string, value: string, wanted: string): UsageError {
  return new UsageError('OTLP', `Cannot send traces: ${name} is "${value}": expected ${wanted}`)
}

/** Whether to keep a trace, by what its caller says of it, and by its id, alike in every program that it passes. */
export function isSampled(settings: TraceSettings, parent: TraceContext | undefined, traceId: string): boolean {
  if (parent !== undefined && settings.obeysParent) return parent.isSampled
  // OpenTelemetry, "TraceIdRatioBased": the id is random, in its last 56 bits at least, of which a number holds 52.
  return Number.parseInt(traceId.slice(-13), 16) < settings.ratio * 2 ** 52
}

/** The body of an export (`ExportTraceServiceRequest`). */
export function toExportJson(spans: readonly Span[], resource: Attributes): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: toAttributesJson(resource) },
        scopeSpans: [{ scope: { name: 'regatta' }, spans: spans.map(toSpanJson) }],
      },
    ],
  })
}

function toSpanJson({ context, parentId, name, kind, startAt, endAt, attributes, error }: Span): object {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: toNanos(startAt),
    endTimeUnixNano: toNanos(endAt),
    attributes: toAttributesJson(attributes),
    ...(error === undefined ? {} : { status: { code: STATUS_ERROR, message: error } }),
  }
}

function toAttributesJson(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toValueJson(value) }))
}

/** 64-bit integers are texts in protobuf's JSON. */
function toValueJson(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

function toNanos(epochMs: number): string {
  return String(BigInt(Math.round(epochMs * 1000)) * 1000n)
}
