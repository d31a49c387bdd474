/** Questions and the passages that answer them: each must be the nearest passage of its question. */
export const PAIRS: readonly (readonly [question: string, passage: string])[] = [
  [
    'why were there duplicate webhook deliveries?',
    'The queue retried the webhook five times because the idempotency key was missing.',
  ],
  ['how do we store identifiers?', 'We decided to store ids as UUIDv7 so that partitions follow time.'],
  [
    'the login page shows a blank screen',
    'A missing translation crashed the sign-in form; the fix adds a default language.',
  ],
  [
    'which port does the metrics endpoint use?',
    'Prometheus scrapes the worker at port 9464, and nothing else listens there.',
  ],
  [
    'database migrations fail on CI',
    'The migration needs the extension pgcrypto, which the CI image of PostgreSQL did not create.',
  ],
  ['how are passwords hashed?', 'User passwords are stored with argon2id, 64 MiB of memory and three passes.'],
  [
    'memory leak in the image resizer',
    'The thumbnail service retained every decoded bitmap in a map; buffers are released after encoding now.',
  ],
  ['rules for naming branches', 'Branches begin with the ticket number, then two or three words in kebab case.'],
  [
    'timezone bug in the calendar',
    'Appointments moved by an hour in March, because the start was saved in local time instead of UTC.',
  ],
  ['how to run a single test?', 'Pass the path of the file to npm test to execute only its cases.'],
  ['slow search queries', 'An index on lower(title) cut the lookup from 900 ms to 12 ms.'],
  [
    'what does the retry policy look like?',
    'Failed jobs wait 2, 4 and 8 seconds, and are given up after the third attempt.',
  ],
  [
    'deployment got stuck',
    'The rollout waited forever because the readiness probe requested a path that had been renamed.',
  ],
  [
    'how is the cache invalidated?',
    'Each write invalidates the cached entry: its key goes to a Redis channel, and all nodes drop their copy.',
  ],
  [
    'email notifications are not sent',
    'The SMTP relay rejected our messages, since the sender domain lacked an SPF record.',
  ],
  [
    'why did we choose this charting library?',
    'For charts we replaced D3 by uPlot, a library that draws a million points without stutter.',
  ],
  [
    'where are uploaded files stored?',
    'Uploads are stored in an S3 bucket with server-side encryption; the table has only their keys.',
  ],
  [
    'flaky end-to-end test',
    'The browser clicked before the dialog had finished its animation; the test awaits the event now.',
  ],
  ['which license does the project have?', 'The source code is published under the MIT license.'],
  [
    'payment amounts are off by one cent',
    'Prices were summed as floating point numbers; they are integers of cents now.',
  ],
];
