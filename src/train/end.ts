import type { CommandResult } from './command.node.ts'
import type { RunProblem } from './record.ts'

/** Why a run is not `done`. */
export interface Problem {
  readonly code: RunProblem
  readonly reason: string
}

/** What a shell's own exit codes mean. Source: POSIX.1-2024, section 2.8.2, "Exit Status for Commands". */
const SHELL_CODES: Readonly<Record<number, string>> = {
  126: ': the shell found it but may not execute it',
  127: ': the shell did not find a command of it',
}

/** Why a command's output is not even looked at; undefined where it ended well. */
export function toEndProblem(result: CommandResult): Problem | undefined {
  if ('notStarted' in result) {
    return { code: 'RUN_COMMAND', reason: `the command did not start: ${result.notStarted}` }
  }
  const { exitCode, signal, stopped } = result
  if (stopped) return { code: 'RUN_STOPPED', reason: 'it was stopped before it ended' }
  if (signal !== null) {
    const hint = signal === 'SIGKILL' ? ': often the system does so when memory runs out' : ''
    return { code: 'RUN_COMMAND', reason: `the command was ended by ${signal}${hint}` }
  }
  if (exitCode === 0) return undefined
  const hint = exitCode === null ? '' : (SHELL_CODES[exitCode] ?? '')
  return { code: 'RUN_COMMAND', reason: `the command ended with exit code ${exitCode}${hint}` }
}
