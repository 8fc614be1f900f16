import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toAnswerError } from './errors.ts'

const url = new URL('https://user:secret@r.io/v2/a/blobs/uploads/?token=secret')
const toError = (status: number, text: string) => toAnswerError('push a', { method: 'PUT', url, status, text })

describe('toAnswerError()', () => {
  for (const [status, code, retryable] of [
    [400, 'REGISTRY_ANSWER', false],
    [401, 'REGISTRY_AUTH', false],
    [403, 'REGISTRY_DENIED', false],
    [404, 'REGISTRY_MISSING', false],
    [405, 'REGISTRY_DENIED', false],
    [413, 'REGISTRY_ANSWER', false],
    [429, 'REGISTRY_BUSY', true],
    [500, 'REGISTRY_ANSWER', true],
    [501, 'REGISTRY_ANSWER', false],
    [503, 'REGISTRY_ANSWER', true],
  ] as const) {
    it(`says ${code} of ${status}`, () => {
      const error = toError(status, '')
      assert.deepEqual([error.code, error.retryable, error.status], [code, retryable, status])
      assert.match(
        error.message,
        new RegExp(`^Cannot push a: .* \\(PUT https://r\\.io/v2/a/blobs/uploads/: ${status}\\)$`),
      )
      assert.ok(!`${error.message}${error.fix}`.includes('secret'))
    })
  }

  for (const [name, text, wanted] of [
    ["the registry's own words", '{"errors":[{"code":"DENIED","message":"no\\nmore"}]}', 'DENIED no more'],
    ['the details of a token server', '{"details":"wrong password"}', 'wrong password'],
    ['the first words of plain text', '  too\tmuch\u0007 \n', 'too much'],
    ['no page', '<html>sign in</html>', undefined],
    ['no JSON of another kind', '[1,2]', undefined],
  ] as const) {
    it(`quotes ${name}`, () => {
      const { message } = toError(400, text)
      const said = wanted === undefined ? '' : `: ${wanted}`
      assert.equal(
        message,
        `Cannot push a: the registry answered 400${said} (PUT https://r.io/v2/a/blobs/uploads/: 400)`,
      )
    })
  }
})
