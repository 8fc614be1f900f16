/* A client of the gateway as anybody could write one. */

/** One answered request: the id and variant of the headers, and the predictions. */
export interface Answer {
  readonly prediction: string
  readonly variant: string
  readonly predictions: readonly number[][]
}

/** Asks for one row; `series` and `at` name what is predicted. */
export async function ask(gateway: string, x: number, name?: { series: string; at: string }): Promise<Answer> {
  const headers = name === undefined ? {} : { 'x-regatta-series': name.series, 'x-regatta-at': name.at }
  const response = await fetch(`${gateway}/v1/models/linear:predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ instances: [[x]] }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status}: ${text}`)
  const { predictions } = JSON.parse(text) as Pick<Answer, 'predictions'>
  return {
    prediction: response.headers.get('x-regatta-prediction') ?? '',
    variant: response.headers.get('x-regatta-variant') ?? '',
    predictions,
  }
}

/** Asks `count` times, 16 at once, for x = from, from + 1, …; the answers in that order. */
export async function askMany(gateway: string, from: number, count: number): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next
      next += 1
      answers[index] = await ask(gateway, from + index)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  return answers
}
