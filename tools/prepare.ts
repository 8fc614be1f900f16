// Installs what the suites of `.ci/run` try regatta with, while something else runs: `node tools/prepare.ts`. It is only
// ahead of them: what fails here is tried again by the suite that needs it, which says why.
import { join, resolve } from 'node:path'
import { makeEnvironment } from '../examples/forecast/testing/python.ts'
import { ensureComponents } from './images/components.ts'
import { PARTS } from './images/parts.ts'
import { ensurePrograms } from './postgres/programs.ts'

const ROOT = resolve(import.meta.dirname, '..')
const CONFORMANCE = join(ROOT, 'conformance')

const STEPS: readonly (readonly [name: string, install: () => unknown])[] = [
  ['PostgreSQL', ensurePrograms],
  ['programs for images', () => ensureComponents([...PARTS, 'h2spec'])],
  ['clients for the conformance of server and gateway', makeClients],
  ['TensorFlow', makeTensorflow],
]

for (const [name, install] of STEPS) {
  const from = performance.now()
  try {
    install()
  } catch (error) {
    console.log(error instanceof Error ? error.message : error)
  }
  console.log(`${name}: ${Math.round((performance.now() - from) / 1000)} s`)
}

function makeClients(): void {
  const bare = join(CONFORMANCE, 'requirements-bare.txt')
  makeEnvironment(join(ROOT, '.venv', 'conformance'), join(CONFORMANCE, 'requirements.txt'), { bare })
}

function makeTensorflow(): void {
  const requirements = join(ROOT, 'examples', 'forecast', 'requirements-tensorflow.txt')
  makeEnvironment(join(ROOT, '.venv', 'tensorflow'), requirements)
}
