import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..', '..', '..')

/** The command as it is published, once it is built: it starts faster. */
export const BUILT = join(ROOT, 'dist', 'regatta.js')

/** What a test runs as `regatta`: the bundles, where `tools/test.js` says that they are made of the sources as they are. */
export const PROGRAM = process.env['REGATTA_TEST_BUILT'] === undefined ? join(ROOT, 'bin', 'regatta.ts') : BUILT
