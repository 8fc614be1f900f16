import assert from 'node:assert/strict'
import { CallClient } from './clients/grpc.ts'
import { HttpClient } from './clients/http.ts'
import { CALL_SEEDS, toPrefixed } from './families/call.ts'
import type { Place } from './places.ts'

/** Asks what is right, and compares the answers with those from before anything wrong was sent. */
export interface Health extends Disposable {
  /** @throws where an answer is another */
  check(): Promise<undefined>
}

const REQUEST = {
  method: 'POST',
  target: '/v1/models/m:predict',
  headers: [['content-type', 'application/json']],
  body: Buffer.from('{"instances":[[1,2,3,4],[-1,0,1,0.5]]}'),
} as const

/** Takes the right answers of a place. */
export async function openHealth({ http, grpc }: Place): Promise<Health> {
  const client = new HttpClient(http)
  const calls = new CallClient(grpc)
  const ask = async (): Promise<readonly string[]> => {
    const answer = await client.ask(REQUEST)
    assert.equal(answer.status, 200, answer.body.toString())
    const ends = []
    for (const [path, message] of Object.values(CALL_SEEDS)) {
      const end = await calls.call({ path, headers: [], body: toPrefixed(message) })
      assert.equal(end.status, 'OK', `${path}: ${end.status} ${end.text}`)
      ends.push(end.body.toString('base64'))
    }
    return [answer.body.toString(), ...ends]
  }
  const wanted = await ask()
  return {
    async check() {
      assert.deepEqual(await ask(), wanted)
      return undefined
    },
    [Symbol.dispose]() {
      client[Symbol.dispose]()
      calls[Symbol.dispose]()
    },
  }
}
