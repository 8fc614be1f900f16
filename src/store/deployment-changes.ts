import type { ChangeCause, ChangedVariant, DeploymentChange } from './facts/deployment.ts'
import type { Sql } from './sql.ts'

/** What version 9 of the schema adds: who changed the deployment, and why. */
export function toChangeTables({
  integer,
  end,
}: {
  readonly integer: string
  readonly end: string
}): readonly string[] {
  return [
    `create table deployment_change (
      epoch ${integer} primary key, at ${integer} not null, kind text not null, actor text not null,
      reason text not null, variants text not null)${end}`,
  ]
}

/** Notes what brought an epoch about; what is known of it already stays. */
export async function addDeploymentChange(sql: Sql, change: DeploymentChange): Promise<void> {
  const { by: actor, variants, ...rest } = change
  const row = { ...rest, actor, variants: JSON.stringify(variants) }
  await sql.run(
    sql.build
      .insertInto('deployment_change')
      .values(row)
      .onConflict(conflict => conflict.doNothing())
      .compile(),
  )
}

/** The last changes, the newest first. */
export async function readDeploymentChanges(sql: Sql, limit: number): Promise<readonly DeploymentChange[]> {
  const query = sql.build.selectFrom('deployment_change').selectAll().orderBy('epoch', 'desc').limit(limit)
  return (await sql.all(query.compile())).map(({ actor, kind, variants, ...row }) => ({
    ...row,
    kind: kind as ChangeCause['kind'],
    by: actor,
    // `addDeploymentChange` wrote it.
    variants: JSON.parse(variants) as readonly ChangedVariant[],
  }))
}
