import assert from 'node:assert/strict'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { it } from 'node:test'
import { makePlace } from '../../bin/testing/place.ts'
import { toLinearModel } from '../../src/train/testing/onnx-model.ts'
import { writeNothing } from './docker-config.ts'
import { needs } from './parts.ts'
import { run } from './program.ts'
import { startDockerRegistry } from './registries.ts'

/** The program as an installed package has it. */
const PROGRAM = resolve(import.meta.dirname, '..', '..', 'dist', 'regatta.js')
const MODEL_BYTES = 4 * 1024 ** 3
const MAX_PEAK_BYTES = 160e6
/** For one command: a slow disk writes a few tens of megabytes in a second. */
const LIMIT_MS = 240_000
/** Tells the largest memory that the process had, in KiB (getrusage(2)), when it ends. */
const TELL = "data:text/javascript,process.on('exit',()=>process.stderr.write('peak='+process.resourceUsage().maxRSS))"

it('a model of 4 GiB is packed and pushed in little memory', {
  ...needs('docker-registry'),
  timeout: 2 * LIMIT_MS,
}, async () => {
  await using place = makePlace('name: large\n')
  const model = join(place.folder, 'model')
  mkdirSync(model)
  writeFileSync(join(model, 'model.onnx'), toLinearModel({ weight: 3 }))
  // Weights in a file of their own, as ONNX has them from 2 GiB on. It has holes, so that it takes no room itself.
  writeFileSync(join(model, 'weights.bin'), '')
  truncateSync(join(model, 'weights.bin'), MODEL_BYTES)
  await using registry = await startDockerRegistry(join(place.folder, 'registry'))
  const environment = { ...writeNothing(join(place.folder, 'nobody')), ORT_DISABLE_TELEMETRY: '1' }
  const measure = async (...args: readonly string[]): Promise<number> => {
    const options = { cwd: place.folder, timeoutMs: LIMIT_MS }
    const { code, err } = await run(process.execPath, ['--import', TELL, PROGRAM, ...args], environment, options)
    assert.equal(code, 0, err)
    return Number(/peak=(\d+)$/.exec(err)?.[1]) * 1024
  }
  for (const args of [
    ['pack', '--model', 'model'],
    ['push', `${registry.host}/large:1`],
  ]) {
    const peakBytes = await measure(...args)
    assert.ok(peakBytes > 0 && peakBytes < MAX_PEAK_BYTES, `${args[0]} took ${peakBytes} bytes`)
  }
  const answer = await fetch(`http://${registry.host}/v2/large/manifests/1`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  })
  const { layers } = (await answer.json()) as { readonly layers: readonly { readonly size: number }[] }
  assert.ok(layers.some(({ size }) => size > MODEL_BYTES && size < 1.001 * MODEL_BYTES))
})
