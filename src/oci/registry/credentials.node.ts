import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import { readFileIfAny } from '../../core/files.node.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { toCredentialKeys } from './endpoint.ts'

/** What is known to a registry of whoever asks. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly kind: 'identity'; readonly token: string }
  /** A bearer token that is sent as it is. */
  | { readonly kind: 'registry'; readonly token: string }

type Environment = Readonly<Record<string, string | undefined>>

const HELPER_TIMEOUT_MS = 30_000
const MAX_HELPER_BYTES = 64 * 1024
/** User name by which a helper says that its secret is a refresh token. */
const TOKEN_USER = '<token>'

/**
 * Looks for credentials where `docker login` and `skopeo login` leave them: Docker's `config.json` (a helper of this
 * registry, the helper of all, then the file itself), then `containers/auth.json`. They are only read.
 * Source: docs.docker.com "docker login"; man containers-auth.json(5).
 *
 * @throws CREDENTIALS for a file or a helper that cannot be used; never with what they hold
 */
export async function readCredentials(
  registry: string,
  repository: string,
  env: Environment,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const keys = toCredentialKeys(registry)
  for (const path of toPaths(env)) {
    const config = await readConfig(path)
    if (config === undefined) continue
    const helper = toHelper(config, keys)
    const helped = helper === undefined ? undefined : await askHelper(helper.name, helper.key, env, signal)
    const found = helped ?? findEntry(config['auths'], [...toNamespaces(registry, repository), ...keys], path)
    if (found !== undefined) return found
  }
  return undefined
}

/** Where credentials are looked for, best first. */
function toPaths(env: Environment): readonly string[] {
  const docker = env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker')
  const runtime = env['XDG_RUNTIME_DIR']
  return [
    join(docker, 'config.json'),
    runtime ? join(runtime, 'containers', 'auth.json') : `/run/containers/${userInfo().uid}/auth.json`,
  ]
}

/** `host/team/model`, `host/team`: containers-auth.json may name a part of a registry. */
function toNamespaces(registry: string, repository: string): readonly string[] {
  const parts = repository.split('/')
  return parts.map((_, index) => [registry, ...parts.slice(0, parts.length - index)].join('/'))
}

async function readConfig(path: string): Promise<JsonObject | undefined> {
  let value: unknown
  try {
    const text = await readFileIfAny(path)
    if (text === undefined) return undefined
    value = JSON.parse(text)
  } catch (error) {
    // JSON's own message quotes the text, which may be a secret.
    throw unusable(path, error instanceof SyntaxError ? 'it is not JSON' : toErrorText(error))
  }
  if (isObject(value)) return value
  throw unusable(path, 'expected a JSON object')
}

function toHelper(config: JsonObject, keys: readonly string[]): { name: string; key: string } | undefined {
  const byRegistry = isObject(config['credHelpers']) ? config['credHelpers'] : {}
  const key = keys.find(key => byRegistry[key] !== undefined)
  const name = key === undefined ? config['credsStore'] : byRegistry[key]
  const first = key ?? keys[0]
  return typeof name !== 'string' || name === '' || first === undefined ? undefined : { name, key: first }
}

function findEntry(auths: unknown, keys: readonly string[], path: string): Credentials | undefined {
  if (!isObject(auths)) return undefined
  for (const key of keys) {
    const entry = auths[key]
    if (!isObject(entry)) continue
    const found = toCredentials(entry, key, path)
    if (found !== undefined) return found
  }
  return undefined
}

function toCredentials(entry: JsonObject, key: string, path: string): Credentials | undefined {
  const text = (name: string): string => (typeof entry[name] === 'string' ? entry[name] : '')
  if (text('identitytoken') !== '') return { kind: 'identity', token: text('identitytoken') }
  if (text('registrytoken') !== '') return { kind: 'registry', token: text('registrytoken') }
  if (text('username') !== '') return toLogin(text('username'), text('password'))
  if (text('auth') === '') return undefined
  const login = Buffer.from(text('auth'), 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = login.indexOf(':')
  if (colon < 1) throw unusable(path, `"auth" of "${key}" is not the base64 of USER:PASSWORD`)
  return toLogin(login.slice(0, colon), login.slice(colon + 1))
}

function toLogin(username: string, password: string): Credentials {
  return username === TOKEN_USER ? { kind: 'identity', token: password } : { kind: 'password', username, password }
}

/** Runs `docker-credential-NAME get`. Source: github.com/docker/docker-credential-helpers, "Development". */
async function askHelper(
  name: string,
  key: string,
  env: Environment,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw unusable(program, 'its name has other than letters, digits, ., _ and -')
  const { code, output } = await runHelper(program, key, env, signal)
  if (code !== 0) {
    // The helpers' common words for "no entry"; anything else they print may be a secret, and is not shown.
    if (/credentials not found/i.test(output)) return undefined
    throw unusable(program, `it ended with exit code ${code}`)
  }
  let value: unknown
  try {
    value = JSON.parse(output)
  } catch {
    throw unusable(program, 'its output is not JSON')
  }
  if (!isObject(value) || typeof value['Username'] !== 'string' || typeof value['Secret'] !== 'string') {
    throw unusable(program, 'its output has no "Username" and "Secret"')
  }
  return value['Secret'] === '' ? undefined : toLogin(value['Username'], value['Secret'])
}

async function runHelper(
  program: string,
  input: string,
  env: Environment,
  signal: AbortSignal,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(HELPER_TIMEOUT_MS)])
  // Loaded late: most registries need no helper.
  const { spawn } = await import('node:child_process')
  const child = spawn(program, ['get'], { env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'], signal: limit })
  const chunks: Buffer[] = []
  // A helper may end without reading; its exit code tells enough.
  child.stdin.on('error', () => undefined)
  child.stdin.end(`${input}\n`)
  return await new Promise((resolve, reject) => {
    let length = 0
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= MAX_HELPER_BYTES) return
      child.kill()
      // What it started may go on printing: it ends by the closed pipe.
      child.stdout.destroy()
      reject(unusable(program, `it printed more than ${MAX_HELPER_BYTES} bytes`))
    })
    child.once('error', error => {
      if (signal.aborted) reject(signal.reason)
      else if (limit.aborted) reject(unusable(program, `it did not end within ${HELPER_TIMEOUT_MS / 1000} s`))
      else reject(unusable(program, toErrorText(error)))
    })
    child.once('close', code => resolve({ code, output: Buffer.concat(chunks).toString('utf8') }))
  })
}

function unusable(where: string, why: string): RegattaError {
  return new RegattaError('CREDENTIALS', `Cannot use the credentials of "${where}": ${why}`, {
    fix: 'Log in again with docker login or skopeo login, or mend it by hand',
  })
}
