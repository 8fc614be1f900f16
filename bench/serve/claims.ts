import { toMedian } from '../statistics.ts'
import { MODELS, type ModelName } from './models.ts'
import type { Case, MemoryResult, Results, Sample } from './results.ts'

/** What this project says of its server, and what a run says of that. */
export interface Verdict {
  readonly claim: string
  readonly target: string
  /** NaN where it was not measured. */
  readonly measured: number
  /** The same as a text. */
  readonly shown: string
  readonly isMet: boolean
}

interface Claim {
  readonly claim: string
  readonly atLeast?: number
  readonly atMost?: number
  /** @default '×', a ratio */
  readonly unit?: string
  readonly measure: (results: Results) => number
}

type Figure = 'cpuUs' | 'perSecond'
type Asked = readonly [contender: string, protocol: Case['protocol'], connections?: number]

const ours = (protocol: Case['protocol'], connections?: number): Asked =>
  connections === undefined ? ['regatta', protocol] : ['regatta', protocol, connections]
const RAW: Asked = ['limit-ort-node', 'call', 1]

/** Ratio of a figure between two cases: the median over the rounds that have both. */
const toRatio =
  (model: ModelName, figure: Figure, top: Asked, bottom: Asked) =>
  ({ samples }: Results): number => {
    const [above, below] = [top, bottom].map(asked => findSamples(samples, model, asked))
    const ratios = above?.flatMap(one => {
      const other = below?.find(sample => sample.round === one.round)
      return other === undefined ? [] : [one[figure] / other[figure]]
    })
    return toMedian(ratios ?? [])
  }

function findSamples(
  samples: readonly Sample[],
  model: ModelName,
  [contender, protocol, connections]: Asked,
): Sample[] {
  const wanted = connections ?? MODELS[model].connections
  return samples.filter(
    sample =>
      sample.model === model &&
      sample.contender === contender &&
      sample.protocol === protocol &&
      sample.connections === wanted,
  )
}

const PYTHON: readonly (readonly [name: string, asked: Asked])[] = [
  ['KServe', ['kserve', 'v2-json']],
  ['LitServe', ['litserve', 'json']],
  ["Triton's Python backend", ['pytriton', 'v2-json']],
  ['BentoML', ['bentoml', 'json']],
]
const GRPC = (['mlserver-workers-0', 'kserve'] as const).flatMap(contender =>
  (['tfs-grpc', 'v2-grpc'] as const).map(protocol => ({ contender, protocol })),
)

/** A shorter load says nothing of memory. */
const MEMORY_MINUTES = 10
const MB = 1e6
const CLAIMS: readonly Claim[] = [
  faster('mlp', 'MLServer, workers 0', ['mlserver-workers-0', 'v2-json'], 10),
  faster('mlp', 'MLServer, default', ['mlserver-default', 'v2-json'], 25),
  cheaper('mlp', 'V2 JSON', 'FastAPI + ONNX Runtime by hand', ours('v2-json'), ['fastapi', 'json'], 1 / 5),
  ...PYTHON.map(([name, asked]) => cheaper('mlp', 'V2 JSON', name, ours('v2-json'), asked, 1 / 12)),
  ...GRPC.map(({ contender, protocol }) =>
    cheaper('mlp', protocol, `${contender} v2-grpc`, ours(protocol), [contender, 'v2-grpc'], 1 / 6),
  ),
  faster('rnn', 'MLServer, workers 0', ['mlserver-workers-0', 'v2-json'], 4),
  faster('rnn', 'FastAPI', ['fastapi', 'json'], 3),
  faster('rnn', "Triton's Python backend", ['pytriton', 'v2-json'], 4),
  cheaper('rnn', 'V2 JSON, 64 connections', 'a raw call', ours('v2-json', 64), RAW, 1.2),
  batching('rnn', 1.4),
  batching('mlp', 1.5),
  cheaper('cnn', 'V2 binary', 'a raw call', ours('v2-binary'), RAW, 1.1),
  cheaper('cnn', 'V2 gRPC', 'a raw call', ours('v2-grpc'), RAW, 1.15),
  cheaper('cnn', 'TFS gRPC', 'a raw call', ours('tfs-grpc'), RAW, 1.15),
  cheaper('cnn', 'V2 JSON', 'a raw call', ours('v2-json'), RAW, 1.5),
  { claim: 'health p95 under a saturated cnn ÷ one raw call', atMost: 1, measure: toHealthOverBatch },
  { claim: 'health p95 under a saturated cnn ÷ inference inline', atMost: 1 / 10, measure: toHealthOverInline },
  {
    claim: 'mlp: p99 while another model is loaded ÷ without',
    atMost: 2,
    measure: ({ loading }) => toMedian(loading.map(({ loadingP99Ms, quietP99Ms }) => loadingP99Ms / quietP99Ms)),
  },
  start('MLServer, workers 0', 'mlserver-workers-0', 1 / 10),
  start('FastAPI', 'fastapi', 1 / 4),
  {
    claim: `mlp: memory over ${MEMORY_MINUTES} minutes of load`,
    atMost: 140,
    unit: ' MB',
    measure: ofMemory(toPeakMb),
  },
  {
    claim: `mlp: memory, last quarter of ${MEMORY_MINUTES} minutes ÷ second quarter`,
    atMost: 1.05,
    measure: ofMemory(toGrowth),
  },
]

