/**
 * Bundles the command and the processes of a container into `dist/`, with the native files they need. The bytes
 * depend on the sources alone, not on the folder or the time.
 */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { build, type CodeSplittingGroup } from 'rolldown'
import { prebuildRuntime } from '../src/pack/index.ts'
import { builtins } from './builtins.ts'

/** Bundle below `dist/` → its source. */
export const ENTRIES = {
  'regatta.js': 'bin/regatta.ts',
  'runtime/server.js': 'src/serve/main.ts',
  'runtime/gateway.js': 'src/route/main.ts',
  'runtime/control.js': 'src/control/main.ts',
} as const satisfies Readonly<Record<string, string>>

/** What to build, from where and to where. */
export interface BuildOptions {
  /** Folder that sources are relative to, and below which packages are found. */
  readonly root: string
  readonly out: string
  /** Bundle → source. */
  readonly entries: Readonly<Record<string, string>>
  /** Build the entries whose source exists and leave out the others. @default false */
  readonly partial?: boolean
  /** Make the images' runtime layers of the bundles too, for a package that is installed elsewhere. @default false */
  readonly layers?: boolean
}

/** Loaded from the copy below `runtime/`, for a bundle cannot hold native code. Package → its file there. */
const EXTERNAL = { 'onnxruntime-node': 'node_modules/onnxruntime-node/dist/index.js' } as const

/**
 * What is loaded together is one file, since each more takes a millisecond: what every command starts with, and what
 * those need that work on images, with all that they import. Not the entry itself: others would wait for its end.
 */
const GROUPS = [
  { name: 'start', test: /\/src\//, tags: ['$initial'], priority: 2 },
  { name: 'images', test: /\/src\/cli\/(moving|packing|versions|workplace)\.node\.ts$/, priority: 1 },
] as const satisfies readonly CodeSplittingGroup[]

/** Builds into a folder beside `out`, then puts it in the place of `out`; returns the bundles that were left out. */
export async function buildAll(options: BuildOptions): Promise<readonly string[]> {
  const { entries, layers = false, out, partial = false, root } = options
  const missing = Object.values(entries).filter(source => !existsSync(join(root, source)))
  if (missing.length > 0 && !partial) {
    throw new Error(`Cannot build: ${missing.join(', ')} not found (REGATTA_BUILD_PARTIAL=1 builds the rest)`)
  }
  const part = `${out}.part`
  rmSync(part, { recursive: true, force: true })
  try {
    for (const [bundle, source] of Object.entries(entries)) {
      if (!missing.includes(source)) await bundleEntry(root, source, part, bundle)
    }
    copyRuntime(root, join(part, 'runtime'))
    if (layers) await prebuildRuntime(join(part, 'runtime'), join(part, 'prebuilt'), new AbortController().signal)
    replaceFolder(out, part)
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
  return missing
}

/**
 * One entry becomes one file, which starts fastest where all of it is needed, as by the processes of a container. The
 * command needs little of its own for each verb: what a verb loads late are files beside it.
 */
async function bundleEntry(root: string, source: string, folder: string, bundle: string): Promise<void> {
  const runtime = relative(dirname(bundle), 'runtime') || '.'
  const paths = Object.fromEntries(Object.entries(EXTERNAL).map(([name, path]) => [name, `./${join(runtime, path)}`]))
  const name = basename(bundle, '.js')
  const { output } = await build({
    cwd: root,
    input: source,
    platform: 'node',
    external: Object.keys(EXTERNAL),
    plugins: [builtins],
    logLevel: 'warn',
    output: {
      dir: join(folder, dirname(bundle)),
      entryFileNames: basename(bundle),
      chunkFileNames: `${name}-[name]-[hash].js`,
      codeSplitting: runtime !== '.' && { groups: [...GROUPS] },
      paths,
      format: 'esm',
      minify: true,
      // For the errors' classes, which show in logs.
      keepNames: true,
    },
  })
  // In one file a static import of a module that is loaded late would become one of the file, loaded always.
  const early = output.flatMap(chunk => ('imports' in chunk ? chunk.imports : []))
  const native = Object.keys(EXTERNAL).find(name => early.some(path => path.includes(name)))
  if (native !== undefined) throw new Error(`Cannot build ${source}: it must load ${native} with await import()`)
}

/**
 * The parts of ONNX Runtime's packages that run on CPUs under Linux, without sources, maps and GPU libraries. Images are
 * made for both processors from a machine of either.
 */
function copyRuntime(root: string, folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n')
  const copied = {
    'onnxruntime-node': [
      'package.json',
      'dist',
      ...['x64', 'arm64'].map(arch => join('bin', 'napi-v6', 'linux', arch)),
    ],
    'onnxruntime-common': ['package.json', join('dist', 'cjs')],
  }
  for (const [name, parts] of Object.entries(copied)) {
    for (const part of parts) {
      cpSync(join(root, 'node_modules', name, part), join(folder, 'node_modules', name, part), {
        recursive: true,
        filter: path => !/\.(map|d\.ts)$|libonnxruntime_providers_/.test(path),
      })
    }
  }
}

/** Another process may read the old folder until the new one is whole. */
function replaceFolder(folder: string, next: string): void {
  const old = join(dirname(folder), `.${basename(folder)}.old`)
  rmSync(old, { recursive: true, force: true })
  if (existsSync(folder)) renameSync(folder, old)
  renameSync(next, folder)
  rmSync(old, { recursive: true, force: true })
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..')
  const partial = process.env['REGATTA_BUILD_PARTIAL'] === '1'
  try {
    const layers = process.argv.includes('--layers')
    const missing = await buildAll({ root, out: join(root, 'dist'), entries: ENTRIES, partial, layers })
    if (missing.length > 0) console.error(`build: left out ${missing.join(', ')}: not found`)
  } catch (error) {
    console.error(error instanceof Error ? `build: ${error.message}` : error)
    process.exitCode = 1
  }
}
