import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toSingleModel } from '../index.ts'
import { toDouble, toIdentity, toTwoByTwo } from '../testing/models.ts'
import { openPlace, openServer } from '../testing/place.ts'

const PATH = '/invocations'
const csv = { headers: { 'content-type': 'text/csv; charset=utf-8' } }

describe("MLflow's scoring protocol", () => {
  it('predicts for tables whose columns are the features of the only input', async () => {
    await using server = await openServer(toDouble())
    const bodies: readonly [body: unknown, init?: RequestInit][] = [
      [
        {
          dataframe_split: {
            columns: ['a', 'b'],
            index: [0, 1],
            data: [
              [1, 2.5],
              [3, null],
            ],
          },
        },
      ],
      [
        {
          dataframe_records: [
            { a: 1, b: 2.5 },
            { b: null, a: 3 },
          ],
        },
      ],
      ['a,b\r\n1,2.5\r\n3,\r\n', csv],
      ['\uFEFF"a","b, or c"\n\n1.0, 2.5\n"3",NaN', csv],
      [
        {
          instances: [
            [1, 2.5],
            [3, Number.NaN],
          ],
          params: {},
        },
      ],
      [
        {
          inputs: {
            x: [
              [1, 2.5],
              [3, null],
            ],
          },
        },
      ],
    ]
    for (const [body, init] of bodies) {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      // JSON.stringify writes NaN as null, which is no number outside tables.
      const sent = 'instances' in Object(body) || 'inputs' in Object(body) ? text.replace('null', 'NaN') : text
      const answer = await server.ask(PATH, sent, init)
      assert.deepEqual([answer.status, answer.text], [200, '{"predictions":[[2.0,5.0],[6.0,NaN]]}'], text)
    }
  })

  it('predicts for tables whose columns are the inputs', async () => {
    await using server = await openServer(toTwoByTwo())
    const wanted = '{"predictions":[{"sum":[4.0],"difference":[2.0]}]}'
    const bodies: readonly [body: unknown, init?: RequestInit][] = [
      [{ dataframe_split: { columns: ['b', 'a'], data: [[1, 3]] } }],
      [{ dataframe_records: [{ b: [1], a: 3 }] }],
      ['b,a\n1,3\n', csv],
      [{ instances: [{ a: [3], b: [1] }] }],
    ]
    for (const [body, init] of bodies) assert.equal((await server.ask(PATH, body, init)).text, wanted)
    const tensors = await server.ask(PATH, { inputs: { a: [[3]], b: [[1]] } })
    assert.equal(tensors.text, '{"predictions":{"sum":[[4.0]],"difference":[[2.0]]}}')
  })

  const cells = [
    ['string', 'x\n007\n"say ""a, b"""\n', '["007","say \\"a, b\\""]'],
    ['bool', 'x\nTrue\nfalse\n', '[true,false]'],
    ['int64', 'x\n9007199254740993\n-1\n', '[9007199254740993,-1]'],
    ['float64', 'other name\ninf\n-Infinity\n1e3\n', '[Infinity,-Infinity,1000.0]'],
  ] as const
  for (const [dtype, table, wanted] of cells) {
    it(`reads cells of ${dtype}`, async () => {
      await using server = await openServer(toIdentity(dtype, ['n']))
      assert.equal((await server.ask(PATH, table, csv)).text, `{"predictions":${wanted}}`)
    })
  }

  const wrong: readonly [body: unknown, status: number, error: RegExp, init?: RequestInit][] = [
    [{}, 400, /exactly one of the input fields "dataframe_split", /],
    [{ instances: [[1, 2]], inputs: [[1, 2]] }, 400, /exactly one of the input fields/],
    [{ instances: [[1, 2]], params: { k: 1 } }, 400, /^Cannot use "params": the model takes none$/],
    [{ instances: [[1, 2]], more: 1 }, 400, /^Cannot use "more" beside "instances"$/],
    [{ dataframe_split: [] }, 400, /^Unable to parse "dataframe_split"/],
    [{ dataframe_split: { columns: [true], data: [[1]] } }, 400, /^Unable to parse "columns": expected names$/],
    [{ dataframe_split: { columns: ['a', 'b'], data: [] } }, 400, /table without rows$/],
    [
      { dataframe_split: { columns: ['a', 'b'], data: [[1, 2], [3]] } },
      400,
      /row 1 of the table: expected 2 cells, found 1/,
    ],
    [{ dataframe_split: { columns: ['a', 'a'], data: [[1, 2]] } }, 400, /column "a" stands in it twice$/],
    [
      { dataframe_split: { columns: ['a'], data: [[1]] } },
      400,
      /^Cannot use input "x": expected shape \[-1,2\], found \[1,1\]$/,
    ],
    [{ dataframe_records: [1] }, 400, /^Unable to parse "dataframe_records"/],
    [{ dataframe_records: 'text' }, 400, /^Unable to parse "dataframe_records"/],
    [{ dataframe_records: { a: 1 } }, 400, /^Unable to parse "dataframe_records"/],
    [{ dataframe_split: { columns: null, data: [[1]] } }, 400, /^Unable to parse/],
    [
      {
        dataframe_records: [
          { a: 1, b: 2 },
          { a: 1, c: 2 },
        ],
      },
      400,
      /^Cannot use record 1 .*other columns/,
    ],
    ['a,b\n1,word\n', 400, /^Cannot read "word" as a number \(row 0, column "b"\)$/, csv],
    ['a,b\n1,"2\n', 400, /^Cannot read line 2 of the table: a quote is out of its place$/, csv],
    ['a,b\n1,2\n', 415, /charset=latin1/, { headers: { 'content-type': 'text/csv; charset=latin1' } }],
    ['x', 415, /of type "text\/html"/, { headers: { 'content-type': 'text/html' } }],
  ]
  it('refuses what it cannot use', async () => {
    await using server = await openServer(toDouble())
    for (const [body, status, error, init] of wrong) {
      const answer = await server.ask(PATH, body, init)
      assert.equal(answer.status, status, answer.text)
      assert.match(JSON.parse(answer.text).error, error)
    }
    assert.equal((await server.ask(PATH)).status, 405)
    await using two = await openServer(toTwoByTwo())
    const columns = await two.ask(PATH, { dataframe_records: [{ a: 1, c: 2 }] })
    assert.match(columns.text, /missing are {b}, and the model has no {c}/)
  })

  it('needs a server of one model', async () => {
    await using place = await openPlace({ 1: toDouble() })
    const models = [toSingleModel('a', place.basePath), toSingleModel('b', place.basePath)]
    await using server = await openServer(toDouble(), { models })
    const answer = await server.ask(PATH, { instances: [[1, 2]] })
    assert.deepEqual(
      [answer.status, answer.text],
      [
        400,
        '{"error":"Cannot tell which model /invocations is for: the server has 2 (a, b); use /v1/models/NAME:predict"}',
      ],
    )
  })

  it('answers the other questions of the protocol', async () => {
    await using server = await openServer(toDouble())
    for (const path of ['/ping', '/health']) assert.equal((await server.ask(path)).status, 200)
    assert.match((await server.ask('/version')).text, /^\d+\.\d+\.\d+/)
  })
})
