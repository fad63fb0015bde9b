import { createHash } from 'node:crypto';
import type { ReportedToken } from '../../packages/server/src/domain/token-input.ts';

/**
 * The installations of the benchmark. Everything about one follows from its number, so that the
 * load needs no list of a million secrets, and `populate.ts` computes the same in SQL.
 *
 * Odd ones change during a run; even ones only ever check in, so that the packet they repeat is the
 * one they were made with. Odd and even rows share their pages: both see the whole table.
 */

export const TOPIC = 'com.acme.shop';
export const PROJECT = 'acme-shop';

/** Two of four installations have a user at the beginning, the same one: a phone and a tablet. */
export function isLinkedAtFirst(number: number): boolean {
  return (number >> 1) % 2 === 0;
}

export function userIdOf(number: number): string {
  return `user-${number >> 2}`;
}

/** MD5 spreads the ids over the index as random ones do. */
export function installationIdOf(number: number): string {
  const digits = createHash('md5').update(`installation-${number}`).digest('hex');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export function secretOf(number: number): string {
  return createHash('sha256').update(`secret-${number}`).digest('base64url');
}

/** Its own for each, or the limit on enrolments by address would be what is measured. */
export function addressOf(number: number): string {
  return `10.${(number >> 16) % 256}.${(number >> 8) % 256}.${number % 256}`;
}

/** Four of five are reached by APNs, as in the other benchmarks. */
function isFcm(number: number): boolean {
  return number % 5 === 4;
}

/** The token that an installation reports under a sequence. */
export function tokenOf(number: number, seq: number): ReportedToken {
  const digits = createHash('sha256').update(`token-${number}-${seq}`).digest('hex');
  return isFcm(number)
    ? fcmToken(`${digits.slice(0, 22)}:APA91b${digits}${digits}`)
    : apnsToken(`0a${digits.slice(0, 62)}`);
}

/** Members are sorted here, and below, so that JSON's text of a value is the one that is hashed. */
export function apnsToken(value: string): ReportedToken {
  return { environment: 'production', provider: 'apns', topic: TOPIC, value };
}

export function fcmToken(value: string): ReportedToken {
  return { project: PROJECT, provider: 'fcm', value };
}

/** What the device says about itself. */
export function deviceGroup(vendorId: string) {
  const device = {
    app_version: '4.2.0',
    locale: 'de-DE',
    model: 'iPhone16,2',
    os_version: '18.1',
    platform: 'ios',
    sdk_version: '1.0.0',
    time_zone: 'Europe/Berlin',
    vendor_id: vendorId,
  };
  return { device, permission: 'granted' } as const;
}

function vendorIdOf(number: number): string {
  return createHash('md5').update(`vendor-${number}`).digest('hex');
}

/** The packet that an installation enrols with, before anybody signs in. */
export function enrolmentOf(number: number): Readonly<Record<string, unknown>> {
  return { seq: 1, token: tokenOf(number, 1), ...deviceGroup(vendorIdOf(number)) };
}

/** The packet that an installation of the first population repeats when it checks in. */
export function checkInOf(number: number): Readonly<Record<string, unknown>> {
  const user = { id: userIdOf(number) };
  return { ...enrolmentOf(number), ...(isLinkedAtFirst(number) && { user }) };
}
