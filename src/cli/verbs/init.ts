import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

/** `regatta init`: a project to start from, the forecast example. */
export const init = verb<Record<never, never>>({
  brief: 'Make a new project from the forecast example',
  description:
    'Writes regatta.yaml, a training script and its data into the folder (default: this one). Nothing that exists is overwritten.',
  flags: {},
  args: [{ brief: 'Where to', placeholder: 'folder', optional: true }],
  async run(call, _flags, [folder = '.']) {
    const { scaffold } = await import('../scaffold.node.ts')
    const files = await scaffold(call, folder)
    if (call.json) call.out(`${JSON.stringify({ schema: 'regatta/init/v1', files })}\n`)
    else {
      call.out(files.map(file => `${file}\n`).join(''))
      call.err('next: regatta train, regatta pack, regatta deploy\n')
    }
    return EXIT.done
  },
})
