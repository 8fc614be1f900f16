/** Why a process is failing: a stable code, and a sentence for people. */
export interface Failure {
  readonly code: string
  readonly reason: string
}

/** How a process ended that nobody had asked to end. */
export function toExitFailure(exit: {
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly problem: Error | undefined
}): Failure {
  if (exit.problem !== undefined) return { code: 'SPAWN', reason: `could not be started: ${exit.problem.message}` }
  if (exit.signal === undefined) return { code: 'EXITED', reason: `exited with code ${exit.code}` }
  if (exit.signal !== 'SIGKILL') return { code: 'CRASHED', reason: `was killed by ${exit.signal}` }
  return { code: 'KILLED', reason: 'was killed by SIGKILL (by hand, or the system ran out of memory)' }
}

const MAX_LINE = 300

/**
 * A failure's sentence with the process's name before it and the last words of its log behind it; a process that was
 * killed from outside had no time for last words.
 */
export function toReason(name: string, failure: Failure, lastLines: readonly string[]): string {
  const sentence = `${name} ${failure.reason}`
  if (failure.code === 'KILLED') return sentence
  const lines = lastLines.filter(line => line.trim() !== '').map(line => line.slice(0, MAX_LINE))
  return lines.length === 0 ? `${sentence}; it wrote no log` : `${sentence}; its log ends with:\n${lines.join('\n')}`
}
