import type { Footprint, Usage } from './footprint.ts'
import type { Rollouts } from './rollout.ts'
import type { Switches } from './switching.ts'

/** All that was measured, as it is written down. */
export interface Results extends Rollouts, Switches {
  readonly schema: 'regatta/bench-deploy/v1'
  readonly releaseMs: number
  /** Undefined without a metrics server. */
  readonly footprint: Footprint | undefined
}

const MAX_RATIO = 1.1
const MAX_SWITCH_MS = 1000

/** The table: what was measured, what was wanted, and whether it is met. */
export function toRows(results: Results): readonly (readonly string[])[] {
  const { deployMs, kubectlMs, footprint } = results
  const ratio = toRatio(results)
  return [
    ['regatta deploy, to the first right answer of 3 replicas', toTimes(deployMs), '', ''],
    ['kubectl apply and rollout status, the same', toTimes(kubectlMs), '', ''],
    ['ratio of the medians', ratio.toFixed(2), `≤ ${MAX_RATIO}`, toMark(ratio <= MAX_RATIO)],
    toSwitchRow('promotion, from the request to the new champion', results.promoteMs),
    toSwitchRow('rollback, the same', results.rollbackMs),
    ['regatta promote, from its start', toTimes(results.promoteCommandMs), '', ''],
    ['regatta rollback, from its start', toTimes(results.rollbackCommandMs), '', ''],
    ['pack, push and deploy of a trained model, to its first answer', toTimes([results.releaseMs]), '', ''],
    ...(footprint === undefined ? [] : toUsageRows(footprint)),
  ]
}

/** How many times as long as kubectl regatta takes: the ratio of the medians. */
export function toRatio({ deployMs, kubectlMs }: Rollouts): number {
  return toMedian(deployMs) / toMedian(kubectlMs)
}

/** The middle of some numbers. */
export function toMedian(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 1 ? half : half - 1], sorted[half]]
  return (low + high) / 2
}

function toSwitchRow(name: string, times: readonly number[]): readonly string[] {
  return [name, toTimes(times), `< ${MAX_SWITCH_MS} ms`, toMark(Math.max(...times) < MAX_SWITCH_MS)]
}

function toTimes(times: readonly number[]): string {
  const [median, least, most] = [toMedian(times), Math.min(...times), Math.max(...times)].map(Math.round)
  return times.length === 1 ? `${median} ms` : `${median} ms (${least}–${most})`
}

function toMark(isMet: boolean): string {
  return isMet ? 'met' : 'missed'
}

function toUsageRows({ idle, loaded, rate }: Footprint): readonly (readonly string[])[] {
  const at = `at ${Math.round(rate)} requests/s`
  return [
    [`gateway, ${idle.gateway.pods} pods, idle`, toUse(idle.gateway), '', ''],
    [`gateway, ${at}`, toUse(loaded.gateway), '', ''],
    [`control, ${idle.control.pods} pod, idle`, toUse(idle.control), '', ''],
    [`control, ${at}`, toUse(loaded.control), '', ''],
  ]
}

function toUse({ cpuCores, memoryMiB }: Usage): string {
  return `${Math.round(cpuCores * 1000)}m CPU, ${Math.round(memoryMiB)} MiB`
}
