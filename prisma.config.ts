import { defineConfig } from 'prisma/config';

// The CLI only generates the client; migrations run in process (prisma/schema-engine.ts), so it needs no URL.
export default defineConfig({ schema: 'prisma/schema.prisma' });
