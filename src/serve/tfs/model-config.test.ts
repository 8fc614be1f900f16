import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LATEST } from '../catalog/version-policy.ts'
import { parseModelConfigs } from './model-config.ts'
import { BATCHING_PARAMETERS } from './schemas.ts'
import { parseTextProto } from './text-proto.ts'

const parse = (text: string) => parseModelConfigs(text, 'models.config')
const one = (fields: string): string => `model_config_list { config { name: "m" base_path: "/m" ${fields} } }`

describe('parseModelConfigs()', () => {
  it('reads several models with policies and labels, in any of the ways to write them', () => {
    const text = `
# two models
model_config_list: {
  config {
    name: 'first' base_path: "/models/" 'first', model_platform: "tensorflow";
    model_version_policy { specific { versions: 42 versions: 0x2b } }
    version_labels { key: 'stable' value: 42 }
    version_labels: < key: "canary", value: 43 >
  }
  config: <
    base_path: '/models/sec\\x6f\\156d\\u0020caf\\303\\251' # bytes of UTF-8
    name: "second"
    model_version_policy: { specific: { versions: [1, 2, 3] } }
  >
}
`
    assert.deepEqual(parse(text), [
      {
        name: 'first',
        basePath: '/models/first',
        policy: { kind: 'specific', versions: [42, 43] },
        labels: new Map([
          ['stable', 42],
          ['canary', 43],
        ]),
      },
      {
        name: 'second',
        basePath: '/models/second café',
        policy: { kind: 'specific', versions: [1, 2, 3] },
        labels: new Map(),
      },
    ])
  })

  it('reads lists of messages, policies, and a file that serves nothing', () => {
    const two = parse('model_config_list { config: [{ name: "a" base_path: "/a" }, { name: "b" base_path: "/b" }] }')
    assert.deepEqual(
      two.map(({ name, policy }) => [name, policy]),
      [
        ['a', LATEST],
        ['b', LATEST],
      ],
    )
    const policyOf = (text: string) => parse(one(`model_version_policy { ${text} }`))[0]?.policy
    assert.deepEqual(policyOf('all {}'), { kind: 'all' })
    assert.deepEqual(policyOf('latest { num_versions: 3 }'), { kind: 'latest', count: 3 })
    assert.deepEqual(policyOf('latest {}'), LATEST)
    assert.deepEqual(policyOf(''), LATEST)
    assert.deepEqual(parse(''), [])
    assert.deepEqual(parse('# nothing'), [])
  })

  const wrong: readonly [name: string, text: string, message: RegExp, fix?: RegExp][] = [
    [
      'an unknown field',
      'model_config_list {\n  config { nmae: "m" }\n}',
      /^Cannot find a field "nmae" here \(models\.config:2:12\)$/,
      /^Did you mean "name"\?$/,
    ],
    ['a field that is like none', 'models {}', /"models" here \(models\.config:1:1\)/, /^Use one of model_config_list/],
    ['a value of another type', one('model_platform: 7'), /Expected a string in quotes, found "7" \(.*:1:72\)$/],
    ['a field set twice', one('name: "n"'), /^Cannot set the field "name" twice: it is no list/],
    ['a list where there is none', one('model_platform: ["a"]'), /^Cannot set the field "model_platform" to a list/],
    ['two of one choice', one('model_version_policy { all {} latest {} }'), /^Cannot set both "all" and "latest"/],
    [
      'a version that is no number',
      one('version_labels { key: "a" value: 1.5 }'),
      /^Expected a whole number, found "1.5"/,
    ],
    [
      'a negative version',
      one('version_labels { key: "a" value: -1 }'),
      /^Cannot use -1 as value: expected 0 to 9{15}/,
    ],
    ['no colon before a value', one('model_platform "a"'), /^Expected ":" after "model_platform", found "a"/],
    [
      'a message that does not end',
      'model_config_list { config {',
      /found the end of the file \(models\.config:1:29\)$/,
    ],
    ['a message that ends otherwise', 'model_config_list { >', /^Expected a field's name, found ">" /],
    ['a string that does not end', one('model_platform: "a'), /^Cannot read ""a } }" /],
    ['an unknown escape', one('model_platform: "\\q"'), /^Cannot read the escape "\\q" in a string/],
    ['bytes that are no text', one('model_platform: "\\377"'), /^Cannot read a string: its bytes are not UTF-8/],
    ['a number with letters', one('model_platform: 12abc'), /^Cannot read "12abc } }"/],
    [
      'a list that does not end',
      one('model_version_policy { specific { versions: [1 2] } }'),
      /"," or "]" in a list, found "2"/,
    ],
    ['logging', one('logging_config {}'), /^Cannot use the field "logging_config" /, /recorded by the gateway/],
    ['a custom config', 'custom_model_config {}', /^Cannot use the field "custom_model_config"/, /model_config_list/],
  ]
  for (const [name, text, message, fix = /^undefined$/] of wrong) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parse(text),
        error => {
          const { code, fix: found } = Object(error)
          assert.equal(code, 'TEXT_PROTO')
          assert.match(Object(error).message, message)
          assert.match(String(found), fix)
          return true
        },
      )
    })
  }

  it('refuses models that do not go together, in the words of TensorFlow Serving', () => {
    const twice = 'model_config_list { config { name: "m" base_path: "/a" } config { name: "m" base_path: "/b" } }'
    assert.throws(() => parse(twice), { message: 'Illegal to list model m multiple times in config list' })
    assert.throws(() => parse(one('model_platform: "caffe"')), {
      message: 'Model m requests unsupported platform caffe',
    })
    assert.throws(() => parse('model_config_list { config { base_path: "/m" } }'), { message: /^Cannot use "" as a/ })
  })
})

describe('parseTextProto()', () => {
  it('reads numbers and truth values in all their forms', () => {
    const text = `max_batch_size { value: 0100 } batch_timeout_micros { value: -0x10 }
      allowed_batch_sizes: 1 allowed_batch_sizes: [] allowed_batch_sizes: [2, 4]
      pad_variable_length_inputs: t enable_large_batch_splitting { value: 0 }`
    const parsed = parseTextProto(text, BATCHING_PARAMETERS, 'batching.config')
    assert.deepEqual(parsed, {
      max_batch_size: { value: 64n },
      batch_timeout_micros: { value: -16n },
      max_enqueued_batches: undefined,
      num_batch_threads: undefined,
      thread_pool_name: undefined,
      enable_large_batch_splitting: { value: false },
      max_execution_batch_size: undefined,
      allowed_batch_sizes: [1n, 2n, 4n],
      pad_variable_length_inputs: true,
    })
  })

  it('reads fractions', () => {
    const schema = { d: { kind: 'double', repeated: true } } as const
    assert.deepEqual(parseTextProto('d: [1, -.5, 2e3, 1.5f]', schema, 'f').d, [1, -0.5, 2000, 1.5])
    assert.throws(() => parseTextProto('d: 2e', schema, 'f'), { code: 'TEXT_PROTO' })
  })
})
