import type { Database } from '../../packages/server/src/store/sql.ts';

/**
 * The essential columns for one guarded upsert. The primary key is its only index, which makes the
 * reference as fast as it can be: its updates touch no index at all.
 */
export async function copyForReference(db: Database): Promise<void> {
  await db.unsafe(`
    create table reference_installation (
      app_ref bigint not null,
      id uuid not null,
      secret_hash bytea,
      provider text not null,
      environment text not null,
      topic text not null,
      token text not null,
      address_key bytea not null,
      user_ref bigint,
      seq bigint not null,
      updated_at timestamptz not null,
      primary key (app_ref, id)
    ) with (fillfactor = 80)
  `);
  await db.unsafe(`
    insert into reference_installation
    select app_ref, id, secret_hash, provider, environment, topic, token, address_key,
      (select user_ref from link where link.installation_ref = installation.installation_ref),
      token_seq, updated_at
    from installation
  `);
}
