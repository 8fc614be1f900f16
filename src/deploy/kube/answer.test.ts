import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toRefusal } from './answer.ts'

const toStatus = (message: string, details: object = {}): object => ({ kind: 'Status', message, details })

describe('toRefusal()', () => {
  const cases: [status: number, body: unknown, code: string, words: RegExp][] = [
    [401, toStatus('Unauthorized'), 'KUBE_CREDENTIALS', /credentials/],
    [403, toStatus('pods is forbidden: User "x" cannot list'), 'KUBE_FORBIDDEN', /cannot list/],
    [403, toStatus('pods "p" is forbidden: exceeded quota: few'), 'KUBE_QUOTA', /few/],
    [404, toStatus('namespaces "team" not found'), 'KUBE_NAMESPACE', /"team"/],
    [
      403,
      toStatus('unable to create new content in namespace team because it is being terminated'),
      'KUBE_NAMESPACE',
      /team/,
    ],
    [409, toStatus('the object has been modified'), 'KUBE_CHANGED', /modified/],
    [422, toStatus('Deployment is invalid: spec.x: unknown'), 'KUBE_REFUSED', /422.*spec\.x/],
    [502, '<html>proxy</html>', 'KUBE_REFUSED', /proxy/],
  ]
  for (const [status, body, code, words] of cases) {
    it(`makes ${code} of ${status} ${JSON.stringify(body)}`, () => {
      const error = toRefusal({ method: 'PATCH', path: '/api', status, body })
      assert.equal(error.code, code)
      assert.match(error.message, words)
      assert.ok(error.fix)
    })
  }

  it('names who has set which field', () => {
    const causes = [{ field: '.spec.replicas', message: 'conflict with "kubectl-edit" using apps/v1' }]
    const error = toRefusal({ method: 'PATCH', path: '/api', status: 409, body: toStatus('Apply failed', { causes }) })
    assert.equal(error.code, 'KUBE_CONFLICT')
    assert.match(error.message, /\.spec\.replicas \(set by kubectl-edit\)/)
  })

  it('lets a caller try again where the cluster is busy, and not where it refuses', () => {
    const retryable = (status: number): boolean =>
      toRefusal({ method: 'GET', path: '/', status, body: toStatus('x') }).retryable
    assert.deepEqual([429, 500, 422].map(retryable), [true, true, false])
  })
})
