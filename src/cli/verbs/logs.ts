import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

/** `regatta logs`: the log of a replica, of the gateway, or of `up` itself. */
export const logs = verb<{ lines: string; follow: boolean }>({
  brief: 'Show the log of a replica, the gateway or up',
  flags: {
    lines: { kind: 'parsed', parse: String, brief: 'How many of the last lines', placeholder: 'n', default: '50' },
    follow: { kind: 'boolean', brief: 'Go on until Ctrl-C', default: false, withNegated: false },
  },
  aliases: { n: 'lines', f: 'follow' },
  args: [{ brief: 'a replica such as a-1, gateway, or up (default: gateway)', placeholder: 'process', optional: true }],
  deployment: true,
  async run(call, flags, [name = 'gateway']) {
    const { openClient } = await import('../client.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    if (!/^[1-9]\d{0,5}$/.test(flags.lines)) {
      throw new UsageError('LINES', `Cannot read "${flags.lines}" as a number of lines: expected 1 to 999999`, {
        fix: 'For example --lines 200',
      })
    }
    const workplace = await openWorkplace(call)
    const print = (text: string): void =>
      call.out(
        call.json ? `${JSON.stringify({ schema: 'regatta/log-line/v1', process: name, line: text })}\n` : `${text}\n`,
      )
    if (name === 'up') {
      const { readFileIfAny } = await import('../../core/files.node.ts')
      const lines = ((await readFileIfAny(workplace.paths.upLog)) ?? '').trimEnd().split('\n')
      for (const line of lines.slice(-Number(flags.lines))) if (line !== '') print(line)
      return EXIT.done
    }
    await using client = await openClient(call, workplace)
    for await (const line of client.logs(name, Number(flags.lines), flags.follow)) print(line)
    return EXIT.done
  },
})
