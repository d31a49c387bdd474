import { basename } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';

/** Run as a script: `node write-mapped-model.ts SOURCE TARGET` writes TARGET and, beside it, its weights. See mapped-model.ts. */
const [, , source, target] = process.argv;
if (source === undefined || target === undefined) throw new Error('usage: write-mapped-model SOURCE TARGET');

const session = await InferenceSession.create(source, {
  // The levels above are specific to this processor.
  graphOptimizationLevel: 'extended',
  optimizedModelFilePath: target,
  extra: {
    session: {
      optimized_model_external_initializers_file_name: `${basename(target, '.onnx')}.weights`,
      optimized_model_external_initializers_min_size_in_bytes: '1024',
    },
  },
  logSeverityLevel: 3,
});
await session.release();
