import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What one command cost. Seconds; CPU is user and system time of the client, not of a daemon behind it. */
export interface Cost {
  readonly wallS: number
  readonly cpuS: number
  /** Of its largest process. */
  readonly peakBytes: number
}

/** A command that failed or took too long. */
export class BenchError extends Error {}

/** Runs a shell script under GNU time, at most `limitS` seconds. */
export async function measure(time: string, script: string, folder: string, limitS: number): Promise<Cost> {
  const told = `${folder}/time.txt`
  const startedAt = performance.now()
  const child = spawn(time, ['-q', '-o', told, '-f', '%U %S %M', 'sh', '-ec', script], {
    cwd: folder,
    // A group of its own, which is ended as a whole.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4096)
  })
  const timer = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, limitS * 1000)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  clearTimeout(timer)
  const wallS = (performance.now() - startedAt) / 1000
  if (code !== 0) throw new BenchError(`ended with ${code ?? `a signal after ${limitS} s`}: ${errors.slice(-1000)}`)
  const [user = 0, system = 0, kibibytes = 0] = readFileSync(told, 'utf8').trim().split(' ').map(Number)
  return { wallS, cpuS: user + system, peakBytes: kibibytes * 1024 }
}
