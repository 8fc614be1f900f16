import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { aptInstall } from './apt.ts'
import { type Attempt, attempt } from './attempt.ts'
import { findGo } from './go.ts'

/** The repository, which folders are relative to. */
const ROOT = resolve(import.meta.dirname, '..', '..')

/** Programs that images and ports are tried with: a package of Debian, one that a Go module of this repository builds, or of Go. */
const COMPONENTS = {
  'docker-registry': { apt: 'docker-registry' },
  skopeo: { apt: 'skopeo' },
  umoci: { apt: 'umoci' },
  containerd: { apt: 'containerd' },
  ctr: { apt: 'containerd' },
  runc: { apt: 'runc' },
  validator: { module: 'tools/images/validator', build: '.' },
  registry: { module: 'tools/images/registry', build: '.' },
  buildah: { apt: 'buildah' },
  curl: { apt: 'curl' },
  docker: { apt: 'docker.io' },
  dockerd: { apt: 'docker.io' },
  time: { apt: 'time' },
  wrk: { apt: 'wrk' },
  nginx: { apt: 'nginx' },
  buildctl: { module: 'bench/images/buildkit', build: 'github.com/moby/buildkit/cmd/buildctl' },
  buildkitd: { module: 'bench/images/buildkit', build: 'github.com/moby/buildkit/cmd/buildkitd' },
  crane: { install: 'github.com/google/go-containerregistry/cmd/crane@v0.22.1' },
  h2spec: { install: 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible' },
} as const satisfies Readonly<Record<string, Source>>

type Source =
  | { readonly apt: string }
  | { readonly module: string; readonly build: string }
  | { readonly install: string }

/** One of them. */
export type ComponentName = keyof typeof COMPONENTS

/** A component's program, or why there is none. */
export type Component = { readonly path: string } | { readonly problem: string }
/** Those that were asked for. */
export type Components<name extends ComponentName = ComponentName> = Readonly<Record<name, Component>>

/** Where what is built here lies. */
const BUILT = join(ROOT, 'node_modules', '.cache', 'images', 'bin')
/** Where packages of Debian put their programs, before what else this machine may have of the same names. */
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', ...(process.env['PATH'] ?? '').split(delimiter)]

/** Finds the components, and installs those that are missing. */
export function ensureComponents<name extends ComponentName>(names: readonly name[]): Components<name> {
  const packages = names.flatMap(name => {
    const source: Source = COMPONENTS[name]
    return 'apt' in source && findProgram(name) === undefined ? [source.apt] : []
  })
  const installed = packages.length === 0 ? undefined : aptInstall([...new Set(packages)])
  const entries = names.map(name => [name, ensureComponent(name, installed)] as const)
  return Object.fromEntries(entries) as Components<name>
}

function ensureComponent(name: ComponentName, installed: Attempt | undefined): Component {
  const source: Source = COMPONENTS[name]
  if ('apt' in source) {
    const path = findProgram(name)
    if (path !== undefined) return { path }
    return installed !== undefined && 'problem' in installed ? installed : { problem: `${source.apt} has no ${name}` }
  }
  return 'module' in source ? buildHere(name, join(ROOT, source.module), source.build) : installGo(name, source.install)
}

function findProgram(name: string): string | undefined {
  return FOLDERS.map(folder => join(folder, name)).find(path => existsSync(path))
}

/** Builds a package with the versions of a module's go.mod, again only when a file of the module changed. */
function buildHere(name: string, module: string, build: string): Component {
  const hash = createHash('sha256')
  for (const file of readdirSync(module).sort()) hash.update(file).update(readFileSync(join(module, file)))
  return buildOnce(name, hash.digest('hex'), (go, path) =>
    attempt(go, ['build', '-trimpath', '-o', path, build], { CGO_ENABLED: '0' }, module),
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
