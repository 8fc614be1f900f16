import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

/** `regatta demo`: the whole story on this machine, with true figures. */
export const demo = verb<{ keep: boolean; swap: boolean }>({
  brief: 'Tell the whole story: train, pack, deploy, race on live data, promote, roll back',
  description:
    'Runs in a folder that holds the forecast example, else makes one in ./regatta-demo. Trains A and B, lets them race on new ' +
    'live data, promotes the winner, kills a replica, rolls back, and stops everything. Takes about three minutes.',
  flags: {
    keep: {
      kind: 'boolean',
      brief: 'Leave it running and print the address of the page',
      default: false,
      withNegated: false,
    },
    swap: { kind: 'boolean', brief: 'Exchange the roles of A and B', default: false, withNegated: false },
  },
  async run(call, flags) {
    const { tellStory } = await import('../demo/story.node.ts')
    // A story for one machine: its events are no part of another database.
    const { DATABASE_URL: _, ...env } = call.env
    const report = await tellStory({ ...call, env }, flags)
    if (call.json) call.out(`${JSON.stringify(report)}\n`)
    const decided = report.verdict.state !== 'keep-racing' && report.verdict.state !== 'warming-up'
    return report.failedRequests > 0 ? EXIT.failed : decided ? EXIT.done : EXIT.undecided
  },
})
