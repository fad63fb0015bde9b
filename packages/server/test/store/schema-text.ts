import type { Queryable } from '../../src/store/sql.ts';

/** The schema as text: tables with their columns, constraints and indexes, partitions left out. */
export async function schemaText(db: Queryable): Promise<string> {
  const rows = await db<{ line: string }[]>`
    with relation as (
      select c.oid, c.relname, c.reloptions, pg_get_partkeydef(c.oid) as partition_key
      from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and not c.relispartition
    ), line as (
      select relname, 0 as section, 0 as position,
        'table ' || relname || coalesce(' partition by ' || partition_key, '')
          || coalesce(' with ' || array_to_string(reloptions, ', '), '') as line
      from relation
      union all
      select relname, 1, attnum, '  ' || attname || ' ' || format_type(atttypid, atttypmod)
        || case when attnotnull then ' not null' else '' end
        || case when attidentity <> '' then ' identity' else '' end
        || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
        || case when collname not in ('default') then ' collate ' || collname else '' end
      from relation join pg_attribute a on attrelid = relation.oid and attnum > 0
        and not attisdropped
        left join pg_attrdef d on d.adrelid = attrelid and d.adnum = attnum
        left join pg_collation k on k.oid = attcollation
      union all
      select relname, 2, 0, '  constraint ' || conname || ' ' || pg_get_constraintdef(k.oid)
      from relation join pg_constraint k on k.conrelid = relation.oid and contype <> 'n'
      union all
      select relname, 3, 0, '  ' || replace(pg_get_indexdef(indexrelid), 'public.', '')
      from relation join pg_index on indrelid = relation.oid
    )
    select line from line order by relname, section, position, line`;
  return `${rows.map((row) => row.line).join('\n')}\n`;
}
