import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { GRPC_CODES } from '../core/grpc/grpc.ts'
import { openGrpcJs } from '../core/grpc/testing/grpc-js.ts'
import { startControl } from './testing/control.ts'
import { ask, toRoutes, until, untilText } from './testing/gateway.ts'
import { predicting, startServer } from './testing/upstream.ts'

const TOKEN = 'very-secret-token'

interface Child {
  readonly process: ChildProcess
  readonly messages: readonly {
    readonly kind: string
    readonly port?: number
    readonly grpcPort?: number
    readonly code?: string
  }[]
  readonly output: () => string
  readonly exit: Promise<number | null>
}

describe('main', () => {
  let folder = ''
  const children: ChildProcess[] = []
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-gateway-'))
  })
  after(async () => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await rm(folder, { recursive: true })
  })

  const { NODE_COMPILE_CACHE, PATH } = process.env
  const start = (args: readonly string[], token: string | undefined = TOKEN): Child => {
    const child = fork(join(import.meta.dirname, 'main.ts'), args, {
      silent: true,
      env: { PATH, NODE_COMPILE_CACHE, ...(token === '' ? {} : { REGATTA_TOKEN: token }) },
    })
    children.push(child)
    const messages: Child['messages'][number][] = []
    child.on('message', message => messages.push(message as Child['messages'][number]))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', chunk => (output += String(chunk)))
    const exit = once(child, 'exit').then(([code]) => code as number | null)
    return { process: child, messages, output: () => output, exit }
  }
  const toArgs = (controlUrl: string, port = 0): string[] => [
    ...['--host', '127.0.0.1', '--http-port', String(port), '--grpc-port', '0', '--control-url', controlUrl],
    ...['--routes-file', join(folder, 'routes.json'), '--spool', join(folder, 'spool.ndjson')],
  ]
  const listening = async (child: Child): Promise<string> => {
    await until(() => child.messages.some(message => message.kind === 'ready'))
    return `http://127.0.0.1:${child.messages.find(message => message.kind === 'listening')?.port}`
  }

  it('says where it listens, answers what is in flight on SIGTERM, hands over the records and ends with 0', async () => {
    await using a = await startServer((seen, response) => {
      setTimeout(() => void predicting(1)(seen, response), 300)
    })
    await using control = await startControl({ token: TOKEN })
    await writeFile(
      join(folder, 'routes.json'),
      JSON.stringify(toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])),
    )
    const child = start(toArgs(control.url))
    const url = await listening(child)
    assert.deepEqual(
      child.messages.map(message => message.kind),
      ['listening', 'ready'],
    )
    await until(async () => (await ask(`${url}/readyz`)).status === 200)
    const asking = ask(`${url}/v1/models/m:predict`, { method: 'POST', body: '{"instances":[[1]]}' })
    await until(() => a.seen.length === 1)
    child.process.kill('SIGTERM')
    const reply = await asking
    assert.deepEqual([reply.status, reply.headers.get('connection')], [200, 'close'])
    assert.equal(await child.exit, 0)
    assert.deepEqual(
      control.records.map(record => record.request),
      [reply.headers.get('x-regatta-prediction')],
    )
    assert.ok(!child.output().includes(TOKEN))
  })

  it('goes on when its supervisor is gone', async () => {
    const child = start(toArgs('http://127.0.0.1:9'))
    const url = await listening(child)
    child.process.disconnect()
    assert.equal((await ask(`${url}/livez`)).status, 200)
    using client = openGrpcJs(child.messages[0]?.grpcPort ?? 0)
    assert.equal((await client.call('/grpc.health.v1.Health/Check', new Uint8Array(0))).code, GRPC_CODES.OK)
    child.process.kill('SIGTERM')
    assert.equal(await child.exit, 0)
  })

  it('says in its log and to its supervisor that the port is in use', async () => {
    await using other = await startServer(predicting(1))
    const child = start(toArgs('http://127.0.0.1:9', Number(new URL(other.url).port)))
    assert.equal(await child.exit, 1)
    await until(() => child.messages.length > 0)
    assert.deepEqual([child.messages[0]?.kind, child.messages[0]?.code], ['failed', 'PORT_IN_USE'])
    await untilText(child.output, /another program uses it/)
  })

  it('ends with 2 where it is used wrongly', async () => {
    const child = start(toArgs('http://127.0.0.1:9'), '')
    assert.equal(await child.exit, 2)
    await until(() => child.messages.length > 0)
    assert.deepEqual([child.messages[0]?.kind, child.messages[0]?.code], ['failed', 'GATEWAY_FLAGS'])
    await untilText(child.output, /REGATTA_TOKEN/)
  })

  it('tells nobody its token, whatever goes wrong', async () => {
    await using control = await startControl({ token: 'another' })
    const child = start(toArgs(control.url))
    const url = await listening(child)
    await until(() => child.output().includes('Control is away'))
    await ask(`${url}/truth`, { method: 'POST', body: '[]' })
    const metrics = await ask(`${url}/metrics`)
    child.process.kill('SIGTERM')
    assert.equal(await child.exit, 0)
    const spool = await readFile(join(folder, 'spool.ndjson'), 'utf8')
    assert.ok(![child.output(), metrics.text, spool].join().includes(TOKEN))
    assert.equal(control.truths[0]?.headers.authorization, undefined)
  })
})
