import type { JsonObject } from '../../core/json.ts'
import { parseMemoryLog } from '../../core/wire/memory-log.ts'
import { type Finding, toResourceKey } from './finding.ts'
import { at, type KubeObject, listAt, numberAt, textAt } from './object.ts'

const MAX_LINES = 5

/**
 * Says why a container ended; undefined where it is ready, or never did. The kubelet keeps the end of the log of one that
 * failed (`terminationMessagePolicy`).
 */
export function diagnoseEnd(pod: KubeObject, container: JsonObject): Finding | undefined {
  if (container['ready'] === true) return undefined
  const end = at(container, 'state', 'terminated') ?? at(container, 'lastState', 'terminated')
  if (end === undefined || numberAt(container, 'restartCount') + numberAt(end, 'exitCode') === 0) return undefined
  const log = (textAt(end, 'message') ?? '').trimEnd().split('\n').filter(Boolean)
  if (textAt(end, 'reason') === 'OOMKilled') return toMemoryFinding(pod, container, log)
  const lines = log.slice(-MAX_LINES)
  if (lines.some(line => /exec format error/i.test(line)))
    return toPlatformFinding(`its program is not for the processor of the node: ${lines.join(' | ')}`)
  const how =
    numberAt(end, 'signal') > 0 ? `signal ${numberAt(end, 'signal')}` : `exit code ${numberAt(end, 'exitCode')}`
  const words = lines.length === 0 ? 'it printed nothing' : `its last words: ${lines.join(' | ')}`
  const { name } = pod.metadata
  return {
    code: 'CRASH_LOOP',
    evidence: `it ended with ${how} (${numberAt(container, 'restartCount')} restarts); ${words}`,
    fix: `Its whole log: regatta logs ${name}, and before its last start: kubectl logs ${name} --previous`,
  }
}

/** An image that the node cannot run. */
export function toPlatformFinding(evidence: string): Finding {
  const fix =
    'Set image.platforms to what "kubectl get nodes --label-columns kubernetes.io/arch" shows, then: regatta pack, ' +
    'regatta push, regatta deploy; or targets.kubernetes.nodeSelector to kubernetes.io/arch of the image'
  return { code: 'IMAGE_PLATFORM', evidence, fix }
}

/** A container that is killed holds all of its limit just then; how it came there is what it told before. */
function toMemoryFinding(pod: KubeObject, container: JsonObject, log: readonly string[]): Finding {
  const name = textAt(container, 'name') ?? ''
  const spec = listAt(pod, 'spec', 'containers').find(one => one['name'] === name)
  const limit = textAt(spec, 'resources', 'limits', 'memory') ?? 'none'
  const { heldBytes, modelBytes } = parseMemoryLog(log)
  const evidence = [
    `it reached its limit of ${limit} and was killed (${numberAt(container, 'restartCount')} restarts)`,
    heldBytes === undefined ? 'it told nothing of its memory before' : `its peak before was ${toSize(heldBytes)}`,
    ...(modelBytes === undefined ? [] : [`the files of its model are ${toSize(modelBytes)}`]),
  ]
  const doubled = limit.replace(/^[\d.]+/, number => String(Number(number) * 2))
  const fix = `Set ${toResourceKey(name, 'limits.memory')} to ${doubled} or more, then: regatta deploy`
  return { code: 'OOM', evidence: evidence.join('; '), fix }
}

function toSize(bytes: number): string {
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`
}
