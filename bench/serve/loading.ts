import { join } from 'node:path'
import type { Bench } from './bench.ts'
import type { ServerContender } from './contender.ts'
import { openPlace } from './field.ts'
import { runLoad } from './load.ts'
import { type BenchModel, writeBenchModel } from './models.ts'
import { PROTOCOLS, SERVED_NAME } from './protocols.ts'
import type { LoadingResult } from './results.ts'
import { startServer } from './running.ts'

const OTHER = 'other'

/**
 * Measures what a model's clients notice while another one, of 47 MB, is loaded and unloaded beside it: the same load
 * without and with that, in turn.
 */
export async function measureLoading(
  bench: Bench,
  model: BenchModel,
  wanted: readonly number[],
): Promise<readonly LoadingResult[]> {
  const other = writeBenchModel('cnn', join(bench.folder, 'loading'))
  const contender = toContender(other)
  const place = await openPlace(bench, contender, model, { python: '', pythonBin: '' })
  await using server = await startServer(contender, place, wanted)
  const url = `http://127.0.0.1:${place.ports.http}/v2/repository/models/${OTHER}`
  await post(`${url}/unload`)
  const request = PROTOCOLS['v2-json'].toRequest(model)
  const { connections, isSlow } = model
  const load = { request, port: server.place.ports.http, connections, seconds: bench.seconds }
  const run = () => runLoad(load, isSlow, { ...bench, folder: place.folder })
  // Until its hot paths are compiled.
  await run()
  const results: LoadingResult[] = []
  for (let round = 0; round < bench.rounds; round += 1) {
    const quiet = await run()
    const busy = run()
    const loadMs = await loadUntil(busy, url)
    results.push({ quietP99Ms: quiet.p99Ms, loadingP99Ms: (await busy).p99Ms, loadMs })
  }
  return results
}

/** The server under test, with two models whose versions clients may load. */
function toContender(other: BenchModel): ServerContender {
  const toConfig = (name: string, basePath: string): string =>
    `config { name: "${name}" base_path: "${basePath}" model_platform: "onnx" }`
  return {
    kind: 'server',
    name: 'regatta-two-models',
    protocols: ['v2-json'],
    toLaunch: ({ folder, model, node, ports, server }) => ({
      command: [
        ...([node, server, '--model-config-file', join(folder, 'models'), '--allow-model-control'] as const),
        ...['--http-port', String(ports.http)],
      ],
      files: {
        models: `model_config_list { ${toConfig(SERVED_NAME, model.basePath)} ${toConfig(OTHER, other.basePath)} }`,
      },
    }),
  }
}

/** Loads and unloads a model until something else is over. Returns how long each load took. */
async function loadUntil(end: Promise<unknown>, url: string): Promise<readonly number[]> {
  let isOver = false
  const over = (): void => {
    isOver = true
  }
  // Whoever waits for it sees what went wrong.
  end.then(over, over)
  const times: number[] = []
  while (!isOver) {
    const startedAt = performance.now()
    await post(`${url}/load`)
    times.push(performance.now() - startedAt)
    await post(`${url}/unload`)
  }
  return times
}

async function post(url: string): Promise<void> {
  const answer = await fetch(url, { method: 'POST' })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`)
}
