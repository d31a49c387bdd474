import { DefaultLogger, Runtime } from '@temporalio/worker';

// The SDK tells every state of every worker, and every failure that a test arranges. Tests assert outcomes; only errors are worth a line.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
