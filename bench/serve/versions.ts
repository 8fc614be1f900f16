import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { attempt } from '../../tools/images/attempt.ts'
import type { Contender } from './contender.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')

/** What was compared, and on what: by name, the version or the pinned packages. */
export function readVersions(contenders: readonly Contender[]): Readonly<Record<string, string>> {
  const ort: unknown = JSON.parse(readFileSync(join(ROOT, 'node_modules', 'onnxruntime-node', 'package.json'), 'utf8'))
  const files = [...new Set(contenders.flatMap(({ python }) => python?.requirements ?? []))]
  const packages = files.map(name => {
    const text = readFileSync(join(import.meta.dirname, 'peers', `${name}.txt`), 'utf8')
    return [
      name,
      text
        .trim()
        .split('\n')
        .filter(line => !line.startsWith('#'))
        .join(' '),
    ] as const
  })
  const debian = attempt('dpkg-query', ['-W', 'wrk', 'nginx'])
  const commit = attempt('git', ['-C', ROOT, 'describe', '--always', '--dirty'])
  return {
    regatta: 'done' in commit ? commit.done : 'unknown',
    node: process.version,
    'onnxruntime-node': String(Reflect.get(Object(ort), 'version')),
    ...Object.fromEntries(packages),
    debian: 'done' in debian ? debian.done.replace(/\s+/g, ' ') : 'unknown',
    processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
  }
}
