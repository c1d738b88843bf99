/**
 * Counts bidders' connections, and closes those above MAX_CONNECTIONS as they come: a process that runs out of file
 * descriptors could open neither its ledger nor a connection to Redis. Costs a connection something, a request nothing.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { Meters } from '../table/meters.ts';
import { EDGE_CONNECTIONS, EDGE_CONNECTIONS_REFUSED } from '../table/thread-meters.ts';

export class Connections {
  private readonly own: Meters;
  private readonly edges: readonly Meters[];
  private readonly connectionsMax: number;

  /** @param edges the meters of every edge of the pod; `own` is one of them */
  constructor(own: Meters, edges: readonly Meters[], connectionsMax: number) {
    this.own = own;
    this.edges = edges;
    this.connectionsMax = connectionsMax;
    own.set(EDGE_CONNECTIONS, 0);
  }

  /** To be called by uWebSockets.js for each connection: when it is opened, and when it is closed. */
  readonly changed = (connection: HttpResponse, change: number): void => {
    this.own.add(EDGE_CONNECTIONS, change);
    if (change < 0 || this.open <= this.connectionsMax) return;
    this.own.add(EDGE_CONNECTIONS_REFUSED, 1);
    connection.close();
  };

  /** Of the whole pod. Edges that accept at the same moment may pass the limit by one each. */
  private get open(): number {
    return this.edges.reduce((sum, edge) => sum + edge.get(EDGE_CONNECTIONS), 0);
  }
}
