import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from '../index.ts'
import { toDouble, toIdentity } from '../testing/models.ts'
import { openPlace } from '../testing/place.ts'
import { untilTrue } from '../testing/until-true.ts'

const toText = (models: Record<string, string>): string =>
  Object.entries(models)
    .map(([name, path]) => `model_config_list { config { name: "${name}" base_path: "${path}" } }`)
    .join('\n')

describe('startServer() with a file of models', () => {
  it('serves what the file says, and follows it', async () => {
    await using one = await openPlace({ 1: toDouble() })
    await using two = await openPlace({ 7: toIdentity('float32', ['n']) })
    const path = join(one.basePath, 'models.config')
    await writeFile(path, toText({ one: one.basePath }))
    const log: string[] = []
    const write = (about: unknown, text?: string): void => void log.push(`${text} ${JSON.stringify(about)}`)
    const stop = new AbortController()
    const server = await startServer(
      { models: { path, pollMs: 5 }, httpPort: 0, logger: { info: write, warn: write, error: write } },
      stop.signal,
    )
    await using _ = {
      async [Symbol.asyncDispose]() {
        stop.abort()
        await server.closed
      },
    }
    const list = async (): Promise<string> => await (await fetch(`${server.url}/v1/models`)).text()
    const untilLogged = async (pattern: RegExp): Promise<void> =>
      await untilTrue(async () => log.some(line => pattern.test(line)))
    assert.equal(await list(), '{"models":["one"]}')
    await writeFile(path, toText({ two: two.basePath }))
    await untilLogged(/^the models of the file are served .*"two"/)
    assert.equal(await list(), '{"models":["two"]}')
    const answer = await fetch(`${server.url}/v1/models/two:predict`, { method: 'POST', body: '{"instances":[1.5]}' })
    assert.equal(await answer.text(), '{"predictions":[1.5]}')
    await writeFile(path, 'model_config_lst {}')
    await untilLogged(/^the models stay .*models\.config:1:1/)
    assert.equal(await list(), '{"models":["two"]}')
    await writeFile(path, toText({ three: join(one.basePath, 'nowhere') }))
    await untilLogged(/^the models stay .*three due to error: .*no such folder/)
    assert.equal(await list(), '{"models":["two"]}')
    assert.equal(log.filter(line => line.startsWith('the models stay')).length, 2)
    await rm(path)
    await untilLogged(/^the models stay .*ENOENT/)
    // Some more looks, which find the same.
    await sleep(100)
    await writeFile(path, toText({ one: one.basePath }))
    await untilLogged(/^the models of the file are served .*"one"/)
    assert.equal(log.filter(line => line.startsWith('the models stay')).length, 3)
  })

  it('does not start with a file that is not there, or models that do not go together', async () => {
    await using place = await openPlace()
    const path = join(place.basePath, 'models.config')
    const start = () => startServer({ models: { path, pollMs: 0 }, httpPort: 0 }, new AbortController().signal)
    await assert.rejects(start(), { code: 'MODEL_CONFIG', message: /^Cannot use the models' file: ENOENT/ })
    await writeFile(path, toText({ one: 'relative' }))
    await assert.rejects(start(), { code: 'MODEL_CONFIG', message: /absolute path or URI.*\(.*models\.config\)$/ })
  })
})
