// Times `regatta pack` and `regatta push` against other builders of images, in one interleaved run on this machine:
//   node bench/images/main.ts [--rounds N] [--minutes N] [--output FILE]
// Prints a table of ratios; FILE gets the same as JSON. Only ratios of one run mean anything. After the minutes only the
// first round of each case is still run.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type ComponentName, ensureComponents } from '../../tools/images/components.ts'
import { startDockerRegistry } from '../../tools/images/registries.ts'
import { pushBase } from './base.ts'
import { type Arena, type Contender, toDockerfile } from './contender.ts'
import { openBuildah, openCrane, openFloor } from './daemonless.ts'
import { openBuildkit, openDocker } from './daemons.ts'
import { openRegatta } from './regatta.ts'
import { toLines, toTable } from './report.ts'
import { runRounds } from './rounds.ts'

/** Builder → how it is opened, and the components it needs. */
const CONTENDERS = {
  regatta: { open: openRegatta, needs: [] },
  buildah: { open: openBuildah, needs: ['buildah'] },
  docker: { open: openDocker, needs: ['dockerd', 'docker'] },
  buildkit: { open: openBuildkit, needs: ['buildkitd', 'buildctl', 'runc'] },
  crane: { open: openCrane, needs: ['crane'] },
  floor: { open: openFloor, needs: ['curl'] },
} as const satisfies Record<string, { open: (arena: Arena) => Contender; needs: readonly ComponentName[] }>

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '20' },
    output: { type: 'string' },
  },
})
const tell = (line: string): void => console.error(`bench: ${line}`)
const needed = Object.values(CONTENDERS).flatMap(({ needs }): readonly ComponentName[] => needs)
const components = ensureComponents([...new Set([...needed, 'docker-registry', 'skopeo', 'time'] as const)])
const folder = mkdtempSync(join(tmpdir(), 'regatta-bench-'))
const open: AsyncDisposable[] = []
try {
  const registry = await startDockerRegistry(join(folder, 'registry'), { program: toPath('docker-registry') })
  open.push(registry)
  const [base, context] = [`${registry.host}/base/node:24`, join(folder, 'context')]
  await pushBase(join(folder, 'base'), toPath('skopeo'), base)
  cpSync(resolve(import.meta.dirname, '..', '..', 'dist', 'runtime'), join(context, 'runtime'), { recursive: true })
  writeFileSync(join(context, 'Dockerfile'), toDockerfile(base))
  const missing = new Map<string, string>()
  const contenders = Object.entries(CONTENDERS).flatMap(([name, { open, needs }]) => {
    const problem = needs.map(toProblem).find(problem => problem !== undefined)
    if (problem !== undefined) missing.set(name, problem)
    const own = join(folder, name)
    mkdirSync(own)
    return problem === undefined ? [open({ folder: own, context, registry: registry.host, base, toPath })] : []
  })
  open.push(...contenders)
  const deadline = Date.now() + Number(values.minutes) * 60_000
  const wish = { rounds: Number(values.rounds), deadline, time: toPath('time') }
  const { costs, failed } = await runRounds({ contenders, folder, context, tell, ...wish })
  const lines = toLines(costs)
  const leftOut = Object.fromEntries([...missing, ...failed])
  console.log(toTable(lines))
  for (const [name, why] of Object.entries(leftOut)) console.log(`${name} is left out: ${why}`)
  if (values.output !== undefined) {
    const rounds = [...costs].map(([kind, rounds]) => ({
      case: kind,
      rounds: rounds.map(round => Object.fromEntries(round)),
    }))
    const document = {
      schema: 'regatta/bench-images/v1',
      node: process.version,
      arch: process.arch,
      lines,
      leftOut,
      rounds,
    }
    writeFileSync(values.output, `${JSON.stringify(document, null, 2)}\n`)
  }
} finally {
  for (const one of open.reverse()) await one[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
}

function toProblem(name: ComponentName): string | undefined {
  const component = components[name]
  return 'problem' in component ? component.problem : undefined
}

function toPath(name: ComponentName): string {
  const component = components[name]
  if ('path' in component) return component.path
  throw new Error(`Cannot have ${name}: ${component.problem}`)
}
