/**
 * `/ws/budget-updates`: the WebSocket that live updates go over. The upgrade passes every hook that other requests
 * pass: credentials by header or by the cookie of a login, the page's origin, the rate of the token.
 */
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { AppError } from '../../domain/app-error.ts';
import type { Credentials } from '../credentials.ts';
import { checked, id, oneOf } from '../field-rules.ts';
import type { Description } from '../operation.ts';
import type { LiveClientOptions } from './live-client.ts';
import { ENCODINGS, type Encoding } from './live-frames.ts';
import type { LiveUpdates } from './live-updates.ts';
import { webSocketUpgrades } from './upgrades.ts';

export const LIVE_PATH = '/ws/budget-updates';

/** Each message by itself, so that one compression serves all clients (live-frames.ts). */
const COMPRESSION = { serverNoContextTakeover: true, clientNoContextTakeover: true } as const;
/** A client that wants a smaller window than that one compression has is sent plain messages. */
const SMALL_WINDOW = 'server_max_window_bits';
/** Clients have nothing to say; what they say is not read. */
const CLIENT_BYTES_MAX = 1_024;
/** In how many pieces that may come. */
const FRAGMENTS_MAX = 64;
const CAMPAIGNS_MAX = 100;
const CAMPAIGNS_ACCEPTED = `an id of a campaign, given up to ${CAMPAIGNS_MAX} times`;

const liveQuery = z.object({
  campaign_id: z
    .union([id, z.array(id).max(CAMPAIGNS_MAX)], { error: CAMPAIGNS_ACCEPTED })
    .optional()
    .describe('Only this campaign; may be given several times.'),
  encoding: oneOf(ENCODINGS).default('json').describe('Of the frames.'),
});

const described: Description = {
  operationId: 'watchBudgets',
  tag: 'Insight',
  summary: 'Live updates of budgets, over a WebSocket',
  description:
    'First `{"type":"snapshot","campaigns":[…]}`, then `{"type":"update",…}` with the campaigns that changed and ' +
    '`totals`, and `{"type":"alert",…}` as they happen. A client that reads too slowly skips to the latest state. ' +
    'docs/websocket.md has every field.',
  query: liveQuery,
  answers: { 101: { description: 'The connection is a WebSocket from here on.' } },
  errors: ['forbidden', 'campaign_not_found', 'rate_limited', 'unavailable'],
};

export function addLiveRoutes(app: FastifyInstance, live: LiveUpdates, credentials: Credentials): void {
  app.register(websocket, {
    options: {
      // The plugin needs no more of a server than its upgrades.
      server: webSocketUpgrades(app.server) as typeof app.server,
      maxPayload: CLIENT_BYTES_MAX,
      perMessageDeflate: COMPRESSION,
      // Pings are answered by the client's own object, which sees whether it reads.
      autoPong: false,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: FRAGMENTS_MAX,
      clientTracking: false,
    },
    errorHandler: (_error, socket) => socket.terminate(),
    preClose: async () => live.close(),
  });
  app.register((scope, _options, done) => {
    scope.route({
      method: 'GET',
      url: LIVE_PATH,
      config: { described },
      onRequest: async (request) => {
        const { campaignIds } = wantedBy(request);
        if (!request.ws) {
          throw new AppError('invalid_request', 'this is a WebSocket: connect with ws:// and this path');
        }
        live.refuseUnserved(campaignIds, callerOf(credentials, request));
      },
      handler: () => undefined,
      wsHandler: (socket, request) => {
        const isWelcome = (): boolean => isKnown(credentials, request);
        const options = { ...wantedBy(request), ...compressionOf(socket, request), isWelcome };
        live.add(socket, { ...options, caller: callerOf(credentials, request) });
      },
    });
    done();
  });
}

function compressionOf(
  { extensions }: WebSocket,
  { headers, socket }: FastifyRequest,
): Pick<LiveClientOptions, 'compressedTo'> {
  const isAgreed = extensions.split(',').includes('permessage-deflate');
  const offer = headers['sec-websocket-extensions'] ?? '';
  return { compressedTo: isAgreed && !offer.includes(SMALL_WINDOW) ? socket : null };
}

function isKnown(credentials: Credentials, { headers }: FastifyRequest): boolean {
  try {
    credentials.callerOf(headers, Date.now());
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** Name of the token behind a request; null where nobody is asked for one. */
function callerOf(credentials: Credentials, { actor }: FastifyRequest): string | null {
  return credentials.required ? actor : null;
}

interface Wanted {
  readonly encoding: Encoding;
  /** null = all. */
  readonly campaignIds: ReadonlySet<string> | null;
}

/** @throws AppError `invalid_request`. */
function wantedBy({ query }: FastifyRequest): Wanted {
  const { encoding, campaign_id } = checked(liveQuery, { ...(query as object) }, '%s');
  return { encoding, campaignIds: campaign_id === undefined ? null : new Set([campaign_id].flat()) };
}
