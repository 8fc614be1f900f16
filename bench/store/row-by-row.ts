import pg from 'pg'

/** Rows of a prediction, one insert each: what a batch is compared with. */
export class RowByRow implements AsyncDisposable {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  /** Connects, and makes a table of its own. */
  static async open(url: string): Promise<RowByRow> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`create table if not exists public.naive (
      request uuid, variant bigint, epoch bigint, race bigint, at bigint, served smallint, propensity float8,
      status bigint, latency_us float8, replica text, row bigint, value text, primary key (request, row, variant))`)
    return new RowByRow(client)
  }

  /** Rows per second, each in a transaction of its own, or all in one. */
  async measure(rows: number, isOneTransaction: boolean): Promise<number> {
    const startedAt = performance.now()
    if (isOneTransaction) await this.#client.query('begin')
    for (let n = 0; n < rows; n++) {
      const row = [1, 1, 1, Date.now(), 1, 1, 200, 812.5, 'a-1', 0, '0.25']
      await this.#client.query(
        'insert into public.naive values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
        row,
      )
    }
    if (isOneTransaction) await this.#client.query('commit')
    return rows / ((performance.now() - startedAt) / 1000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end()
  }
}
