/**
 * Makes a thread of a running pod throw, through Node's inspector: the pod is started with
 * `--inspect=127.0.0.1:0`, and what is evaluated in a worker throws where a bug would.
 */
import { WebSocket } from 'ws';
import type { TestPod } from './pod.ts';
import { until } from './pod-wait.ts';

export const INSPECTED = ['--inspect=127.0.0.1:0'];

interface InspectorMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly sessionId: string;
    readonly message?: string;
    readonly workerInfo?: WorkerInfo;
  };
}

interface WorkerInfo {
  readonly title: string;
  readonly url: string;
}

/** Sets an exception going in the first thread whose entry file or title has `name` in it. */
export async function crashThread(pod: TestPod, name: string): Promise<void> {
  const [, address] = await until('the inspector listens', () => /(ws:\/\/\S+)/.exec(pod.output));
  const socket = new WebSocket(address ?? '');
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const workers: { readonly sessionId: string; readonly info: WorkerInfo }[] = [];
  const heard: string[] = [];
  socket.on('message', (bytes) => {
    const { method, params } = JSON.parse(String(bytes)) as InspectorMessage;
    if (method === 'NodeWorker.attachedToWorker' && params?.workerInfo !== undefined) {
      workers.push({ sessionId: params.sessionId, info: params.workerInfo });
    }
    if (method === 'NodeWorker.receivedMessageFromWorker') heard.push(params?.message ?? '');
  });
  const send = (id: number, method: string, params: object): void =>
    socket.send(JSON.stringify({ id, method, params }));
  send(1, 'NodeWorker.enable', { waitForDebuggerOnStart: false });
  const { sessionId } = await until(`a thread ${name} is there`, () =>
    workers.find(({ info }) => info.url.includes(name) || info.title.includes(name)),
  );
  const expression = 'setTimeout(() => { throw new Error("crash") }); "thrown"';
  const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } });
  send(2, 'NodeWorker.sendMessageToWorker', { sessionId, message });
  await until(
    'it has been evaluated',
    () => heard.some((text) => text.includes('thrown')) || pod.output.includes('crash'),
  );
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.close();
  await closed;
}
