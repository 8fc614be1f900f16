import { createHash } from 'node:crypto'
import { toCanonicalJson } from '../core/json.ts'
import type { Project } from './project.ts'

/** Digest of the keys that a running regatta read when it started; those of training and packing are read each time. */
export function toStartDigest({ name, race, serve, targets }: Pick<Project, 'name' | 'race' | 'serve' | 'targets'>) {
  return `sha256:${createHash('sha256').update(toCanonicalJson({ name, race, serve, targets })).digest('hex')}`
}
