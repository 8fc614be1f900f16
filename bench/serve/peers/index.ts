import type { Contender } from '../contender.ts'
import { BENTOML } from './bentoml.ts'
import { FASTAPI } from './fastapi.ts'
import { KSERVE } from './kserve.ts'
import { LITSERVE } from './litserve.ts'
import { MLSERVER, MLSERVER_DEFAULT } from './mlserver.ts'
import { NGINX } from './nginx.ts'
import { NODE_BY_HAND } from './node-by-hand.ts'
import { ORT_NODE, ORT_PYTHON } from './ort.ts'
import { PYTRITON } from './pytriton.ts'
import { REGATTA, REGATTA_UNBATCHED } from './regatta.ts'

/** All that is measured, in the order of the table. */
export const CONTENDERS: readonly Contender[] = [
  ...[REGATTA, REGATTA_UNBATCHED],
  ...[FASTAPI, MLSERVER, MLSERVER_DEFAULT, KSERVE, BENTOML, LITSERVE, PYTRITON],
  ...[NODE_BY_HAND, ORT_NODE, ORT_PYTHON, NGINX],
]
