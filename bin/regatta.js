#!/usr/bin/env node
// Finds a Node that can run regatta (24 in the repository, 22.19 or newer where regatta is installed) and hands over.
// Plain JavaScript that Node 20 runs: this file is what a fresh machine starts.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'bin', 'regatta.ts')
const entry = existsSync(source) ? source : join(root, 'dist', 'regatta.js')
const bundledNode = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const fits = major > 22 || (major === 22 && minor >= 19)

if (existsSync(bundledNode) || !fits) {
  if (!existsSync(bundledNode)) {
    console.error(`error[NODE] regatta needs Node 22.19 or newer, and this is ${process.versions.node}`)
    console.error(existsSync(source) ? '  try: npm ci' : '  try: install Node 24')
    process.exit(1)
  }
  if (process.execPath === bundledNode) await import(entry)
  else {
    const child = spawn(bundledNode, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
    // The terminal sends Ctrl-C to both; this one waits for the other's exit code.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
      })
    }
    child.on('error', error => {
      console.error(`error[NODE] Cannot start ${bundledNode}: ${error.message}`)
      process.exit(1)
    })
    child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
  }
} else await import(entry)
