// Packs, pushes and runs images with the real tools of others: `node tools/test-images.ts [FILE …]`. Installs what is
// missing; where that cannot be, the tests that need it are skipped with the reason, or fail with CI set. Ends with
// `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ensureComponents } from './images/components.ts'
import { PARTS } from './images/parts.ts'

const folder = join(import.meta.dirname, 'images')
const components = ensureComponents(PARTS)
const missing = PARTS.flatMap(name => {
  const component = components[name]
  return 'problem' in component ? [`${name}: ${component.problem}`] : []
})
for (const problem of missing) console.log(`✖ cannot have ${problem}`)
if (missing.length > 0 && process.env['CI'] !== undefined) {
  console.log(`0 passed, ${missing.length} failed, 0 skipped`)
  process.exitCode = 1
} else {
  const wanted = process.argv.slice(2).map(path => resolve(path))
  const files = readdirSync(folder).filter(name => name.endsWith('.suite.ts'))
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'test.js'), ...(wanted.length > 0 ? wanted : files.map(name => join(folder, name)))],
    { stdio: 'inherit', env: { ...process.env, REGATTA_PARTS: JSON.stringify(components) } },
  )
  child.on('close', code => {
    process.exitCode = code ?? 1
  })
}
