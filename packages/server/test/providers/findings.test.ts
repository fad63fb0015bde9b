import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readTable } from '../../../../test/tidy/markdown-table.ts';
import type { ProviderName } from '../../src/domain/address.ts';
import { APNS_FINDINGS } from '../../src/providers/apns/verify.ts';
import { EXPO_FINDINGS } from '../../src/providers/expo/verify.ts';
import { FCM_FINDINGS } from '../../src/providers/fcm/verify.ts';
import { HMS_FINDINGS } from '../../src/providers/hms/verify.ts';
import type { FindingTable } from '../../src/providers/finding.ts';
import { WEB_PUSH_FINDINGS } from '../../src/providers/webpush/verify.ts';

const TABLES: Readonly<Record<ProviderName, FindingTable>> = {
  apns: APNS_FINDINGS,
  fcm: FCM_FINDINGS,
  webpush: WEB_PUSH_FINDINGS,
  expo: EXPO_FINDINGS,
  hms: HMS_FINDINGS,
};

for (const [name, table] of Object.entries(TABLES)) {
  test(`docs/providers/${name}.md lists what a verification can find`, async () => {
    const page = new URL(`../../../../docs/providers/${name}.md`, import.meta.url);
    const rows = readTable(await readFile(page, 'utf8'), 'finding');
    const inCode = Object.entries(table).map(([code, { weight, field, meaning, fix }]) => {
      return [`\`${code}\``, weight, field === null ? '' : `\`${field}\``, meaning, fix];
    });
    assert.deepEqual(rows, inCode);
  });
}
