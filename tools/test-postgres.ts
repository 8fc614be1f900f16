// Runs every test of the store on PostgreSQL, and what breaks it and control: `node tools/test-postgres.ts [FILE …]`.
// Installs it where it is missing; where that cannot be, nothing runs and the reason is printed, and with CI set that is
// a failure. Ends with `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startPostgres } from './postgres/server.ts'

const root = resolve(import.meta.dirname, '..')
/** On files only, and of files only. */
const NOT_OF_POSTGRES = ['src/store/sqlite/sqlite.node.test.ts']

function listTests(): readonly string[] {
  const rooms = ['src/store/**/*.test.ts', 'src/store/testing/*.suite.ts', 'src/control/race/evidence.test.ts']
  const own = globSync([...rooms, 'bin/testing/*.suite.ts'], { cwd: root })
  return own.filter(path => !NOT_OF_POSTGRES.includes(path)).sort()
}

const server = await startPostgres()
if ('problem' in server) {
  console.log(`✖ cannot have PostgreSQL: ${server.problem}`)
  const isNeeded = process.env['CI'] !== undefined
  console.log(isNeeded ? '0 passed, 1 failed, 0 skipped' : '0 passed, 0 failed, 1 skipped')
  process.exitCode = isNeeded ? 1 : 0
} else {
  const wanted = process.argv.slice(2)
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'test.js'), ...(wanted.length > 0 ? wanted : listTests())],
    { stdio: 'inherit', cwd: root, env: { ...process.env, REGATTA_TEST_POSTGRES: server.toUrl() } },
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'close')
  await server[Symbol.asyncDispose]()
  process.exitCode = code ?? 1
}
