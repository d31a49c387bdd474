import { DefaultLogger, Runtime } from '@temporalio/worker';

// The SDK logs every worker state and every arranged failure. Tests assert outcomes, so only errors are logged.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
