import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { aptInstall } from './apt.ts'
import { type Attempt, attempt } from './attempt.ts'
import { findGo } from './go.ts'

/** Programs that images are tried with: a package of Debian, a folder of Go here, or a package of Go. */
const COMPONENTS = {
  'docker-registry': { apt: 'docker-registry' },
  skopeo: { apt: 'skopeo' },
  umoci: { apt: 'umoci' },
  containerd: { apt: 'containerd' },
  ctr: { apt: 'containerd' },
  runc: { apt: 'runc' },
  buildah: { apt: 'buildah' },
  validator: { folder: 'validator' },
  registry: { folder: 'registry' },
  crane: { go: 'github.com/google/go-containerregistry/cmd/crane@v0.22.1' },
} as const satisfies Readonly<Record<string, { apt: string } | { folder: string } | { go: string }>>

export type ComponentName = keyof typeof COMPONENTS

/** A component's program, or why there is none. */
export type Component = { readonly path: string } | { readonly problem: string }
export type Components<name extends ComponentName = ComponentName> = Readonly<Record<name, Component>>

/** Where what is built here lies. */
const BUILT = resolve(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'images', 'bin')
const PATH = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Finds the components, and installs those that are missing. */
export function ensureComponents<name extends ComponentName>(names: readonly name[]): Components<name> {
  const packages = names.flatMap(name => {
    const source = COMPONENTS[name]
    return 'apt' in source && findProgram(name) === undefined ? [source.apt] : []
  })
  const installed = packages.length === 0 ? undefined : aptInstall([...new Set(packages)])
  const entries = names.map(name => [name, ensureComponent(name, installed)] as const)
  return Object.fromEntries(entries) as Components<name>
}

function ensureComponent(name: ComponentName, installed: Attempt | undefined): Component {
  const source = COMPONENTS[name]
  if ('apt' in source) {
    const path = findProgram(name)
    if (path !== undefined) return { path }
    return installed !== undefined && 'problem' in installed ? installed : { problem: `${source.apt} has no ${name}` }
  }
  return 'folder' in source ? buildFolder(name, source.folder) : installGo(name, source.go)
}

function findProgram(name: string): string | undefined {
  return PATH.map(folder => join(folder, name)).find(path => existsSync(path))
}

/** Builds a folder of Go beside this file, again only when a file of it changed. */
function buildFolder(name: string, folder: string): Component {
  const sources = join(import.meta.dirname, folder)
  const hash = createHash('sha256')
  for (const file of readdirSync(sources).sort()) hash.update(file).update(readFileSync(join(sources, file)))
  return buildOnce(name, hash.digest('hex'), (go, path) =>
    attempt(go, ['build', '-trimpath', '-o', path, '.'], {}, sources),
  )
}

function installGo(name: string, module: string): Component {
  return buildOnce(name, module, go => attempt(go, ['install', module], { GOBIN: BUILT }))
}

function buildOnce(name: string, wanted: string, build: (go: string, path: string) => Attempt): Component {
  const path = join(BUILT, name)
  const stamp = `${path}.stamp`
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { path }
  const go = findGo()
  if ('problem' in go) return go
  mkdirSync(BUILT, { recursive: true })
  console.error(`images: building ${name} …`)
  const built = build(go.done, path)
  if ('problem' in built) return built
  writeFileSync(stamp, wanted)
  return { path }
}
