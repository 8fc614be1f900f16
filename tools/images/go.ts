import { chmodSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { aptInstall } from './apt.ts'
import { type Attempt, attempt } from './attempt.ts'

/** What the programs in Go need at least, and the toolchain that is fetched where there is none. */
const WANTED = { major: 1, minor: 26 } as const
const TOOLCHAIN = 'golang.org/toolchain@v0.0.1-go1.26.8'

let found: Attempt | undefined

/**
 * Finds a Go that is new enough: the one of this machine, else the toolchain from the module proxy, fetched by an
 * older Go, which Debian has. Looks once; the answer is the path of `go`, or why there is none.
 */
export function findGo(): Attempt {
  found ??= isNewEnough('go') ? { done: 'go' } : fetchToolchain()
  return found
}

function isNewEnough(go: string): boolean {
  const answer = attempt(go, ['env', 'GOVERSION'])
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec('done' in answer ? answer.done : '') ?? []
  return Number(major) === WANTED.major && Number(minor) >= WANTED.minor
}

function fetchToolchain(): Attempt {
  if ('problem' in attempt('go', ['version'])) {
    const installed = aptInstall(['golang-go'])
    if ('problem' in installed) return installed
  }
  const machine = process.arch === 'x64' ? 'amd64' : process.arch
  const answer = attempt('go', ['mod', 'download', '-json', `${TOOLCHAIN}.linux-${machine}`], { GOTOOLCHAIN: 'local' })
  if ('problem' in answer) return answer
  const folder = /"Dir": "(.+)"/.exec(answer.done)?.[1]
  if (folder === undefined) return { problem: `go mod download told no folder: ${answer.done}` }
  // A module's files are never executable.
  for (const part of ['bin', join('pkg', 'tool', `linux_${machine}`)]) {
    for (const name of readdirSync(join(folder, part))) chmodSync(join(folder, part, name), 0o755)
  }
  return { done: join(folder, 'bin', 'go') }
}
