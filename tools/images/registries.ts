import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toPath } from './parts.ts'
import { type Program, startProgram } from './program.ts'

/** A registry on the loopback address. */
export interface Registry extends Program {
  /** `127.0.0.1:PORT`. */
  readonly host: string
}

/** The one user of a registry with passwords. */
export const USER = { name: 'rower', password: 'oar and blade' } as const
/** The line of `htpasswd -nbB` for that user. */
const HTPASSWD = 'rower:$2y$05$NgqtoNxXim3Ei.qkYx2LFuCWZOerfEb/c1P3cPUkbGdObnveIf6QS\n'

/** Debian's docker-registry, which keeps its files in a folder; with passwords, only its user may pull and push. */
export async function startDockerRegistry(
  folder: string,
  { passwords = false, program = toPath('docker-registry') } = {},
): Promise<Registry> {
  mkdirSync(folder, { recursive: true })
  const [config, users] = [join(folder, 'config.json'), join(folder, 'htpasswd')]
  writeFileSync(users, HTPASSWD)
  // It reads YAML, of which JSON is a part.
  writeFileSync(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'info' },
      storage: { filesystem: { rootdirectory: join(folder, 'data') } },
      http: { addr: '127.0.0.1:0' },
      ...(passwords && { auth: { htpasswd: { realm: 'boathouse', path: users } } }),
    }),
  )
  const started = await startProgram(program, ['serve', config], /listening on (127\.0\.0\.1:\d+)/)
  return { ...started, host: started.ready[1] ?? '' }
}

/** The registry with the referrers API, of go-containerregistry. */
export async function startReferrersRegistry(folder: string): Promise<Registry> {
  mkdirSync(folder, { recursive: true })
  const program = await startProgram(toPath('registry'), [folder], /listening on (127\.0\.0\.1:\d+)/)
  return { ...program, host: program.ready[1] ?? '' }
}
