import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toErrorLines, toKnownError } from './errors.ts'

describe('toKnownError()', () => {
  const fail = (code: string, path?: string): Error => Object.assign(new Error(`${code}: no`), { code, path })
  const known: [name: string, error: unknown, wanted: RegExp][] = [
    ['a full disk', fail('ENOSPC', '/a/b'), /^error\[DISK_FULL\] Cannot write "\/a\/b"[\s\S]*try: /],
    ['a full disk without a path', fail('EDQUOT'), /^error\[DISK_FULL\] .*"\/project"/],
    ['a file of another user', fail('EACCES', '/a/b'), /^error\[ACCESS\] Cannot use "\/a\/b"[\s\S]*try: /],
    ['a read-only disk', fail('EROFS', '/a/b'), /^error\[ACCESS\] /],
    ['a folder', Object.assign(fail('ENOENT', '/a/b'), { syscall: 'mkdir' }), /^error\[ACCESS\] .*"\/a\/b"/],
    ['a bug', new TypeError('x is undefined'), /^error\[BUG\] TypeError: x is undefined/],
    ['what is no error', 'text', /^error\[BUG\] text/],
  ]
  for (const [name, error, wanted] of known) {
    it(`tells ${name}`, () => assert.match(toErrorLines(toKnownError(error, '/project')), wanted))
  }
})
