import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { PROGRAM } from '../../src/cli/testing/program.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** A training command that takes no time. */
export const TRAIN_LINEAR = `node ${join(import.meta.dirname, 'train-linear.ts')}`

/** What a command line printed and how it ended. */
export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** How a command line is run. */
export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Sends Ctrl-C. */
  readonly signal?: AbortSignal
  /** Sends Ctrl-C once stdout looks like this. */
  readonly interruptAt?: RegExp
  /** Kills it once stderr looks like this. */
  readonly killAt?: RegExp
}

/** A project in a temporary folder, with a training command that takes no time. */
export interface Place extends AsyncDisposable {
  readonly folder: string
  /** Runs `regatta …` in the folder to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Finished>
  /** The same with `--json`: the document on stdout, of the type that the caller knows; throws at another exit code. */
  json<document>(args: readonly string[], wantedCode?: number): Promise<document>
  /** Processes of this machine whose command line or working folder names the folder. */
  listProcesses(): readonly string[]
}

/** A regatta.yaml for the linear model; `train` is the training command, `lines` are more of its keys. */
export function toProjectYaml({
  train = TRAIN_LINEAR,
  race = '',
  serve = 'replicas: 2',
  targets = '',
  lines = '',
}: {
  train?: string
  race?: string
  serve?: string
  targets?: string
  lines?: string
} = {}): string {
  return `name: linear
train:
  run: ${train}
  params: { weight: 1 }
${lines}
serve: { ${serve} }
race:
  prediction: '[0]'
${race}
targets:
  local: { httpPort: 0, grpcPort: 0, controlPort: 0 }
${targets}
`
}

/** Blobs of the layers that every project's images share, kept from one test to the next: making them takes seconds. */
const SHARED_LAYERS = join(ROOT, 'node_modules', '.cache', 'regatta')

/** How a place is made. */
export interface PlaceOptions {
  /** Without the layers that another test has made. @default false */
  readonly fresh?: boolean
  /** What is run as `regatta`. @default PROGRAM */
  readonly program?: string
  /** Environment of every run. */
  readonly env?: NodeJS.ProcessEnv
  /** Time that a run may take. @default two minutes */
  readonly limitMs?: number
}

/** Makes a project folder with the given regatta.yaml; disposing stops what runs there and removes it. */
export function makePlace(yaml: string = toProjectYaml(), options: PlaceOptions = {}): Place {
  const { fresh = false, ...how } = options
  // Resolved, since command lines of processes show resolved paths.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'regatta-e2e-')))
  if (yaml !== '') writeFileSync(join(folder, 'regatta.yaml'), yaml)
  const state = join(folder, '.regatta')
  if (yaml !== '' && !fresh && existsSync(SHARED_LAYERS)) cpSync(SHARED_LAYERS, state, { recursive: true })
  const run: Place['run'] = (args, options = {}) =>
    runRegatta(folder, args, { ...how, ...options, env: { ...how.env, ...options.env } })
  return {
    folder,
    run,
    async json<document>(args: readonly string[], wantedCode = 0) {
      const { code, err, out } = await run([...args, '--json'])
      if (code !== wantedCode) throw new Error(`regatta ${args.join(' ')} ended with ${code}: ${err}${out}`)
      return JSON.parse(out) as document
    },
    listProcesses: () => listProcesses(folder),
    async [Symbol.asyncDispose]() {
      if (yaml !== '') await run(['down'])
      if (!existsSync(SHARED_LAYERS) && existsSync(join(state, 'cache', 'layers'))) keepLayers(state)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function keepLayers(state: string): void {
  mkdirSync(dirname(SHARED_LAYERS), { recursive: true })
  const whole = mkdtempSync(`${SHARED_LAYERS}-`)
  for (const path of ['cache', 'oci/blobs']) cpSync(join(state, path), join(whole, path), { recursive: true })
  try {
    renameSync(whole, SHARED_LAYERS)
  } catch {
    // Another test, which ran at the same time, has kept them.
    rmSync(whole, { recursive: true })
  }
}

async function runRegatta(
  folder: string,
  args: readonly string[],
  { env, interruptAt, killAt, limitMs = 120_000, program = PROGRAM, signal }: RunOptions & PlaceOptions,
): Promise<Finished> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
  })
  signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    texts.out += chunk.toString()
    if (interruptAt?.test(texts.out) === true) child.kill('SIGINT')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString()
    if (killAt?.test(texts.err) === true) child.kill('SIGKILL')
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { code, ...texts }
}

function listProcesses(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return command.includes(folder) ? [`${pid}: ${command}`] : []
      } catch {
        return []
      }
    })
}
