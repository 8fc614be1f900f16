import { toMedian } from '../statistics.ts'
import { toAligned } from '../table.ts'
import type { Verdict } from './claims.ts'
import { type Case, isSameCase, type Results, type Sample } from './results.ts'

/** A case over all rounds: medians. */
export interface Line extends Case {
  readonly rounds: number
  readonly cpuUs: number
  /** CPU time per request as a multiple of regatta's, in the same protocol or else in V2 JSON: median of the rounds. */
  readonly cpuRatio: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly rssBytes: number
  readonly errors: number
}

/** Sums the rounds up, in the order in which the cases were measured first. */
export function toLines({ samples }: Results): readonly Line[] {
  const cases = samples.filter((one, at) => samples.findIndex(other => isSameCase(one, other)) === at)
  return cases.map(one => {
    const own = samples.filter(sample => isSameCase(sample, one))
    const of = (figure: 'cpuUs' | 'perSecond' | 'p50Ms' | 'p99Ms'): number =>
      toMedian(own.map(sample => sample[figure]))
    const { model, contender, protocol, connections } = one
    return {
      ...{ model, contender, protocol, connections, rounds: own.length },
      ...{ cpuUs: of('cpuUs'), perSecond: of('perSecond'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') },
      cpuRatio: toMedian(own.map(sample => sample.cpuUs / findBase(samples, sample))),
      rssBytes: toMedian(own.flatMap(({ rssBytes }) => rssBytes ?? [])),
      errors: own.reduce((sum, sample) => sum + sample.errors, 0),
    }
  })
}

/** What a request cost regatta in the same round. */
function findBase(samples: readonly Sample[], { model, protocol, connections, round }: Sample): number {
  const own = samples.filter(one => one.contender === 'regatta' && one.model === model && one.round === round)
  const wanted = [protocol, 'v2-json'].map(name =>
    own.find(one => one.protocol === name && one.connections === connections),
  )
  const loosely = own.find(one => one.protocol === 'v2-json')
  return (wanted.find(one => one !== undefined) ?? loosely)?.cpuUs ?? Number.NaN
}

/** The tables of a terminal: cases, starts, probes under load, memory, what was left out, and claims. */
export function toReport(results: Results, verdicts: readonly Verdict[]): string {
  const parts = [
    ['Requests', toCaseTable(toLines(results))],
    ['Start to first answer', toStartTable(results)],
    ['Probe of life under load', toHealthTable(results)],
    ['Memory over a load', toMemoryTable(results)],
    ['Another model is loaded', toLoadingTable(results)],
    ['Left out', toProblemTable(results)],
    ['Claims', toClaimTable(verdicts)],
  ] as const
  return parts.flatMap(([title, table]) => (table === undefined ? [] : [`${title}\n\n${table}`])).join('\n\n')
}

function toCaseTable(lines: readonly Line[]): string {
  const head = [
    'model',
    'server',
    'protocol',
    'conns',
    'CPU us/req',
    '÷ regatta',
    'req/s',
    'p50 ms',
    'p99 ms',
    'RSS MB',
    'errors',
  ]
  const rows = lines.map(line => [
    ...[line.model, line.contender, line.protocol, String(line.connections)],
    ...[line.cpuUs.toFixed(line.cpuUs < 100 ? 1 : 0), line.cpuRatio.toFixed(2), line.perSecond.toFixed(0)],
    ...[line.p50Ms.toFixed(2), line.p99Ms.toFixed(2), toMb(line.rssBytes), String(line.errors)],
  ])
  return toAligned(head, rows)
}

function toStartTable({ starts }: Results): string | undefined {
  const rows = starts.map(({ model, contender, cpuS, wallS, rssBytes }) => [
    ...[model, contender, cpuS.toFixed(2), wallS.toFixed(2), toMb(rssBytes)],
  ])
  return rows.length === 0 ? undefined : toAligned(['model', 'server', 'CPU s', 'wall s', 'RSS MB'], rows)
}

function toHealthTable({ health }: Results): string | undefined {
  const rows = health.map(({ model, contender, probes, p50Ms, p95Ms }) => [
    ...[model, contender, String(probes), p50Ms.toFixed(1), p95Ms.toFixed(1)],
  ])
  return rows.length === 0 ? undefined : toAligned(['model', 'server', 'probes', 'p50 ms', 'p95 ms'], rows)
}

function toLoadingTable({ loading }: Results): string | undefined {
  const rows = loading.map(({ quietP99Ms, loadingP99Ms, loadMs }) => [
    ...[quietP99Ms.toFixed(2), loadingP99Ms.toFixed(2), String(loadMs.length), toMedian(loadMs).toFixed(0)],
  ])
  const head = ['p99 ms', 'meanwhile', 'loads', 'ms each']
  return rows.length === 0 ? undefined : toAligned(head, rows)
}

function toMemoryTable({ memory }: Results): string | undefined {
  const rows = memory.map(({ contender, minutes, rssBytes }) => [
    ...[contender, String(minutes), toMb(rssBytes[0]), toMb(toMedian(rssBytes)), toMb(Math.max(...rssBytes))],
    toMb(rssBytes.at(-1)),
  ])
  const head = ['server', 'minutes', 'first MB', 'median MB', 'peak MB', 'last MB']
  return rows.length === 0 ? undefined : toAligned(head, rows)
}

function toProblemTable({ problems }: Results): string | undefined {
  const rows = problems.map(({ contender, model = '', protocol = '', reason }) => [
    ...[contender, model, protocol, toOneLine(reason)],
  ])
  return rows.length === 0 ? undefined : toAligned(['server', 'model', 'protocol', 'reason'], rows)
}

/** The first line, and the last, where programs say what was wrong. */
function toOneLine(reason: string): string {
  const lines = reason.split('\n').filter(line => line.trim() !== '')
  return lines.length < 2 ? reason : `${lines[0]}: ${lines.at(-1)?.trim()}`
}

function toClaimTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ claim, target, measured, shown, isMet }) => {
    const met = Number.isNaN(measured) ? 'not measured' : isMet ? 'yes' : 'NO'
    return [claim, target, shown, met]
  })
  return toAligned(['claim', 'target', 'measured', 'met'], rows)
}

const toMb = (bytes: number | undefined): string =>
  bytes === undefined || Number.isNaN(bytes) ? '-' : (bytes / 1e6).toFixed(0)
