// Trains the example with one of its Python trainers and checks what it leaves:
//   node tools/test-python.ts tensorflow|pytorch
// Installs the trainer's pinned packages in .venv/ (again only when they change) and ends with `N passed, N failed`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { makeEnvironment } from '../examples/forecast/testing/python.ts'
import { type Framework, toChecks } from '../examples/forecast/testing/python-trainer.ts'

const root = resolve(import.meta.dirname, '..')
const framework = parseFramework(process.argv.slice(2))
const requirements = join(root, 'examples', 'forecast', `requirements-${framework}.txt`)
const folder = mkdtempSync(join(tmpdir(), `regatta-${framework}-`))
const counts = { passed: 0, failed: 0 }
try {
  const python = makeEnvironment(join(root, '.venv', framework), requirements)
  for (const { name, run } of toChecks(framework, python, folder)) {
    const error = await run().then(
      () => undefined,
      error => error,
    )
    counts[error === undefined ? 'passed' : 'failed']++
    console.log(`${error === undefined ? '✔' : '✖'} train_${framework}.py ${name}`)
    if (error !== undefined) console.log(error)
  }
} catch (error) {
  counts.failed++
  console.log(error instanceof Error ? error.message : error)
} finally {
  rmSync(folder, { recursive: true })
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0

function parseFramework(args: readonly string[]): Framework {
  const [name] = args
  if (args.length === 1 && (name === 'tensorflow' || name === 'pytorch')) return name
  console.error(`Cannot test "${args.join(' ')}": expected tensorflow or pytorch`)
  process.exit(2)
}
