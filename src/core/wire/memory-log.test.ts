import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseMemoryLog } from './memory-log.ts'

describe('parseMemoryLog()', () => {
  it('takes the last word of each, among lines of any kind', () => {
    const lines = [
      '":1,"heldBytes":9,"msg":"memory"}',
      '{"msg":"loading","path":"/m/1/model.onnx","sizeBytes":7}',
      '{"heldBytes":1,"limitBytes":4,"msg":"memory"}',
      '{"heldBytes":3,"limitBytes":4,"msg":"memory"}',
      '{"heldBytes":8,"msg":"another"}',
      'Killed',
    ]
    assert.deepEqual(parseMemoryLog(lines), { heldBytes: 3, modelBytes: 7 })
  })

  it('knows nothing where nothing is told', () => {
    const nothing = { heldBytes: undefined, modelBytes: undefined }
    assert.deepEqual(parseMemoryLog([]), nothing)
    assert.deepEqual(parseMemoryLog(['{"msg":"memory"', '[1]', '{"msg":"memory","heldBytes":"much"}']), nothing)
  })
})
