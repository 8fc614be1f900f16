import { resolve } from 'node:path'
import { main, toInstallation } from '../src/cli/index.ts'

/* The only file that touches `process`: everything else is told. */

// Before anything can load ONNX Runtime; children inherit it.
process.env['ORT_DISABLE_TELEMETRY'] = '1'

const abort = new AbortController()
/** One Ctrl-C may arrive twice: from the terminal, and from a parent that hands it on. */
const SAME_INTERRUPT_MS = 500
let interruptedAt = Number.NaN
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The first asks for a gentle stop, the second does not ask.
    if (performance.now() - interruptedAt > SAME_INTERRUPT_MS) process.exit(130)
    if (abort.signal.aborted) return
    interruptedAt = performance.now()
    abort.abort(new Error(`interrupted by ${signal}`))
  })
}
// A reader that stops early (`| head`) is no error.
process.stdout.on('error', error => process.exit('code' in error && error.code === 'EPIPE' ? 0 : 1))

const { env, stderr, stdout } = process
const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
process.exitCode = await main(process.argv.slice(2), {
  out: text => void stdout.write(text),
  err: text => void stderr.write(text),
  terminal:
    stderr.isTTY && env['TERM'] !== 'dumb'
      ? { columns: () => stderr.columns, rows: () => stderr.rows, colours: !plain }
      : undefined,
  colours: stdout.isTTY && !plain,
  env,
  cwd: process.cwd(),
  signal: abort.signal,
  clock: Date.now,
  installation: toInstallation(
    resolve(import.meta.dirname, '..'),
    import.meta.filename.endsWith('.ts'),
    process.execPath,
  ),
})
