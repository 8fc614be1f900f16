import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { UsageError } from '../core/errors.ts'
import { parseProject } from './parse.ts'
import type { Project } from './project.ts'

const read = (text: string, env: Record<string, string> = {}): Project =>
  parseProject(text, { folder: '/home/ada/forecast', env })

/** The lines of the error, without its first. */
function problemsOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    read(text, env)
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error))
    assert.equal(error.code, 'CONFIG')
    assert.doesNotMatch(error.message, /invalid/i)
    return error.message
      .split('\n')
      .slice(1)
      .map(line => line.trim())
  }
  assert.fail('no problem was found')
}

describe('parseProject()', () => {
  it('fills in every default', () => {
    assert.deepEqual(read('name: forecast'), {
      folder: '/home/ada/forecast',
      name: 'forecast',
      train: undefined,
      image: {
        repository: undefined,
        server: 'onnx',
        base: 'host',
        platforms: [],
        modelPath: '/models/forecast',
        modelCompression: 'stored',
        loops: 'rewrite',
        files: {},
        command: [],
      },
      serve: {
        replicas: 1,
        access: 'open',
        cors: [],
        alerts: { webhook: undefined, format: 'slack' },
        resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '512Mi' } },
        autoscale: undefined,
      },
      race: {
        task: 'regression',
        prediction: undefined,
        truth: { by: 'prediction' },
        champion: undefined,
        loss: { kind: 'squared' },
        mode: 'shadow',
        alpha: 0.05,
        tOpt: 1000,
        minGain: 0,
        margin: 0,
        season: 1,
        strict: false,
        cap: undefined,
        entity: undefined,
        covariate: undefined,
        sample: undefined,
        log: 'none',
        drop: [],
        hash: [],
        maturityMs: 0,
        challengers: 1,
        ramp: [],
        guardrails: {},
        budget: {},
        promote: 'ask',
      },
      targets: {
        local: { host: '127.0.0.1', httpPort: 8501, grpcPort: 8500, controlPort: 8400, tls: undefined },
        kubernetes: {
          context: undefined,
          namespace: undefined,
          expose: 'LoadBalancer',
          gateway: { replicas: 2 },
          control: { replicas: 1 },
          database: undefined,
          storage: { size: '1Gi', class: undefined, ephemeral: false },
          priorityClass: undefined,
          nodeSelector: {},
          tolerations: [],
          topologySpread: [{ topologyKey: 'kubernetes.io/hostname', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }],
          imagePullSecrets: [],
          env: {},
          overlay: [],
        },
      },
    })
  })

  it('reads every key', () => {
    const project = read(`# yaml-language-server: $schema=./schema.json
name: forecast
train:
  run: node train.ts
  params: { hidden: 100, learning_rate: 1e-3, optimizer: adam, shuffle: true }
  data: [data/series.csv]
  output: out/model
image:
  repository: registry.example.com:5000/team/forecast
  server: custom
  base: python:3.12-slim
  platforms: [linux/arm64, linux/amd64]
  modelPath: /srv/models
  modelCompression: none
  loops: keep
  files: { /app/site-packages: .venv/lib, /app/server.py: server.py }
  command: [python, /app/server.py]
serve:
  access: token
  cors: ['https://app.example', 'http://localhost:3000']
  resources: { requests: { cpu: 1, memory: 1Gi }, limits: { cpu: 1.5, memory: 2Gi } }
  autoscale: { min: 3, max: 9, cpu: 60% }
race:
  task: forecast
  prediction: '[-1][0]'
  truth: { by: series, series: name, at: 'time' }
  champion: a
  loss: pinball(0.9)
  mode: split
  alpha: 0.01
  tOpt: 500
  minGain: 0.1
  margin: 0.2
  season: 24
  cap: 0.95
  maturity: 36h
  challengers: 2
  ramp: [5%, 20%, 50%]
  guardrails: { errorRate: 0.5%, p99: 1.5x }
  budget: { labels: 20000, days: 14 }
  promote: auto
targets:
  local: { host: 0.0.0.0, httpPort: 0, grpcPort: 0, controlPort: 0, tls: { cert: gw.pem, key: gw.key, clientCa: ca.pem } }
  kubernetes:
    context: prod
    namespace: team
    expose: ClusterIP
    gateway: { replicas: 3 }
    control: { replicas: 4 }
    database: { secret: events, key: address }
    storage: { size: 5Gi, class: fast, ephemeral: true }
    priorityClass: high
    nodeSelector: { kubernetes.io/arch: amd64 }
    tolerations: [{ key: gpu, operator: Exists, effect: NoSchedule }]
    topologySpread: [{ topologyKey: zone, maxSkew: 2, whenUnsatisfiable: DoNotSchedule }]
    imagePullSecrets: [pull]
    env: { TZ: UTC }
    overlay: [{ kind: Deployment, part: gateway, patch: { spec: { replicas: 4 } } }]
`)
    assert.deepEqual(project, {
      folder: '/home/ada/forecast',
      name: 'forecast',
      train: {
        run: 'node train.ts',
        params: { hidden: 100, learning_rate: 0.001, optimizer: 'adam', shuffle: true },
        data: ['data/series.csv'],
        output: 'out/model',
      },
      image: {
        repository: 'registry.example.com:5000/team/forecast',
        server: 'custom',
        base: 'python:3.12-slim',
        platforms: ['linux/arm64', 'linux/amd64'],
        modelPath: '/srv/models',
        modelCompression: 'none',
        loops: 'keep',
        files: { '/app/site-packages': '.venv/lib', '/app/server.py': 'server.py' },
        command: ['python', '/app/server.py'],
      },
      serve: {
        replicas: 3,
        access: 'token',
        cors: ['https://app.example', 'http://localhost:3000'],
        alerts: { webhook: undefined, format: 'slack' },
        resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1.5', memory: '2Gi' } },
        autoscale: { min: 3, max: 9, cpu: 0.6 },
      },
      race: {
        task: 'forecast',
        prediction: '[-1][0]',
        truth: { by: 'series', series: 'name', at: 'time' },
        champion: 'a',
        loss: { kind: 'pinball', quantile: 0.9 },
        mode: 'split',
        alpha: 0.01,
        tOpt: 500,
        minGain: 0.1,
        margin: 0.2,
        season: 24,
        strict: false,
        cap: 0.95,
        entity: undefined,
        covariate: undefined,
        sample: undefined,
        log: 'none',
        drop: [],
        hash: [],
        maturityMs: 129_600_000,
        challengers: 2,
        ramp: [0.05, 0.2, 0.5],
        guardrails: { errorRate: 0.005, p99: 1.5 },
        budget: { labels: 20_000, days: 14 },
        promote: 'auto',
      },
      targets: {
        local: {
          host: '0.0.0.0',
          httpPort: 0,
          grpcPort: 0,
          controlPort: 0,
          tls: { cert: 'gw.pem', key: 'gw.key', clientCa: 'ca.pem' },
        },
        kubernetes: {
          context: 'prod',
          namespace: 'team',
          expose: 'ClusterIP',
          gateway: { replicas: 3 },
          control: { replicas: 4 },
          database: { secret: 'events', key: 'address' },
          storage: { size: '5Gi', class: 'fast', ephemeral: true },
          priorityClass: 'high',
          nodeSelector: { 'kubernetes.io/arch': 'amd64' },
          tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
          topologySpread: [{ topologyKey: 'zone', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' }],
          imagePullSecrets: ['pull'],
          env: { TZ: 'UTC' },
          overlay: [{ kind: 'Deployment', part: 'gateway', patch: { spec: { replicas: 4 } } }],
        },
      },
    })
  })

  const defaults = [
    ['forecast', 'squared', 'shadow'],
    ['classification', 'log', 'shadow'],
    ['value', 'value', 'split'],
  ] as const
  for (const [task, loss, mode] of defaults) {
    it(`defaults task ${task} to loss ${loss} and mode ${mode}`, () => {
      const { race } = read(`name: m\nrace: { task: ${task} }`)
      assert.deepEqual([race.loss, race.mode], [{ kind: loss }, mode])
    })
  }

  const table = [
    [
      'a wrong type',
      'name: m\nserve:\n  replicas: three',
      ['regatta.yaml:3:13 serve.replicas: expected a whole number of 1 or more, found "three"'],
    ],
    [
      'a fraction',
      'name: m\nserve: { replicas: 1.5 }',
      ['regatta.yaml:2:20 serve.replicas: expected a whole number of 1 or more, found 1.5'],
    ],
    [
      'a misspelt key',
      'name: m\nserve:\n  replcas: 3',
      ['regatta.yaml:3:3 serve.replcas: unknown key, did you mean `replicas`?'],
    ],
    [
      'a key of another section',
      'name: m\nreplicas: 3',
      ['regatta.yaml:2:1 replicas: unknown key, did you mean `serve.replicas`?'],
    ],
    [
      'a key like no other',
      'name: m\nserve: { zzzzzzzz: 1 }',
      [
        'regatta.yaml:2:10 serve.zzzzzzzz: unknown key, expected one of replicas, access, cors, alerts, resources, autoscale',
      ],
    ],
    [
      'an amount of memory that is none',
      'name: m\nserve: { resources: { requests: { memory: 1 GB } } }',
      [
        'regatta.yaml:2:43 serve.resources.requests.memory: expected an amount of memory such as 256Mi or 1Gi, found "1 GB"',
      ],
    ],
    [
      'a limit below what is requested',
      'name: m\nserve: { resources: { limits: { memory: 64Mi } } }',
      ['regatta.yaml:2:31 serve.resources.limits: expected at least what is requested, of memory, found a mapping'],
    ],
    [
      'several controls on one file',
      'name: m\ntargets: { kubernetes: { control: { replicas: 2 } } }',
      [
        'regatta.yaml:2:47 targets.kubernetes.control.replicas: expected 1 without a database, since they would share one file, found 2',
      ],
    ],
    [
      'two numbers of replicas',
      'name: m\nserve: { replicas: 1, autoscale: { min: 2, max: 3 } }',
      ['regatta.yaml:2:20 serve.replicas: expected nothing here, or the same as autoscale.min, found 1'],
    ],
    [
      'a missing key',
      'name: m\ntrain:\n  output: model',
      ['regatta.yaml:3:3 train.run: expected a command line, found nothing'],
    ],
    [
      'an empty section',
      'name: m\nserve:\n',
      [
        'regatta.yaml:2:7 serve: expected a mapping with replicas, access, cors, alerts, resources, autoscale, found nothing',
      ],
    ],
    [
      'a list for a mapping',
      'name: m\nserve: [1]',
      [
        'regatta.yaml:2:8 serve: expected a mapping with replicas, access, cors, alerts, resources, autoscale, found a list',
      ],
    ],
    [
      'a name that is no DNS label',
      'name: My_Model',
      [
        'regatta.yaml:1:7 name: expected a DNS label: 1–63 of a–z, 0–9 and -, first a letter, last not -, found "My_Model"',
      ],
    ],
    [
      'an item of a list',
      'name: m\ntrain:\n  run: x\n  data:\n    - a.csv\n    - [b]',
      ['regatta.yaml:6:7 train.data.1: expected the path of a file, or a pattern, found a list'],
    ],
    [
      'a param that is a list',
      'name: m\ntrain:\n  run: x\n  params:\n    sizes: [1, 2]',
      ['regatta.yaml:5:12 train.params.sizes: expected text, a finite number, true or false, found a list'],
    ],
    [
      'a param that is not finite',
      'name: m\ntrain: { run: x, params: { a: .inf } }',
      ['regatta.yaml:2:31 train.params.a: expected text, a finite number, true or false, found Infinity'],
    ],
    [
      'an output folder outside',
      'name: m\ntrain: { run: x, output: ../model }',
      ['regatta.yaml:2:26 train.output: expected a folder inside the project, such as model, found "../model"'],
    ],
    [
      'a repository with a tag',
      'name: m\nimage: { repository: "team/m:1" }',
      [
        'regatta.yaml:2:22 image.repository: expected a repository without a tag, such as registry.example.com/team/forecast, found "team/m:1"',
      ],
    ],
    [
      'an image server that the base must hold',
      'name: m\nimage: { server: triton }',
      [
        'regatta.yaml:2:8 image.base: expected an image or oci:FOLDER that holds the server, for server triton, found nothing',
      ],
    ],
    [
      'a custom image without a command, and a command where none is run',
      'name: m\nimage: { server: custom, base: python }',
      [
        'regatta.yaml:2:8 image.command: expected a list of words such as [python, /app/server.py], for server custom, found nothing',
      ],
    ],
    [
      'what only a custom image has',
      'name: m\nimage: { command: [a], files: { /a: b } }',
      [
        'regatta.yaml:2:19 image.command: expected nothing here unless server is custom, found a list',
        'regatta.yaml:2:31 image.files: expected nothing here unless server is custom, found a mapping',
      ],
    ],
    [
      'a platform twice',
      'name: m\nimage: { platforms: [linux/arm64, linux/arm64] }',
      ['regatta.yaml:2:21 image.platforms: expected each platform once, found a list'],
    ],
    [
      'a platform that is none',
      'name: m\nimage: { platforms: [linux/arm64, linux/arm64, windows/amd64] }',
      ['regatta.yaml:2:48 image.platforms.2: expected one of linux/amd64, linux/arm64, found "windows/amd64"'],
    ],
    [
      'a loss that does not exist',
      'name: m\nrace: { loss: pinball(0) }',
      [
        'regatta.yaml:2:15 race.loss: expected squared, absolute, pinball(0.9), wmape, log, brier, zero-one or value, found "pinball(0)"',
      ],
    ],
    [
      'a loss that does not fit the task',
      'name: m\nrace:\n  task: classification\n  loss: squared',
      ['regatta.yaml:4:9 race.loss: expected a loss that fits the task: log, brier, zero-one, found "squared"'],
    ],
    [
      'a part of truth that is dropped',
      'name: m\nrace: { truth: { by: series }, drop: [entity, at] }',
      ['regatta.yaml:2:38 race.drop: expected neither series nor at where truth is by series, found a list'],
    ],
    [
      'a part of a record that is none',
      'name: m\nrace: { hash: [input] }',
      [
        'regatta.yaml:2:16 race.hash.0: expected one of series, entity, or a path such as input.customer.email, found "input"',
      ],
    ],
    [
      'a season without a forecast',
      'name: m\nrace: { season: 24 }',
      ['regatta.yaml:2:17 race.season: expected 1 unless task is forecast, found 24'],
    ],
    [
      'exact bounds of a loss without a range',
      'name: m\nrace: { strict: true }',
      [
        'regatta.yaml:2:17 race.strict: expected false unless loss is zero-one, brier or log, or another but wmape with a cap, found true',
      ],
    ],
    [
      'exact bounds of a split',
      'name: m\nrace: { task: classification, mode: split, strict: true }',
      ['regatta.yaml:2:52 race.strict: expected false unless mode is shadow, found true'],
    ],
    [
      'a cap that is no quantile',
      'name: m\nrace: { cap: 12 }',
      ['regatta.yaml:2:14 race.cap: expected a number above 0 and below 1, found 12'],
    ],
    [
      'a series where truth goes by prediction',
      'name: m\nrace:\n  truth:\n    series: name',
      ['regatta.yaml:4:13 race.truth.series: expected nothing here unless by is series, found "name"'],
    ],
    [
      'a duration without a unit',
      'name: m\nrace: { maturity: 90 }',
      ['regatta.yaml:2:19 race.maturity: expected a duration such as 30m, 36h or 2d, found 90'],
    ],
    [
      'a ramp that falls',
      'name: m\nrace: { ramp: [20%, 5%], guardrails: { errorRate: 1% } }',
      ['regatta.yaml:2:15 race.ramp: expected a list of rising shares, such as [5%, 20%, 50%], found a list'],
    ],
    [
      'a share of everything',
      'name: m\nrace: { ramp: [5%, 100%], guardrails: { errorRate: 1% } }',
      ['regatta.yaml:2:20 race.ramp.1: expected a share above 0% and below 100%, such as 5%, found "100%"'],
    ],
    [
      'a ramp that nothing could stop',
      'name: m\nrace: { ramp: [5%, 20%] }',
      ['regatta.yaml:2:15 race.ramp: expected guardrails, such as { errorRate: 1% }, beside a ramp, found a list'],
    ],
    [
      'a ramp of copies',
      'name: m\nrace: { mode: shadow, ramp: [5%], guardrails: { p99: 2x } }',
      ['regatta.yaml:2:15 race.mode: expected split beside a ramp, found "shadow"'],
    ],
    [
      'guardrails without units',
      'name: m\nrace: { guardrails: { errorRate: 0.01, p99: 0.5x } }',
      [
        'regatta.yaml:2:34 race.guardrails.errorRate: expected a share above 0% and below 100%, such as 1%, found 0.01',
        'regatta.yaml:2:45 race.guardrails.p99: expected a factor of 1x or more, such as 1.5x, found "0.5x"',
      ],
    ],
    [
      'a budget of nothing',
      'name: m\nrace: { budget: { labels: 0, days: 0 } }',
      [
        'regatta.yaml:2:27 race.budget.labels: expected a whole number of 1 or more, found 0',
        'regatta.yaml:2:36 race.budget.days: expected a number above 0, found 0',
      ],
    ],
    [
      'a champion that is no name',
      'name: m\nrace: { champion: -a }',
      ['regatta.yaml:2:19 race.champion: expected 1–40 of a–z, 0–9 and -, first a letter, last not -, found "-a"'],
    ],
    [
      'one port for two',
      'name: m\ntargets:\n  local:\n    httpPort: 8400',
      ['regatta.yaml:4:5 targets.local.controlPort: expected another port than httpPort and grpcPort, found nothing'],
    ],
    [
      'an expression with a syntax error',
      "name: m\nrace:\n  prediction: 'a b'",
      [
        'regatta.yaml:3:15 race.prediction: expected a JMESPath expression (Syntax error: unexpected token type: UnquotedIdentifier, value: b), found "a b"',
      ],
    ],
    [
      'an expression with an unknown function',
      "name: m\nrace:\n  prediction: 'lenght(@)'",
      [
        'regatta.yaml:3:15 race.prediction: expected a JMESPath expression (there is no function lenght()), found "lenght(@)"',
      ],
    ],
    [
      'all problems at once, in the order of the file',
      'nam: m\nrace: { task: x, mode: shadow, loss: y }\nserve: { replicas: 0, rep: 1 }',
      [
        'regatta.yaml:1:1 name: expected a DNS label: 1–63 of a–z, 0–9 and -, first a letter, last not -, found nothing',
        'regatta.yaml:1:1 nam: unknown key, did you mean `name`?',
        'regatta.yaml:2:15 race.task: expected one of forecast, regression, classification, value, found "x"',
        'regatta.yaml:2:38 race.loss: expected squared, absolute, pinball(0.9), wmape, log, brier, zero-one or value, found "y"',
        'regatta.yaml:3:20 serve.replicas: expected a whole number of 1 or more, found 0',
        'regatta.yaml:3:23 serve.rep: unknown key, expected one of replicas, access, cors, alerts, resources, autoscale',
      ],
    ],
    [
      'a value that came by an alias',
      'name: &x m\nserve: { replicas: *x }',
      ['regatta.yaml:2:20 serve.replicas: expected a whole number of 1 or more, found "m"'],
    ],
    ['an empty file', '', ['regatta.yaml:1:1: expected keys such as name, found an empty file']],
    ['only comments', '# name: m\n', ['regatta.yaml:1:1: expected keys such as name, found an empty file']],
    ['a list at the top', '- name: m', ['regatta.yaml:1:1: expected keys such as name, found a list']],
    ['text at the top', 'forecast', ['regatta.yaml:1:1: expected keys such as name, found "forecast"']],
    ['a key written twice', 'name: m\nname: n', ['regatta.yaml:2:1: Map keys must be unique']],
    ['a tab', 'name: m\nserve:\n\treplicas: 1', ['regatta.yaml:3:1: expected spaces as indentation, found a tab']],
    ['an open quote', "name: 'm", ["regatta.yaml:1:9: Missing closing 'quote"]],
    ['an unknown escape', 'name: "\\q"', ['regatta.yaml:1:8: Unknown escape sequence \\q']],
    ['a tag', 'name: !m m', ['regatta.yaml:1:7: Unresolved tag: !m']],
    ['two documents', 'name: m\n---\nname: n', ['regatta.yaml:2:1: expected one document, found another after ---']],
    [
      'an anchor that is missing',
      'name: *m',
      ['regatta.yaml:1:7: expected few aliases: Unresolved alias (the anchor must be set before the alias): m'],
    ],
    [
      'a key that is a list',
      'name: m\n? [a]\n: 1',
      ['regatta.yaml:2:3: expected text as a key, found a list or a mapping'],
    ],
    [
      'a key that JavaScript keeps for itself',
      'name: m\ntrain: { run: x, params: { __proto__: 1 } }',
      ['regatta.yaml:2:28: expected another key than "__proto__"'],
    ],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b]
d: [*c,*c,*c,*c,*c,*c,*c,*c]`,
      ['regatta.yaml:2:8: expected few aliases: Excessive alias count indicates a resource exhaustion attack'],
    ],
    [
      'a file of 5 MB',
      `name: ${'m'.repeat(5_000_000)}`,
      ['regatta.yaml:1:1: expected at most 262144 characters, found 5000006'],
    ],
  ] as const
  for (const [name, text, wanted] of table) {
    it(`reports ${name}`, () => assert.deepEqual(problemsOf(text), wanted))
  }

  it('reports nesting that is too deep for the parser', () => {
    const [problem, ...more] = problemsOf('['.repeat(100_000))
    assert.match(
      problem ?? '',
      /^regatta\.yaml:1:\d+: expected a few levels, found lists or mappings nested too deeply$/,
    )
    assert.deepEqual(more, [])
  })

  it('lists twenty problems and counts the others', () => {
    const keys = Array.from({ length: 30 }, (_, i) => `zzzzzzzzz${i}: 1`)
    const problems = problemsOf(`name: m\n${keys.join('\n')}`)
    assert.equal(problems.length, 21)
    assert.equal(problems.at(-1), 'and 10 more')
  })

  const env = [
    ['text', { REGATTA_IMAGE_REPOSITORY: 'r.io/m' }, (p: Project) => p.image.repository, 'r.io/m'],
    ['a port', { REGATTA_TARGETS_LOCAL_HTTP_PORT: '0' }, (p: Project) => p.targets.local.httpPort, 0],
    ['a fraction', { REGATTA_RACE_MIN_GAIN: '1e-2' }, (p: Project) => p.race.minGain, 0.01],
    ['a key that the file has', { REGATTA_SERVE_REPLICAS: '5' }, (p: Project) => p.serve.replicas, 5],
    ['a switch', { REGATTA_RACE_STRICT: 'true', REGATTA_RACE_CAP: '.9' }, (p: Project) => p.race.strict, true],
    ['a name of digits', { REGATTA_RACE_CHAMPION: 'b2' }, (p: Project) => p.race.champion, 'b2'],
    ['nothing from an empty variable', { REGATTA_SERVE_REPLICAS: '' }, (p: Project) => p.serve.replicas, 2],
    ['a section that the file lacks', { REGATTA_TRAIN_RUN: 'make' }, (p: Project) => p.train?.run, 'make'],
  ] as const
  for (const [name, variables, pick, wanted] of env) {
    it(`takes ${name} from the environment`, () => {
      assert.equal(pick(read('name: m\nserve: { replicas: 2 }', variables)), wanted)
    })
  }

  const badEnv = [
    [
      'a bad value',
      { REGATTA_SERVE_REPLICAS: 'three' },
      ['REGATTA_SERVE_REPLICAS: expected a whole number of 1 or more, found "three"'],
    ],
    [
      'a misspelt variable',
      { REGATTA_RACE_MINGAIN: '1' },
      ['REGATTA_RACE_MINGAIN: unknown variable, did you mean REGATTA_RACE_MIN_GAIN?'],
    ],
    [
      'a misspelt section',
      { REGATTA_SERV_REPLICAS: '1' },
      ['REGATTA_SERV_REPLICAS: unknown variable, did you mean REGATTA_SERVE_REPLICAS?'],
    ],
    [
      'a key that is no single value',
      { REGATTA_TRAIN_PARAMS_SIZE_OF_THE_LAYERS: '1' },
      ['REGATTA_TRAIN_PARAMS_SIZE_OF_THE_LAYERS: unknown variable, a key with a single value has one'],
    ],
  ] as const
  for (const [name, variables, wanted] of badEnv) {
    it(`reports ${name} of the environment`, () => assert.deepEqual(problemsOf('name: m', variables), wanted))
  }

  it('leaves variables alone that are no keys', () => {
    const others = {
      REGATTA_TOKEN: 'x',
      REGATTA_TEST_SERVE: '1',
      REGATTA_PARAMS: '{}',
      REGATTA_PARAM_RACE_MIN_GAIN: '1',
      REGATTA_PORT: 'tcp://10.0.0.1',
      PATH: '',
    }
    assert.equal(read('name: m', others).serve.replicas, 1)
  })

  const readsOrReports = (text: string): void => {
    try {
      read(text)
    } catch (error) {
      assert.ok(error instanceof UsageError, `${JSON.stringify(text)}: ${error}`)
    }
  }

  it('throws nothing but a UsageError for any text', () => {
    const yamlish = fc.array(
      fc.constantFrom(
        'name',
        'serve',
        ': ',
        ':',
        '\n',
        '  ',
        '\t',
        '- ',
        '[',
        ']',
        '{',
        '}',
        '&a ',
        '*a',
        '!t ',
        '"',
        "'",
        '|\n',
        '? ',
        '# ',
        '%',
        '---\n',
        '<<',
        '\0',
        '1',
        'é',
        '@',
      ),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(
        yamlish.map(parts => parts.join('')),
        readsOrReports,
      ),
      { numRuns: 1000 },
    )
    fc.assert(fc.property(fc.string({ unit: 'binary' }), readsOrReports), { numRuns: 300 })
  })

  it('throws nothing but a UsageError for any value at any key', () => {
    const value = fc.jsonValue({ maxDepth: 2 })
    const section = fc.dictionary(
      fc.constantFrom('run', 'params', 'data', 'truth', 'loss', 'task', 'local', 'x'),
      value,
    )
    const project = fc.dictionary(
      fc.constantFrom('name', 'train', 'race', 'targets', 'image'),
      fc.oneof(section, value),
    )
    fc.assert(
      fc.property(
        project.map(it => stringify(it)),
        readsOrReports,
      ),
      { numRuns: 300 },
    )
  })
})
