/**
 * Signs what is sent to a webhook as the Standard Webhooks specification says, so that its libraries verify it:
 * HMAC-SHA256 over `id.timestamp.body`, in base64, in the header `webhook-signature` as `v1,…`.
 */
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** The key of a secret: `whsec_` and base64, as the specification has it, or any other text as it is. */
export function keyOf(secret: string): Buffer {
  return secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret);
}

/** @param timestamp seconds since the epoch */
export function signatureOf(key: Buffer, id: string, timestamp: number, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
