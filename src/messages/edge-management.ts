/** Between an edge and the management thread: the edge relays `GET /metrics` so that rendering never delays a bid. */

export interface EdgeToManagement {
  readonly type: 'metrics';
  readonly ticket: number;
}

export interface ManagementToEdge {
  readonly type: 'metrics';
  readonly ticket: number;
  readonly contentType: string;
  readonly body: string;
}
