import type { RaceConfig } from '../config/index.ts'
import type { Clock } from '../core/clock.ts'
import type { RaceEvent, Store } from '../store/index.ts'
import type { Deployer } from './deployment/deployer.node.ts'
import type { Logger } from './logger.ts'
import type { Look } from './race/look.ts'
import { type Action, toAction } from './race/steering.ts'

/** What a steward works with. */
export interface StewardWorld {
  readonly deployer: Pick<Deployer, 'step' | 'withdraw' | 'crown'>
  readonly store: Pick<Store, 'addRaceEvent'>
  readonly clock: Clock
  readonly logger: Logger
  readonly promote: RaceConfig['promote']
  /** Told of what was just done about a race. */
  readonly onEvent: (event: RaceEvent) => void
}

/** Does about a race that was just looked at what its rule says, and writes it down. */
export async function steer(world: StewardWorld, { placed, ...look }: Look): Promise<void> {
  if (placed === undefined) return
  const at = world.clock()
  const action = toAction({ ...look, ...placed }, { promote: world.promote, now: at })
  if (action.kind === 'none' || !(await carryOut(world, look.race.b, action))) return
  const event: RaceEvent = { race: look.race.id, at, kind: toEventKind(action), detail: action.reason }
  await world.store.addRaceEvent(event)
  world.logger.info({ ...event, challenger: placed.challenger.name }, 'The race was steered')
  world.onEvent(event)
}

type Deed = Exclude<Action, { readonly kind: 'none' }>

/** Says whether it was done: the deployment may have changed since the look. */
async function carryOut({ deployer }: StewardWorld, challenger: number, action: Deed): Promise<boolean> {
  if (action.kind === 'step') return await deployer.step(challenger, action.weight, action.reason)
  if (action.kind === 'withdraw') return await deployer.withdraw(challenger, action.how, action.reason)
  return await deployer.crown(challenger, action.reason)
}

function toEventKind(action: Deed): RaceEvent['kind'] {
  if (action.kind === 'withdraw') return action.how
  return action.kind === 'step' ? 'step' : 'promoted'
}
