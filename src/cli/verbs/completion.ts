import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_regatta() { mapfile -t COMPREPLY < <(regatta completion propose -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null); }
complete -o default -F _regatta regatta
`,
  zsh: `#compdef regatta
_regatta() { local -a found; found=("\${(@f)$(regatta completion propose -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"); compadd -a found; }
compdef _regatta regatta
`,
  fish: `complete -c regatta -f -a '(regatta completion propose -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

/** `regatta completion`: a shell's completion script; `propose` is what the scripts call. */
export const completion = verb<Record<never, never>>({
  brief: 'Print the completion script of bash, zsh or fish',
  description: 'For bash: regatta completion bash > ~/.local/share/bash-completion/completions/regatta',
  flags: {},
  args: [{ brief: 'bash, zsh or fish', placeholder: 'shell' }],
  rest: { brief: 'The words so far (used by the scripts)', placeholder: 'word' },
  async run(call, _flags, [shell = '', ...words]) {
    if (shell === 'propose') {
      const { proposeWords } = await import('../app.ts')
      for (const word of await proposeWords(call, words)) call.out(`${word}\n`)
      return EXIT.done
    }
    const script = SCRIPTS[shell]
    if (script === undefined) {
      const { UsageError } = await import('../../core/errors.ts')
      throw new UsageError('SHELL', `Cannot complete for "${shell}": expected bash, zsh or fish`, {
        fix: 'regatta completion bash',
      })
    }
    call.out(script)
    return EXIT.done
  },
})
