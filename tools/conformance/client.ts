import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { type ClientName, CONFORMANCE, type Parts } from './parts.ts'
import type { Place } from './places.ts'

/** How many checks of a client passed. */
export interface Asked {
  readonly passed: number
  readonly failed: number
}

const LIMIT_MS = 180_000

/** Runs one client's checks against a place; one that prints no closing line counts as a failure. */
export async function runClient(parts: Parts, place: Place, client: ClientName): Promise<Asked> {
  console.log(`=== ${client} → ${place.name}`)
  const { grpc, http, models, only } = place
  const child = spawn(
    parts.python,
    [
      join(CONFORMANCE, 'clients', `${client}.py`),
      ...['--http', http, '--grpc', grpc, '--models', models],
      ...(only === undefined ? [] : ['--only', only]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT_MS, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } },
  )
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    process.stdout.write(chunk)
  })
  await new Promise(resolve => child.once('close', resolve))
  const closing = /^(\d+) passed, (\d+) failed$/m.exec(text)
  if (closing !== null) return { passed: Number(closing[1]), failed: Number(closing[2]) }
  console.log(`✖ ${client} ended without its closing line`)
  return { passed: 0, failed: 1 }
}
