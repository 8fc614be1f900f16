import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeEnvironment } from '../../examples/forecast/testing/python.ts'
import type { Asked } from './client.ts'
import { CONFORMANCE, ROOT } from './parts.ts'

const LIMIT_MS = 240_000

/** Operations that never end by themselves, and the one that takes the deployment away. */
const LEFT_OUT = ['events', 'routes', 'logs', 'delete']

/**
 * Every answer is looked at, but for whether what the description allows is taken: which digests and variants there are
 * is the deployment's business, and it refuses others.
 */
const LEFT_OUT_CHECK = 'positive_data_acceptance'

/** Asks control what its own description promises, with schemathesis; one check for each operation. */
export async function checkApi(controlUrl: string, tokenFile: string): Promise<Asked> {
  console.log('=== schemathesis → control')
  const python = makeEnvironment(join(ROOT, '.venv', 'schemathesis'), join(CONFORMANCE, 'requirements-api.txt'))
  // What it remembers of one run would change the next.
  const folder = mkdtempSync(join(tmpdir(), 'regatta-schemathesis-'))
  const child = spawn(
    python,
    [
      ...['-m', 'schemathesis.cli', 'run', `${controlUrl}/api/v1/openapi.json`],
      ...['--header', `Authorization: Bearer ${readFileSync(tokenFile, 'utf8').trim()}`],
      ...LEFT_OUT.flatMap(operation => ['--exclude-operation-id', operation]),
      ...['--exclude-checks', LEFT_OUT_CHECK, '--phases', 'coverage,fuzzing', '--max-examples', '30', '--seed', '1'],
      ...['--request-timeout', '20', '--continue-on-failure', '--no-color', '--warnings', 'off'],
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT_MS },
  )
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  rmSync(folder, { recursive: true, force: true })
  const tested = Number(/^ {2}Tested: (\d+)$/m.exec(text)?.[1] ?? 0)
  if (code === 0 && tested > 0) {
    console.log(`✔ ${tested} operations: ${/^ {2}\d+ generated.*$/m.exec(text)?.[0]?.trim()}`)
    return { passed: tested, failed: 0 }
  }
  console.log(text)
  return { passed: 0, failed: 1 }
}
