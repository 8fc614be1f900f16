import type { Draw } from '../draw.ts'
import { damage } from './damage.ts'

/** Requests that are right: their paths, and the bodies that those take. */
export const SEEDS: readonly (readonly [target: string, body: unknown])[] = [
  ['/v1/models/m:predict', { signature_name: 'serving_default', instances: [[1, 2, 3, 4]] }],
  ['/v1/models/m:predict', { inputs: { x: [[1, 2, 3, 4]] } }],
  ['/v1/models/m/versions/1:predict', { instances: [{ x: [1, 2.5, -3e-2, 4] }, { x: [0, 0, 0, 0] }] }],
  ['/v1/models/m/labels/stable:predict', { instances: [[1, 2, 3, 4]] }],
  ['/v1/models/m:classify', { context: {}, examples: [{ x: 1 }] }],
  ['/v1/models/m:regress', { examples: [{ x: [1, 2] }] }],
  ['/v1/models/texts:predict', { instances: [{ b64: 'aGk=' }, 'plain'] }],
  ['/v1/models/ints:predict', { instances: [9007199254740991, -1] }],
  ['/v1/models/mixed:predict', { inputs: { x: [[1, 2]], n: [1], s: ['a'] } }],
  [
    '/v2/models/m/infer',
    {
      id: 'a',
      parameters: { binary_data_output: false },
      inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4], parameters: { k: 1 } }],
      outputs: [{ name: 'y', parameters: { classification: 2, binary_data: false } }],
    },
  ],
  [
    '/v2/models/m/versions/1/infer',
    {
      inputs: [
        {
          name: 'x',
          shape: [2, 4],
          datatype: 'FP32',
          data: [
            [1, 2, 3, 4],
            [5, 6, 7, 8],
          ],
        },
      ],
    },
  ],
  ['/v2/models/texts/infer', { inputs: [{ name: 'x', shape: [2], datatype: 'BYTES', data: ['a', 'b'] }] }],
  ['/v2/models/ints/infer', { inputs: [{ name: 'x', shape: [1], datatype: 'INT64', data: [9007199254740991] }] }],
  [
    '/v2/models/mixed/infer',
    {
      inputs: [
        { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] },
        { name: 'n', shape: [1], datatype: 'INT64', data: [1] },
        { name: 's', shape: [1], datatype: 'BYTES', data: ['a'] },
      ],
    },
  ],
  ['/v2/repository/index', { ready: true }],
  ['/v2/repository/models/m/load', { parameters: { config: '{}' } }],
  ['/v2/repository/models/m/unload', { parameters: { unload_dependents: false } }],
  ['/invocations', { dataframe_split: { columns: ['a', 'b', 'c', 'd'], data: [[1, 2, 3, 4]] } }],
  ['/invocations', { dataframe_records: [{ a: 1, b: 2, c: 3, d: 4 }], params: {} }],
  ['/invocations', { instances: [[1, 2, 3, 4]] }],
  ['/invocations', { inputs: { x: [[1, 2, 3, 4]] } }],
]

/** Texts that stand where a value was: wrong types, ends of ranges, and what is no JSON at all. */
const FRAGMENTS: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1', '""', '[]', '{}', '[[]]', '[null]', '{"":null}', '1.5', '"1"'],
  ...[
    'NaN',
    '-NaN',
    'Infinity',
    '-Infinity',
    '"NaN"',
    'nan',
    'undefined',
    'None',
    "'a'",
    '0x10',
    '01',
    '+1',
    '.5',
    '1.',
  ],
  ...['1e999', '-1e999', '1e-999', '9223372036854775807', '9223372036854775808', '-9223372036854775809'],
  ...[
    '18446744073709551616',
    '4294967296',
    '2147483648',
    '1e5',
    '1E+400',
    `1${'0'.repeat(400)}`,
    `0.${'1'.repeat(400)}`,
  ],
  ...['"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x"', '"\\u12"', '"\t"', '"\u2028"', '"é中🙂"', '"unterminated'],
  ...[
    '{"b64":"%%%"}',
    '{"b64":1}',
    '{"b64":"aGk=","more":1}',
    '{"b64":""}',
    '{"__proto__":{"x":1}}',
    '{"constructor":1}',
  ],
  ...[
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{"a":1,"a":2}',
    '{a:1}',
    '[1 2]',
    '/* c */ 1',
    '// c\n1',
    '[1]]',
    '{"a"}',
    '\ufeff1',
    '',
  ],
  ...[
    '"serving_default"',
    '"x"',
    '"y"',
    '"FP32"',
    '"FP16"',
    '"BF16"',
    '"BYTES"',
    '"COMPLEX"',
    '[1,4]',
    '[-1,4]',
    '[0,4]',
  ],
  ...['[4294967296,4294967296]', '[1e9,4]', '[1,4,1,1,1,1,1,1,1,1,1,1]', '[1.5,4]', '["1",4]', '[9223372036854775807]'],
]

/** A place in a value: the keys that lead to it. */
type Path = readonly (string | number)[]

const MARK = '\u0001mark\u0001'

/** Puts what does not belong there somewhere into a JSON value, and now and then damages its bytes. */
export function toWrongJson(draw: Draw, value: unknown): Buffer {
  const path = draw.pick(listPaths(value))
  const marked = JSON.stringify(replace(value, path, toAct(draw)))
  const text = marked.replaceAll(JSON.stringify(MARK), () => toFragment(draw))
  const bytes = Buffer.from(text)
  return draw.chance(0.25) ? damage(draw, bytes) : bytes
}

type Act = 'put' | 'drop' | 'rename' | 'double'

function toAct(draw: Draw): Act {
  return draw.chance(0.6) ? 'put' : draw.pick(['drop', 'rename', 'double'] as const)
}

function toFragment(draw: Draw): string {
  if (draw.chance(0.8)) return draw.pick(FRAGMENTS)
  const depth = draw.pick([10, 100, 1000, 20_000])
  switch (draw.below(4)) {
    case 0:
      return '['.repeat(depth) + ']'.repeat(draw.chance(0.5) ? depth : 0)
    case 1:
      return `${'{"a":'.repeat(depth)}1${'}'.repeat(draw.chance(0.5) ? depth : 0)}`
    case 2:
      return `"${'a'.repeat(depth)}"`
    default:
      return `[${Array.from({ length: depth }, () => draw.pick(['1', '[1]', '1.5'])).join(',')}]`
  }
}

function listPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, item]) => listPaths(item, [...path, key]))]
}

function replace(value: unknown, [key, ...rest]: Path, act: Act): unknown {
  if (key === undefined) return act === 'double' ? [value, value] : MARK
  const entries = Object.entries(value as object).flatMap(([name, item]): [string, unknown][] => {
    if (name !== String(key)) return [[name, item]]
    if (rest.length > 0 || act === 'put') return [[name, replace(item, rest, act)]]
    if (act === 'drop') return []
    return act === 'rename'
      ? [[`${name}x`, item]]
      : [
          [name, item],
          [`${name}2`, item],
        ]
  })
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries)
}
