#!/usr/bin/env node
// Finds a Node that can run regatta (24.5 or newer; a clone brings its own) and hands over.
// Plain JavaScript that Node 20 runs: this file is what a fresh machine starts.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'bin', 'regatta.ts')
const entry = existsSync(source) ? source : join(root, 'dist', 'regatta.js')
const bundledNode = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
// What older ones lack: `await using`, and requests through a proxy.
const fits = major > 24 || (major === 24 && minor >= 5)

// What was compiled once starts faster: in a folder of the user's own, since it is run as it is found.
const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
if (entry.endsWith('.js')) module.enableCompileCache?.(join(cache, 'regatta', 'compiled'))

// Of the process with control, as src/core/control-memory.ts has them.
const flags = process.argv[2] === 'up' ? ['--max-semi-space-size=4', '--heap-growing-percent=30'] : []

if (existsSync(bundledNode) || !fits || flags.length > 0) {
  const node = existsSync(bundledNode) ? bundledNode : process.execPath
  if (!existsSync(bundledNode) && !fits) {
    console.error(`error[NODE] regatta needs Node 24.5 or newer, and this is ${process.versions.node}`)
    console.error(existsSync(source) ? '  try: npm ci' : '  try: install Node 24')
    process.exit(1)
  }
  if (process.execPath === node && flags.length === 0) await import(entry)
  else {
    const { spawn } = await import('node:child_process')
    const child = spawn(node, [...flags, entry, ...process.argv.slice(2)], { stdio: 'inherit' })
    // A terminal sends Ctrl-C to both, and the other takes the two for one; this one waits for its exit code.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
    child.on('error', error => {
      console.error(`error[NODE] Cannot start ${node}: ${error.message}`)
      process.exit(1)
    })
    child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
  }
} else await import(entry)
