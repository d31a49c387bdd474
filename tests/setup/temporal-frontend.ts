import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { sendUnaryData } from '@grpc/grpc-js';

export interface TemporalFrontend {
  readonly address: string;
  stop(): void;
}

const same = (bytes: Buffer): Buffer => bytes;

/**
 * Starts a server with these methods of Temporal's frontend, by service and name, as `workflowservice.v1.WorkflowService/StartWorkflowExecution`. It
 * answers a call with the status that `statusOf` returns, and with an empty message where it is OK.
 */
export async function startTemporalFrontend(
  methods: readonly string[],
  statusOf: (method: string) => status,
): Promise<TemporalFrontend> {
  const server = new Server();
  for (const method of methods) {
    const definition = {
      path: `/temporal.api.${method}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    const answer = (_call: unknown, respond: sendUnaryData<Buffer>): void => {
      const code = statusOf(method);
      if (code === status.OK) respond(null, Buffer.alloc(0));
      else respond({ code });
    };
    server.addService({ [method]: definition }, { [method]: answer });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
