import { setTimeout as sleep } from 'node:timers/promises'

/** Weight of the model that answers, from its answer to 1; undefined where nothing answers as it should. */
export async function askWeight(gateway: string): Promise<number | undefined> {
  try {
    const response = await fetch(`${gateway}/v1/models/linear:predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ instances: [[1]] }),
      signal: AbortSignal.timeout(5000),
    })
    const answer = (await response.json()) as { readonly predictions?: readonly (readonly number[])[] }
    return answer.predictions?.[0]?.[0]
  } catch {
    return undefined
  }
}

/** Asks until the model of a weight answers; at most two minutes. */
export async function untilAnswered(gateway: string, weight: number): Promise<void> {
  const deadline = performance.now() + 120_000
  while ((await askWeight(gateway)) !== weight) {
    if (performance.now() > deadline) throw new Error(`The model of weight ${weight} does not answer`)
    await sleep(5)
  }
}