/** Compares a run with the claims. One that was not measured is not met. */
export function toVerdicts(results: Results): readonly Verdict[] {
  return CLAIMS.map(({ claim, atLeast, atMost, unit = '×', measure }) => {
    const measured = measure(results)
    const isMet = measured >= (atLeast ?? Number.NEGATIVE_INFINITY) && measured <= (atMost ?? Number.POSITIVE_INFINITY)
    const target = atLeast === undefined ? `≤ ${toShown(atMost ?? 0, unit)}` : `≥ ${toShown(atLeast, unit)}`
    return { claim, target, measured, shown: toShown(measured, unit), isMet }
  })
}

/** A number with three digits that count and its unit; a ratio below 1 as a fraction. */
function toShown(number: number, unit: string): string {
  if (Number.isNaN(number)) return '-'
  const isFraction = unit === '×' && number > 0 && number < 1
  return isFraction ? `1/${toDigits(1 / number)}` : `${toDigits(number)}${unit}`
}

const toDigits = (number: number): string => String(Number(number.toPrecision(3)))

function faster(model: ModelName, than: string, other: Asked, atLeast: number): Claim {
  const measure = toRatio(model, 'perSecond', ours('v2-json'), other)
  return { claim: `${model}: V2 JSON throughput ÷ ${than}`, atLeast, measure }
}

function cheaper(model: ModelName, way: string, than: string, own: Asked, other: Asked, atMost: number): Claim {
  return { claim: `${model}: ${way} CPU per request ÷ ${than}`, atMost, measure: toRatio(model, 'cpuUs', own, other) }
}

function batching(model: ModelName, atLeast: number): Claim {
  const measure = toRatio(model, 'perSecond', ours('v2-json', 64), ['regatta-unbatched', 'v2-json', 64])
  return { claim: `${model}: throughput at 64 connections ÷ without batching`, atLeast, measure }
}

function start(than: string, contender: string, atMost: number): Claim {
  const measure = ({ starts }: Results): number => {
    const [own, other] = ['regatta', contender].map(name =>
      toMedian(starts.filter(start => start.model === 'mlp' && start.contender === name).map(({ cpuS }) => cpuS)),
    )
    return (own ?? Number.NaN) / (other ?? Number.NaN)
  }
  return { claim: `mlp: CPU from start to first answer ÷ ${than}`, atMost, measure }
}

function toHealthOverBatch(results: Results): number {
  const [contender, protocol] = RAW
  const raw = findSamples(results.samples, 'cnn', [contender, protocol, 1])
  return readHealth(results, 'regatta') / toMedian(raw.map(({ p50Ms }) => p50Ms))
}

function toHealthOverInline(results: Results): number {
  return readHealth(results, 'regatta') / readHealth(results, 'node-by-hand')
}

function readHealth({ health }: Results, contender: string): number {
  return toMedian(health.filter(result => result.contender === contender).map(({ p95Ms }) => p95Ms))
}

function ofMemory(toNumber: (memory: MemoryResult) => number): Claim['measure'] {
  return ({ memory }) => {
    const long = memory.filter(({ contender, minutes }) => contender === 'regatta' && minutes >= MEMORY_MINUTES)
    return toMedian(long.map(toNumber))
  }
}

function toPeakMb({ rssBytes }: MemoryResult): number {
  return Math.max(...rssBytes) / MB
}

/** The first quarter is left out: caches fill and code is compiled. */
function toGrowth({ rssBytes }: MemoryResult): number {
  const quarter = rssBytes.length / 4
  const toPart = (at: number): number =>
    toMedian(rssBytes.slice(Math.floor(at * quarter), Math.ceil((at + 1) * quarter)))
  return toPart(3) / toPart(1)
}
