import { join, resolve } from 'node:path'
import { makeEnvironment } from '../../examples/forecast/testing/python.ts'
import { ensureComponents } from '../../tools/images/components.ts'
import type { Contender, PythonNeed } from './contender.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')

/** What a contender's place has of this machine; the paths are empty where it needs no Python. */
export interface Prepared {
  readonly python: string
  readonly pythonBin: string
}

/** Installs what a contender needs, once. @throws saying what cannot be had */
export function prepare({ program, python }: Contender): Prepared {
  if (program !== undefined) readPath(program)
  if (python === undefined) return { python: '', pythonBin: '' }
  const folder = toFolder(python)
  const requirements = join(import.meta.dirname, 'peers', `${python.requirements}.txt`)
  const path = makeEnvironment(
    folder,
    requirements,
    python.interpreter === undefined ? {} : { system: python.interpreter },
  )
  return { python: path, pythonBin: join(folder, 'bin') }
}

/** Finds a program of Debian and installs it where it is missing. @throws saying why it cannot be had */
export function readPath(name: 'wrk' | 'nginx'): string {
  const component = ensureComponents([name])[name]
  if ('path' in component) return component.path
  throw new Error(component.problem)
}

/** A virtual environment of its own for each file of packages: their wishes do not fit together. */
const toFolder = ({ requirements }: PythonNeed): string => join(ROOT, '.venv', `bench-${requirements}`)
