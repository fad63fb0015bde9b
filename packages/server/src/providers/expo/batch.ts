import type { Outcome } from '../../domain/outcome.ts';
import { parseJsonObject } from '../json-object.ts';
import { outcomeOfCutOff, outcomeWithoutAnswer } from '../no-answer.ts';
import type { HearOutcome, SendOptions } from '../provider.ts';
import type { Suspects } from '../suspects.ts';
import { BATCH_PUSHES, type ExpoConnection } from './connection.ts';
import type { ExpoResult } from './exchange.ts';
import { classifyItem, classifyRefusal, type ExpoRefusal } from './reasons.ts';
import type { TokenProjects } from './token-projects.ts';

/** One push that is ready to go, with its place among those that were offered. */
export interface BatchItem {
  readonly place: number;
  readonly token: string;
  readonly json: string;
}

export type Batch = readonly BatchItem[];

/** What sends batches, for whom, and with what it has learned of their tokens. */
export interface BatchSender {
  readonly connection: ExpoConnection;
  /** Tokens that Expo says belong to another one are not sent; null where any may be. */
  readonly project: string | null;
  readonly projects: TokenProjects;
  readonly suspects: Suspects;
  readonly now: () => Date;
}

const SEND_PATH = '/--/api/v2/push/send';

/**
 * Sends pushes in as few requests as Expo allows, and hears of each. Expo takes the tokens of one
 * project in a request, so those that are known to be of another than the sender's are not sent.
 */
export async function sendBatches(
  sender: BatchSender,
  items: Batch,
  options: SendOptions,
  hear: HearOutcome,
): Promise<void> {
  const { project, projects, suspects } = sender;
  const isStranger = ({ token }: BatchItem): boolean => {
    const known = projects.projectOf(token);
    return project !== null && known !== null && known !== project;
  };
  for (const { place } of items.filter(isStranger)) hear(place, WRONG_PROJECT);
  const groups = Map.groupBy(
    items.filter((item) => !isStranger(item)),
    ({ token }) => `${projects.projectOf(token)} ${suspects.partOf(token)}`,
  );
  const batches = [...groups.values()].flatMap(hundreds);
  await Promise.all(batches.map((batch) => sendBatch(sender, batch, options, hear)));
}

/**
 * Sends a batch in one request and hears a ticket for each push. Expo refuses a batch as a whole
 * for what is wrong with one of its messages, so such a batch is divided: by project where Expo
 * says whose the tokens are, otherwise in halves, until the one at fault is alone. A batch that was
 * refused like that was not sent, so nobody gets a push twice.
 */
async function sendBatch(
  sender: BatchSender,
  batch: Batch,
  options: SendOptions,
  hear: HearOutcome,
): Promise<void> {
  const tell = ({ place, token }: BatchItem, outcome: Outcome): void => {
    if (outcome.kind !== 'not_started') sender.suspects.clear(token);
    hear(place, outcome);
  };
  const json = `[${batch.map((item) => item.json).join(',')}]`;
  const result = await sender.connection.post(SEND_PATH, json, options);
  const tickets = readTickets(result, batch);
  if (tickets !== null) {
    for (const [index, item] of batch.entries()) tell(item, tickets[index] ?? NO_TICKET);
    return;
  }
  const { outcome, tokensByProject } = readRefusal(result, sender.now());
  const isFinal = outcome.kind !== 'payload' || batch.length === 1;
  if (isFinal || namesAnother(sender.project, tokensByProject)) {
    for (const item of batch) tell(item, isFinal ? outcome : OWN_PROJECT_WRONG);
    return;
  }
  if (tokensByProject !== null) sender.projects.learn(tokensByProject);
  const projects = new Set(batch.map(({ token }) => sender.projects.projectOf(token)));
  // Where the details divide nothing, going on by them would never end.
  if (projects.size > 1) return sendBatches(sender, batch, options, hear);
  const parts = halves(batch);
  for (const part of parts) sender.suspects.suspect(part.map(({ token }) => token));
  await Promise.all(parts.map((part) => sendBatch(sender, part, options, hear)));
}

/** Expo took a batch and did not say what became of this one. */
const NO_TICKET: Outcome = { kind: 'unknown', code: 'no_ticket', status: 200 };

const WRONG_PROJECT: Outcome = {
  kind: 'token_mismatch',
  code: 'PUSH_TOO_MANY_EXPERIENCE_IDS',
  status: 400,
};

/** None of the tokens is of the project that the credential names. */
const OWN_PROJECT_WRONG: Outcome = {
  kind: 'auth',
  code: 'wrong_project',
  status: 400,
  scope: 'credential',
};

/** An outcome for each push of the batch, in its order; null where there are no tickets at all. */
function readTickets(result: ExpoResult, batch: Batch): readonly Outcome[] | null {
  if (result.kind !== 'answer' || result.status !== 200) return null;
  const answer = result.isWhole ? parseJsonObject(result.body) : null;
  // The status says that Expo took the batch, even if the rest got lost on the way.
  if (answer === null) return batch.map(() => NO_TICKET);
  const { data } = answer;
  // What was refused is in `errors`, whatever the status.
  if (!Array.isArray(data) && answer['errors'] !== undefined) return null;
  // Expo answers a single message with a single ticket.
  const tickets: readonly unknown[] = Array.isArray(data) ? data : [data];
  return batch.map((_, index) => {
    const ticket = tickets[index];
    return ticket === undefined ? NO_TICKET : classifyItem('ticket', '', ticket);
  });
}

function readRefusal(result: ExpoResult, now: Date): ExpoRefusal {
  if (result.kind !== 'answer') {
    return { outcome: outcomeWithoutAnswer(result), tokensByProject: null };
  }
  const cutOff = outcomeOfCutOff(result);
  if (cutOff !== null) return { outcome: cutOff, tokensByProject: null };
  return classifyRefusal(result, now);
}

/**
 * Whether Expo says of tokens whose they are, and our project is not among them. It may have been
 * renamed, or misspelt in the credential, which makes nobody a stranger.
 */
function namesAnother(
  own: string | null,
  tokensByProject: ReadonlyMap<string, readonly string[]> | null,
): boolean {
  if (own === null || tokensByProject === null) return false;
  return tokensByProject.size > 0 && !tokensByProject.has(own);
}

function hundreds(items: Batch): readonly Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < items.length; from += BATCH_PUSHES) {
    batches.push(items.slice(from, from + BATCH_PUSHES));
  }
  return batches;
}

function halves(batch: Batch): readonly Batch[] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
